"""What a language model is asked and what it streams back: the small protocol behind which a library may stand."""

from collections.abc import AsyncGenerator
from typing import Any, ClassVar, Protocol

import msgspec


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """Where a model answers: the address up to `/v1`, and the key that it wants. Stands in no log."""

    url: str
    key: str = ""
    #: A template names it, not the operator of this server: it may only be what everybody may reach.
    is_foreign: bool = False


class Asking(msgspec.Struct, frozen=True, kw_only=True):
    """One request. `tools` empty: words only."""

    model: str
    messages: list[dict[str, Any]]
    tools: list[dict[str, Any]] = []
    temperature: float | None = None
    max_tokens: int | None = None


class Text(msgspec.Struct, frozen=True):
    """Some words."""

    text: str


class CallPart(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the tool call with this number; id and name come with one of its parts, arguments in pieces."""

    number: int
    id: str = ""
    name: str = ""
    arguments: str = ""


class Stopped(msgspec.Struct, frozen=True):
    """The model is done, and why: `stop`, `length`, `tool_calls`, `content_filter`, `refusal`."""

    reason: str


Delta = Text | CallPart | Stopped


class ModelFault(Exception):
    """The language model did not answer as it should; see the log line's `fault`."""

    code: ClassVar[str] = "model_fault"

    def __init__(self, word: str, *, retry: bool = True, after: float | None = None, is_outage: bool = True) -> None:
        super().__init__(word)
        #: `timed_out`, `unreachable`, `rate_limited`, `server_error`, `rejected`, `broken_off`, `too_long`, `refusal`,
        #: `no_words`; of a template's own endpoint `target` (it may not be reached) and `no_key`.
        self.word = word
        #: Whether asking again may help, and the seconds to wait before, where the service said so.
        self.retry = retry
        self.after = after
        #: Whether the service is at fault, rather than this one answer.
        self.is_outage = is_outage


class Engine(Protocol):
    """What asks a language model."""

    def stream(self, asking: Asking) -> AsyncGenerator[Delta, None]:
        """The answer as it comes; `Stopped` is the last. Raises `ModelFault`."""
        ...
