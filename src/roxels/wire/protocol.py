"""Every frame, both ways: one closed, versioned union, carried by WebSocket and by server-sent events alike.

A frame is one JSON object with its name under `frame`. Facts are `event` frames, numbered by `seq`; words of an answer
under way are `piece` frames. A view of the conversation is a fold of these and nothing else: facts after N, and the
pieces of one utterance joined by `from`. Fields may be added; none is renamed or removed within a version.
"""

import re
from typing import Any, assert_never

import msgspec

from roxels.domain import strict_json, texts
from roxels.domain.errors import Invalid
from roxels.domain.events import (
    AgentHeard,
    AgentSaid,
    AgentStarted,
    ConversationCompleted,
    ConversationEnded,
    ConversationExpired,
    ConversationFailed,
    Fact,
    FieldCaptured,
    FieldSkipped,
    GoalActivated,
    GoalCommitted,
    GoalConfirmed,
    GoalProposed,
    PersonSaid,
    SessionEnded,
    SessionJoined,
    SessionStarted,
    name_of,
)
from roxels.domain.resumption import Report

VERSION = 1

#: A first frame that was refused, and one that was too large (RFC 6455, section 7.4.1).
REFUSED = 1008
TOO_LARGE = 1009
#: WebSocket close codes of our own (RFC 6455, section 7.4.2: 4000 to 4999 are private).
UNAUTHORIZED = 4001
SUPERSEDED = 4009
DRAINING = 4010

#: A message of a participant at most, in code points.
MAX_TEXT = 16_000
MAX_ID = 128


class Frame(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=False, tag_field="frame"):
    """One message on the wire."""


# Client to server ---------------------------------------------------------------------------------------------------


class Rendered(msgspec.Struct, frozen=True):
    """How much of an answer the client shows already, in code points."""

    utterance_id: str
    chars: int


class Hello(Frame, frozen=True, kw_only=True, tag="hello"):
    """Here I am; I know all facts up to `after` and show this much of an answer."""

    v: int
    token: str
    after: int = 0
    rendered: Rendered | None = None


class Say(Frame, frozen=True, kw_only=True, tag="say"):
    """The participant's words. `id` is the client's own: sent again until acknowledged, said once."""

    id: str
    text: str


class Correct(Frame, frozen=True, kw_only=True, tag="correct"):
    """A captured value, put right in place."""

    goal_id: str
    field: str
    value: Any


class Heard(Frame, frozen=True, kw_only=True, tag="heard"):
    """So many code points of an answer reached the participant."""

    utterance_id: str
    chars: int


class Leave(Frame, frozen=True, kw_only=True, tag="bye"):
    """The participant hangs up: the visit ends, and the conversation too where it cannot be resumed."""


#: What a participant who is in may do.
Deed = Say | Correct | Heard | Leave
ClientFrame = Hello | Deed
#: What the HTTP twin takes, by the last part of its address.
POSTED: dict[str, type[Deed]] = {"say": Say, "correct": Correct, "heard": Heard, "bye": Leave}


# Server to client ---------------------------------------------------------------------------------------------------


class Welcome(Frame, frozen=True, kw_only=True, tag="welcome"):
    """You are in: what this start restored, and where the log stands."""

    resumption: Report
    head: int
    external_id: str | None
    language: str
    settings: dict[str, Any]


class EventFrame(Frame, frozen=True, kw_only=True, tag="event"):
    """A fact. Its own fields stand beside `seq` and `type`; see the table of events."""

    seq: int
    type: str


class PieceFrame(Frame, frozen=True, kw_only=True, tag="piece", rename={"start": "from"}):
    """Words of an answer under way, from code point `from` on."""

    utterance_id: str
    start: int
    text: str


class Ack(Frame, frozen=True, kw_only=True, tag="ack"):
    """Your message is kept, at this place."""

    id: str
    seq: int


class SignalFrame(Frame, frozen=True, kw_only=True, tag="signal"):
    """Something to show at once and to forget."""

    kind: str


class ErrorFrame(Frame, frozen=True, kw_only=True, tag="error"):
    """Something was not accepted. Where `fatal`, the connection ends. `retry_ms`: send it again after so long."""

    code: str
    message: str
    fatal: bool = False
    retry_ms: int | None = None


class Bye(Frame, frozen=True, kw_only=True, tag="bye"):
    """The server hangs up, and says when to come back (milliseconds; 0: at once; null: not)."""

    code: str
    retry_ms: int | None


ServerFrame = Welcome | EventFrame | PieceFrame | Ack | SignalFrame | ErrorFrame | Bye

_decoder: msgspec.json.Decoder[ClientFrame] = msgspec.json.Decoder(ClientFrame)
_encoder = msgspec.json.Encoder()
_PLACE = re.compile(r" - at `\$\.([^`]+)`$")
_MISSING = re.compile(r"missing required field `(\w+)`")


def receive(text: str | bytes) -> ClientFrame:
    """The frame in a message. Raises `Invalid`, which names what is wrong and never repeats what was said."""
    try:
        frame = _decoder.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as fault:
        _check_halves(text)
        raise Invalid(f"This is not a frame of the protocol: {_safe(fault)}", field=_field(fault)) from None
    return checked(frame)


def checked(frame: ClientFrame) -> ClientFrame:
    """The frame, when its parts fit and can be kept. Raises `Invalid`."""
    match frame:
        case Hello():
            if frame.v != VERSION:
                raise Invalid(f"`v` must be {VERSION}.", field="v")
            if frame.after < 0:
                raise Invalid("`after` must be 0 or more.", field="after")
            if frame.rendered is not None and frame.rendered.chars < 0:
                raise Invalid("`rendered.chars` must be 0 or more.", field="rendered.chars")
        case Say():
            if not 1 <= len(frame.id) <= MAX_ID:
                raise Invalid(f"`id` must have 1 to {MAX_ID} characters.", field="id")
            texts.check(frame.id, "`id`", "id")
            if not frame.text.strip():
                raise Invalid("`text` is empty; say something.", field="text")
            if len(frame.text) > MAX_TEXT:
                raise Invalid(f"`text` is longer than {MAX_TEXT} characters; send less at once.", field="text")
            texts.check(frame.text, "`text`", "text")
        case Heard():
            if frame.chars < 0:
                raise Invalid("`chars` must be 0 or more.", field="chars")
            texts.check(frame.utterance_id, "`utterance_id`", "utterance_id")
        case Correct():
            strict_json.check(frame.value, "value")
        case Leave():
            pass
        case _:
            assert_never(frame)
    return frame


def posted(name: str, fields: dict[str, Any]) -> Deed | None:
    """The frame of this name with these fields, as a POST brings it; None where there is none. Raises `Invalid`.

    The name may stand among the fields too, as on the socket.
    """
    kind = POSTED.get(name)
    if kind is None:
        return None
    for key in fields:
        if key not in kind.__struct_fields__ and (key, fields[key]) != ("frame", name):
            raise Invalid(f"`{key[:200]}` is not a field that is known here; leave it out.", field=key[:200])
    frame = receive(msgspec.json.encode(fields | {"frame": name}))
    return None if isinstance(frame, Hello) else frame


def encode(frame: ServerFrame) -> str:
    """The frame as one text message."""
    return _encoder.encode(frame).decode()


#: What a participant may see of each fact. Plans, what a server told the agent, devices and the ids of sessions
#: (another's may still be exchanged) stay on the server; a fact that is not named here is not sent at all.
VISIBLE: dict[str, tuple[str, ...]] = {
    SessionStarted.__name__: ("proof", "reason"),
    SessionJoined.__name__: (),
    SessionEnded.__name__: ("cause",),
    PersonSaid.__name__: ("id", "text"),
    AgentStarted.__name__: ("utterance_id",),
    AgentSaid.__name__: ("utterance_id", "text", "interrupted"),
    AgentHeard.__name__: ("utterance_id", "chars"),
    FieldCaptured.__name__: ("goal_id", "field", "value"),
    FieldSkipped.__name__: ("goal_id", "field"),
    GoalActivated.__name__: ("goal_id",),
    GoalProposed.__name__: ("goal_id", "data"),
    GoalConfirmed.__name__: ("goal_id",),
    GoalCommitted.__name__: ("goal_id", "revision", "commit_id", "data"),
    ConversationEnded.__name__: ("ended_by",),
    ConversationExpired.__name__: (),
    ConversationCompleted.__name__: ("summary", "findings"),
    ConversationFailed.__name__: (),
}


def shown(fact: Fact) -> dict[str, Any] | None:
    """The fields of an `event` frame, or None where the fact is not for a participant."""
    names = VISIBLE.get(type(fact.event).__name__)
    if names is None:
        return None
    fields: dict[str, Any] = {"frame": "event", "seq": fact.seq, "type": name_of(fact.event), "at": fact.at}
    for name in names:
        fields[name] = getattr(fact.event, name)
    return fields


def event_text(fact: Fact) -> str | None:
    """The fact as one text message, or None where a participant may not see it."""
    fields = shown(fact)
    return None if fields is None else _encoder.encode(fields).decode()


def _check_halves(text: str | bytes) -> None:
    """msgspec takes half of a surrogate pair for a text that broke off: say where it stands. Raises `Invalid`."""
    try:
        strict_json.read_json(text.encode() if isinstance(text, str) else text)
    except (Invalid, UnicodeError) as fault:
        if isinstance(fault, Invalid) and fault.field is not None:
            raise


def _safe(fault: Exception) -> str:
    """What was wrong, without the words themselves (msgspec names places and types only)."""
    match fault:
        case msgspec.MsgspecError():
            return str(fault)
        case RecursionError():
            return "it is nested too deeply."
        case _:
            return "it is not UTF-8."


def _field(fault: Exception) -> str | None:
    """The path of what was wrong: `rendered.chars`. msgspec tells it at the end, and what is missing by its name."""
    if not isinstance(fault, msgspec.ValidationError):
        return None
    above = _PLACE.search(str(fault))
    missing = _MISSING.search(str(fault))
    return ".".join(found.group(1) for found in (above, missing) if found) or None
