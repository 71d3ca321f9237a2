"""Delete one line of what is remembered of a person: it is told to no later conversation, nor is what came from it.

The conversation that it was said in stays whole; erasing that is another matter (`actions.forget`). A line's id leads
to its place and is opaque to everybody else.
"""

import base64
import binascii

import msgspec

from roxels.domain import texts
from roxels.domain.errors import Invalid, NotFound
from roxels.domain.events import MemoryForgotten
from roxels.domain.memory import Line, Remembered
from roxels.domain.proof import owners_sight
from roxels.storage import conversations, log
from roxels.storage.transaction import Writing

_PREFIX = "mem_"


class _Place(msgspec.Struct, frozen=True, array_like=True):
    conversation_id: str
    event: MemoryForgotten


_decoder: msgspec.json.Decoder[_Place] = msgspec.json.Decoder(_Place)


def line_id(line: Remembered | Line) -> str:
    """What names this line in the API."""
    if isinstance(line, Remembered):
        event = MemoryForgotten(goal_id=line.goal_id, field=line.field)
    else:
        event = MemoryForgotten(said_id=line.message_id)
    place = msgspec.json.encode(_Place(line.conversation_id, event))
    return _PREFIX + base64.urlsafe_b64encode(place).decode().rstrip("=")


def forget_line(tx: Writing, person_id: str, line: str) -> None:
    """Delete it. Raises `NotFound` where nothing of this person is remembered under that id."""
    place = _place(line)
    known = {line_id(each) for each in _lines(tx, person_id, place.conversation_id)}
    if line not in known:
        raise NotFound("Nothing is remembered of this person under this id.")
    state = log.read(tx, place.conversation_id).state
    conversations.add(tx, place.conversation_id, state, None, [place.event])
    conversations.touch(tx, person_id)


def _place(line: str) -> _Place:
    try:
        body = line.removeprefix(_PREFIX)
        place = _decoder.decode(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        texts.check(place.conversation_id, "The line")
    except (msgspec.MsgspecError, binascii.Error, ValueError, Invalid):
        raise NotFound("Nothing is remembered of this person under this id.") from None
    return place


def _lines(tx: Writing, person_id: str, conversation_id: str) -> list[Remembered | Line]:
    memory = conversations.memory_of(tx, owners_sight(person_id), only=conversation_id)
    return [*memory.facts, *memory.lines]
