"""What a person's earlier conversations come to: facts that were captured, and what was said.

A fold like any other, over conversations instead of events, oldest first. A newer value of the same field supersedes
the older; every line says where it came from. Nothing is stored: it is made anew at each opening, from what the
session may see and nothing else.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from roxels.domain.conversation import Conversation


class Remembered(msgspec.Struct, frozen=True, kw_only=True):
    """One captured value: the fact that it stands on, the words, when, and how sure that visit was of its person."""

    goal_id: str
    field: str
    value: Any
    conversation_id: str
    #: The fact's place in that conversation, and the message that it was taken from: None where it was carried over or
    #: corrected.
    seq: int = 0
    message_id: str | None = None
    at: datetime
    proof: str


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the participant said."""

    text: str
    conversation_id: str
    message_id: str
    at: datetime
    proof: str = "anonymous"


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """All that may be used of a person's past."""

    facts: tuple[Remembered, ...] = ()
    lines: tuple[Line, ...] = ()
    conversations: int = 0
    #: What the customer's server keeps of the person (`org_context`), as far as this session may be told.
    attributes: dict[str, Any] = {}
    #: The newest of `facts` by field.
    newest: dict[str, Remembered] = {}

    def __post_init__(self) -> None:
        """Each prompt asks for some fields; a long past is looked through once."""
        newest = {fact.field: fact for fact in reversed(self.facts)}
        msgspec.structs.force_setattr(self, "newest", newest)

    def value_of(self, field: str) -> Remembered | None:
        """The newest value captured for a field of this name, whatever goal it stood in."""
        return self.newest.get(field)

    def recall(self, about: str, limit: int = 3) -> list[Line]:
        """The participant's own sentences about something: most shared words first, then the newest."""
        wanted = words_of(about)
        scored = [(len(wanted & words_of(line.text)), line.at, line) for line in self.lines]
        hits = sorted((hit for hit in scored if hit[0]), key=lambda hit: (hit[0], hit[1]), reverse=True)
        return [line for _, _, line in hits[:limit]]


NOTHING = Memory()

#: Words that say nothing about what a sentence is about.
COMMON = frozenset(
    "a about am an and are as at be but by did do for from had has have he her his i in is it its last me my of on or "
    "our said say she tell that the their them they this time to told was we were what when who will with you "
    "your".split()
)


def remember(pasts: Sequence[tuple[str, Conversation]]) -> Memory:
    """The memory of these conversations: `(id, state)`, oldest first.

    A value that was forgotten takes those before it along: whoever forgets the newest means no older one to be told.
    """
    facts: dict[tuple[str, str], Remembered] = {}
    lines: list[Line] = []
    for conversation_id, state in pasts:
        for fact in _facts(conversation_id, state):
            place = fact.goal_id, fact.field
            if state.forgotten.isdisjoint({place, fact.message_id or ""}):
                facts[place] = fact
            else:
                facts.pop(place, None)
        lines += _lines(conversation_id, state)
    newest_first = sorted(facts.values(), key=lambda fact: fact.at, reverse=True)
    return Memory(facts=tuple(newest_first), lines=tuple(lines), conversations=len(pasts))


def words_of(text: str) -> set[str]:
    """The telling words of a text, lower case, plural `s` taken off."""
    return {word.removesuffix("s") or word for word in re.findall(r"\w+", text.lower()) if word not in COMMON}


def _facts(conversation_id: str, state: Conversation) -> Iterable[Remembered]:
    for goal_id, goal in state.goals.items():
        for field, value in goal.data.items():
            source = goal.sources[field]
            yield Remembered(
                goal_id=goal_id,
                field=field,
                value=value,
                conversation_id=conversation_id,
                seq=source.seq,
                message_id=source.said_id,
                at=source.at,
                proof=source.proof,
            )


def _lines(conversation_id: str, state: Conversation) -> Iterable[Line]:
    for message in state.transcript:
        if message.role == "user" and message.id not in state.forgotten:
            yield Line(
                text=message.text,
                conversation_id=conversation_id,
                message_id=message.id,
                at=message.at,
                proof=state.proof_of(message.session_id),
            )
