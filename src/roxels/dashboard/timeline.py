"""A conversation as an operator reads it: what was said, when somebody came and left, what was understood meanwhile.

One entry comes of one fact and none of it ever changes, so a page grows by appending the entries of newer facts.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from roxels.dashboard import words
from roxels.domain.events import (
    AgentSaid,
    AnyEvent,
    ContextAdded,
    ConversationEnded,
    ConversationExpired,
    ConversationFailed,
    Fact,
    FieldCaptured,
    FieldSkipped,
    GoalBlocked,
    GoalCommitted,
    GoalConfirmed,
    GoalProposed,
    MemoryForgotten,
    PersonSaid,
    SessionEnded,
    SessionStarted,
)
from roxels.domain.templates import Template


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was said."""

    kind: Literal["words"] = "words"
    seq: int
    at: datetime
    id: str
    role: Literal["agent", "user"]
    text: str
    interrupted: bool = False


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody came. `away`: how long nothing had happened before; None at the first visit."""

    kind: Literal["visit"] = "visit"
    seq: int
    at: datetime
    session_id: str | None
    proof: str
    reason: str
    away: timedelta | None


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """Something happened beside the words. `about` is what it concerns, `detail` the value or circumstance."""

    kind: Literal["note"] = "note"
    seq: int
    at: datetime
    what: Literal["captured", "skipped", "proposed", "blocked", "committed", "context", "left", "ended"]
    label: str
    about: str = ""
    detail: str = ""


Entry = Words | Visit | Note


def entries(facts: Sequence[Fact], template: Template, *, after: int = 0) -> list[Entry]:
    """The entries of the facts behind `after`; each sees what went before it."""
    made: list[Entry] = []
    visited_at: datetime | None = None
    for fact in facts:
        entry = _entry(fact, visited_at, template)
        if entry is not None and fact.seq > after:
            made.append(entry)
        if visited_at is not None or isinstance(fact.event, SessionStarted):
            visited_at = fact.at
    return made


def said_ids(entries: Iterable[Entry]) -> dict[str, int]:
    """Where each message stands, by its id."""
    return {entry.id: entry.seq for entry in entries if isinstance(entry, Words)}


def _entry(fact: Fact, visited_at: datetime | None, template: Template) -> Entry | None:
    """`visited_at`: when anything last happened since the first visit; None before it."""
    match fact.event:
        case PersonSaid(id=said_id, text=text):
            return Words(seq=fact.seq, at=fact.at, id=said_id, role="user", text=text)
        case AgentSaid(utterance_id=said_id, text=text, interrupted=interrupted):
            return Words(seq=fact.seq, at=fact.at, id=said_id, role="agent", text=text, interrupted=interrupted)
        case SessionStarted(proof=proof, reason=reason):
            away = None if visited_at is None else fact.at - visited_at
            return Visit(seq=fact.seq, at=fact.at, session_id=fact.session_id, proof=proof, reason=reason, away=away)
        case event:
            return _note(fact, event, template)


def _note(fact: Fact, event: AnyEvent, template: Template) -> Note | None:
    match event:
        case FieldCaptured(field=field, value=given, by=by):
            label = {"said": "Understood", "corrected": "Corrected", "remembered": "Carried over"}[by]
            return _noted(fact, "captured", label, words.plain(field), words.value(given))
        case FieldSkipped(field=field):
            return _noted(fact, "skipped", "Skipped", words.plain(field))
        case GoalProposed(goal_id=goal_id):
            return _noted(fact, "proposed", "Read out for a yes", _called(goal_id, template))
        case GoalConfirmed(goal_id=goal_id):
            return _noted(fact, "proposed", "Said yes to", _called(goal_id, template))
        case GoalBlocked(goal_id=goal_id, fields=fields):
            about = ", ".join(words.plain(field) for field in fields)
            return _noted(fact, "blocked", "Does not go together", _called(goal_id, template), about)
        case GoalCommitted(goal_id=goal_id, revision=revision):
            return _noted(fact, "committed", "Committed", _called(goal_id, template), f"revision {revision}")
        case ContextAdded(context=context, source=source):
            whose = "your server" if source == "server" else "the page"
            return _noted(fact, "context", f"Context from {whose}", ", ".join(context))
        case SessionEnded(cause=cause):
            return _noted(fact, "left", words.LEFT[cause])
        case MemoryForgotten():
            return _noted(fact, "skipped", "A line of memory was deleted")
        case ConversationEnded(ended_by=ended_by):
            return _noted(fact, "ended", "Ended by", words.ENDED_BY[ended_by])
        case ConversationExpired():
            return _noted(fact, "ended", "Expired", "nobody came")
        case ConversationFailed(reason=reason):
            return _noted(fact, "ended", "Could not be closed", reason)
        case _:
            return None


def _called(goal_id: str, template: Template) -> str:
    goal = template.goal(goal_id)
    return goal.label if goal else goal_id


def _noted(
    fact: Fact,
    what: Literal["captured", "skipped", "proposed", "blocked", "committed", "context", "left", "ended"],
    label: str,
    about: str = "",
    detail: str = "",
) -> Note:
    return Note(seq=fact.seq, at=fact.at, what=what, label=label, about=about, detail=detail)
