"""A conversation as an operator reads it: what was said, when somebody came and left, what was understood meanwhile.

One entry comes of one fact and none of it ever changes, so a page grows by appending the entries of newer facts.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from roxels.dashboard import words
from roxels.domain.events import (
    AdoptionUndone,
    AgentHeard,
    AgentSaid,
    AgentStarted,
    AnyEvent,
    ContextAdded,
    ConversationAdopted,
    ConversationEnded,
    ConversationExpired,
    ConversationFailed,
    ConversationOpened,
    Fact,
    FieldCaptured,
    FieldSkipped,
    GoalBlocked,
    GoalCommitted,
    GoalConfirmed,
    GoalProposed,
    MemoryForgotten,
    PersonSaid,
    Request,
    SessionEnded,
    SessionJoined,
    SessionStarted,
)
from roxels.domain.proof import Method
from roxels.domain.templates import Template

#: Characters of an answer that stand where it was heard no further.
HEARD_SHOWN = 40


#: Visits that are opened for somebody who comes later: by a link, or by the customer's server.
OPENED_FOR_THEM = ("link", "secret_key")


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was said."""

    kind: Literal["words"] = "words"
    seq: int
    at: datetime
    id: str
    role: Literal["agent", "user"]
    text: str
    interrupted: bool = False


#: The browser of a visit beside those of the visits before it; `untold` where it, or all of those, keep no cookie.
Browser = Literal["same", "earlier", "another", "untold"]


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody came. `away`: how long nothing had happened before; None at the first visit.

    `told` is the reason as the visitor was told it, where that is less than the whole truth.
    """

    kind: Literal["visit"] = "visit"
    seq: int
    at: datetime
    session_id: str | None
    proof: str
    reason: str
    told: str | None
    method: Method
    why: str
    browser: Browser
    away: timedelta | None


What = Literal["captured", "skipped", "proposed", "blocked", "committed", "context", "heard", "joined", "left", "ended"]


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """Something happened beside the words. `about` is what it concerns, `detail` the value or circumstance."""

    kind: Literal["note"] = "note"
    seq: int
    at: datetime
    what: What
    label: str
    about: str = ""
    detail: str = ""


Entry = Words | Visit | Note


def entries(
    facts: Sequence[Fact],
    template: Template,
    browsers: Mapping[str, str | None],
    *,
    after: int = 0,
    is_later: bool = False,
) -> list[Entry]:
    """The entries of the facts behind `after`; each sees what went before it.

    `browsers`: of each session. `is_later`: this person had talked about the template before.
    """
    made: list[Entry] = []
    past = _Past(browsers, is_later=is_later)
    for fact in facts:
        entry = _entry(fact, past, template)
        if entry is not None and fact.seq > after:
            made.append(entry)
        past.add(fact)
    return made


class _Past:
    """What went before an entry, as far as it is told in its light."""

    def __init__(self, browsers: Mapping[str, str | None], *, is_later: bool) -> None:
        self._browsers = browsers
        self.is_later = is_later
        #: It all happens to try a version out.
        self.is_trial = False
        self._seen: list[str] = []
        #: When anything last happened since the first visit; None before it.
        self.visited_at: datetime | None = None
        #: How each visit was opened.
        self.methods: dict[str, Method] = {}
        #: Finished answers, by id.
        self.said: dict[str, str] = {}

    def add(self, fact: Fact) -> None:
        """One more fact."""
        if isinstance(fact.event, ConversationOpened):
            self.is_trial = fact.event.trial
        if self.visited_at is not None or isinstance(fact.event, SessionStarted):
            self.visited_at = fact.at
        if isinstance(fact.event, AgentSaid):
            self.said[fact.event.utterance_id] = fact.event.text
        if isinstance(fact.event, SessionStarted):
            self.methods[fact.session_id or ""] = fact.event.method
        browser = self._browsers.get(fact.session_id or "")
        if browser is not None and (isinstance(fact.event, SessionJoined) or self._has_come(fact)):
            self._seen.append(browser)

    def is_awaited(self, fact: Fact) -> bool:
        """Whether somebody may still come into a visit that was opened for them."""
        return self.methods.get(fact.session_id or "") in OPENED_FOR_THEM

    def _has_come(self, fact: Fact) -> bool:
        return isinstance(fact.event, SessionStarted) and fact.event.method not in OPENED_FOR_THEM

    def browser(self, session_id: str | None) -> Browser:
        """That of this session, beside those before it."""
        browser = self._browsers.get(session_id or "")
        if browser is None or not self._seen:
            return "untold"
        if browser == self._seen[-1]:
            return "same"
        return "earlier" if browser in self._seen else "another"


def said_ids(entries: Iterable[Entry]) -> dict[str, int]:
    """Where each message stands, by its id."""
    return {entry.id: entry.seq for entry in entries if isinstance(entry, Words)}


def _entry(fact: Fact, past: _Past, template: Template) -> Entry | None:
    match fact.event:
        case PersonSaid(id=said_id, text=text):
            return Words(seq=fact.seq, at=fact.at, id=said_id, role="user", text=text)
        case AgentSaid(utterance_id=said_id, text=text, interrupted=interrupted):
            return Words(seq=fact.seq, at=fact.at, id=said_id, role="agent", text=text, interrupted=interrupted)
        case SessionStarted() as event:
            return _visit(fact, event, past, template)
        case SessionJoined():
            joined = words.BROWSERS[past.browser(fact.session_id)]
            return _noted(fact, "joined", "Somebody came in by it", joined) if past.is_awaited(fact) else None
        case AgentHeard(utterance_id=said_id, chars=chars):
            text = past.said.get(said_id, "")
            heard = f"…{text[max(0, chars - HEARD_SHOWN) : chars]}"
            return _noted(fact, "heard", "Heard as far as", heard) if chars < len(text) else None
        case event:
            return _note(fact, event, template)


def _visit(fact: Fact, event: SessionStarted, past: _Past, template: Template) -> Visit:
    reason = event.judged or event.reason
    return Visit(
        seq=fact.seq,
        at=fact.at,
        session_id=fact.session_id,
        proof=event.proof,
        reason=reason,
        method=event.method,
        told=event.reason if event.judged and event.judged != event.reason else None,
        why=words.why(reason, event.proof, template, is_later=past.is_later, is_trial=past.is_trial),
        browser=past.browser(fact.session_id),
        away=None if past.visited_at is None else fact.at - past.visited_at,
    )


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
        case AgentStarted(request=Request(fault=failed)) if failed:
            why = words.MODEL_FAULTS.get(failed, failed)
            return _noted(fact, "blocked", "The scripted speaker stands in for the model:", why)
        case SessionEnded(cause=cause):
            return _noted(fact, "left", words.LEFT[cause])
        case ConversationAdopted(proof=proof):
            return _noted(fact, "context", "Adopted", words.ADOPTED.get(proof, proof))
        case AdoptionUndone():
            return _noted(fact, "context", "The adoption was undone")
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
    what: What,
    label: str,
    about: str = "",
    detail: str = "",
) -> Note:
    return Note(seq=fact.seq, at=fact.at, what=what, label=label, about=about, detail=detail)
