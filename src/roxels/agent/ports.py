"""What the agent needs from outside and what it gives: one scene in, steps out.

A speaker is a generator of steps. It neither saves nor sends: the room keeps every step before anyone sees it.
"""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Literal, Protocol

import msgspec

from roxels.domain.conversation import Conversation
from roxels.domain.events import AnyEvent, Ask, Request
from roxels.domain.life import EndedBy
from roxels.domain.memory import NOTHING, Memory
from roxels.domain.templates import Template


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """All that one turn may know."""

    environment: Literal["test", "live"]
    template: Template
    state: Conversation
    #: What was said of the answer that `state.unfinished` names; the turn goes on at the next character.
    said_so_far: str = ""
    #: The visit whose words are answered.
    session_id: str | None
    external_id: str | None
    person_name: str | None
    memory: Memory = NOTHING
    now: datetime
    timezone: str = "UTC"
    locale: str = "en"
    #: The visit's time is up: say goodbye.
    time_is_up: bool = False
    #: Nobody has said anything for a while: one nudge.
    silence: bool = False


class Facts(msgspec.Struct, frozen=True):
    """Things that count from now on: captures, skips, the goal turned to."""

    events: tuple[AnyEvent, ...]


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """An answer begins. `plan`: its whole text where that is known before; see `events.AgentStarted`."""

    plan: str | None
    asks: Ask | None = None
    ends: EndedBy | None = None
    speaker: str = "scripted"
    #: What a model was asked, or would have been.
    request: Request | None = None


class Ending(msgspec.Struct, frozen=True):
    """The answer under way turned out to be the last one."""

    ends: EndedBy


class Words(msgspec.Struct, frozen=True):
    """The next words of the answer, in the order in which they are shown."""

    text: str


class Signal(msgspec.Struct, frozen=True):
    """Something to show at once and to forget, e.g. that the agent is thinking."""

    kind: Literal["typing"]


SpeakerStep = Facts | Opening | Words | Ending | Signal


class Speaker(Protocol):
    """What decides the agent's words."""

    def speak(self, scene: Scene) -> AsyncIterator[SpeakerStep]:
        """Answer the scene.

        Fresh (`scene.state.unfinished` is None): `Facts` and `Signal` as they come, one `Opening`, then `Words`.
        Going on: no `Opening`; the `Words` that follow `scene.said_so_far`, and nothing that was said before.
        Facts before the opening are kept with it; those between words at once. `Ending` may come after the opening.
        """
        ...
