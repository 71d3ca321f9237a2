"""Bring something to its end: a visit, a conversation, or one that time has overtaken.

A conversation that has ended is completed in one transaction: summary, findings, what its end owes. Where these cannot
be made, it has failed, visibly and with the reason: nothing in them changes by trying again, and it holds nobody up.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from roxels.domain import conversation as decide
from roxels.domain import outputs, summary
from roxels.domain.conversation import Conversation, fold
from roxels.domain.errors import NotFound
from roxels.domain.events import (
    AnyEvent,
    ConversationCompleted,
    ConversationExpired,
    ConversationFailed,
    Fact,
    SessionEnded,
)
from roxels.domain.ids import derived
from roxels.domain.life import ABANDONED_AFTER, EndedBy, overdue
from roxels.domain.lifecycle import of_end
from roxels.domain.occasions import Owed, Subject
from roxels.domain.templates import Template
from roxels.storage import conversations, leases, lifecycle, log, sessions, templates
from roxels.storage.log import Append, Stored
from roxels.storage.owing import Due
from roxels.storage.transaction import AcrossWriting, Writing

logger = logging.getLogger(__name__)


def end_visit(tx: Writing, conversation_id: str, session_id: str, cause: str) -> Conversation:
    """The visit is over: its token opens nothing any more. The conversation stays as it is."""
    sessions.end(tx, session_id)
    state = log.read(tx, conversation_id).state
    session = state.sessions.get(session_id)
    if session is None or session.ended_at is not None:
        return state
    match cause:
        case "hung_up" | "time" | "left" | "revoked":
            return conversations.add(tx, conversation_id, state, session_id, [SessionEnded(cause=cause)])
        case _:
            raise ValueError(f"no such cause of a visit's end: {cause}")


def end_conversation(tx: Writing, conversation_id: str, ended_by: EndedBy) -> Conversation:
    """Nothing more is said. An answer under way ends at its last sent character. Raises `NotFound`."""
    stored = log.own(tx, conversation_id)
    events = decide.end(stored.state, ended_by, stored.said_so_far)
    state = _add_ending(tx, stored, events)
    return complete(tx, conversation_id, state)


def complete_ended(tx: Writing, conversation_id: str) -> Conversation:
    """Complete a conversation that its agent has ended. Raises `NotFound`."""
    return complete(tx, conversation_id, log.own(tx, conversation_id).state)


def complete(tx: Writing | AcrossWriting, conversation_id: str, state: Conversation) -> Conversation:
    """Give an ended conversation its summary and findings, and owe its end-of-session outputs; once, together.

    Or say that it has failed.
    """
    if state.status != "processing":
        return state
    environment, subject = conversations.subject(tx, conversation_id)
    kept = templates.version(tx, state.template_id, state.template_version)
    if kept is None:
        raise NotFound
    try:
        facts, after, owed = _completed(kept.read(), state, subject, tx.now)
    except Exception as fault:
        logger.exception(
            "A conversation could not be completed; it has failed.",
            extra={"action": "complete", "interview_id": conversation_id},
        )
        failed = conversations.add(tx, conversation_id, state, None, [ConversationFailed(reason=_reason(fault))])
        lifecycle.tell(tx, environment, of_end(failed, subject, tx.now))
        return failed
    due = tuple(
        Due(
            id=derived("del", each.commit_id, str(place)),
            environment=environment,
            person_id=subject.person_id,
            owed=each,
        )
        for place, each in enumerate(owed)
    )
    append = Append(
        conversation_id=conversation_id, expected_seq=state.head, before=state, facts=facts, state=after, due=due
    )
    log.keep(tx, append)
    lifecycle.tell(tx, environment, of_end(after, subject, tx.now))
    return after


def _completed(
    template: Template, state: Conversation, subject: Subject, at: datetime
) -> tuple[tuple[Fact, ...], Conversation, list[Owed]]:
    """The fact of it, the conversation with that, and what it owes. Pure: it comes out the same however often."""
    made = ConversationCompleted(summary=summary.summary(template, state), findings=summary.findings(template, state))
    facts = conversations.numbered(state, [made], at=at, session_id=None)
    after = fold(facts, state)
    return facts, after, outputs.owed_at_end(template, after, subject, at)


def _reason(fault: Exception) -> str:
    """A fixed sentence and the kind of the fault: its text may hold what was said."""
    return f"Summary, findings or end-of-session outputs could not be made ({type(fault).__name__})."


def overtake(
    tx: AcrossWriting,
    conversation_id: str,
    is_alive: Callable[[str], bool],
    *,
    abandoned_after: timedelta = ABANDONED_AFTER,
) -> Conversation | None:
    """What time alone does to a conversation that nobody attends: it expires, or counts as abandoned.

    While it has a speaker, somebody listens, for a room lets go of it when the last listener leaves. A speaker whose
    process is dead (`is_alive` says) is let go here, as if its listeners had just left: they may be on the way back.
    Raises `NotFound` where it was erased meanwhile.
    """
    stored = log.read(tx, conversation_id)
    state = stored.state
    if state.is_open and stored.speaker is not None:
        if not is_alive(stored.speaker):
            leases.release(tx, conversation_id, stored.epoch)
        return None
    if state.status == "processing":
        return complete(tx, conversation_id, state)
    kept = templates.version(tx, state.template_id, state.template_version)
    if kept is None or state.created_at is None or state.last_activity_at is None:
        return None
    fate = overdue(
        state.status,
        created_at=state.created_at,
        last_activity_at=state.last_activity_at,
        left_at=stored.left_at,
        resumable_for=None if _is_fleeting(state) else kept.read().resumable_for,
        now=tx.now,
        abandoned_after=abandoned_after,
    )
    if fate == "expired":
        return conversations.add(tx, conversation_id, state, None, [ConversationExpired()])
    if fate is None:
        return state
    return complete(tx, conversation_id, _add_ending(tx, stored, decide.end(state, "abandoned", stored.said_so_far)))


def _is_fleeting(state: Conversation) -> bool:
    """Whether no later visit goes on with it, whatever its template says: it is nobody's, or a trial."""
    return state.is_trial or all(each.proof == "anonymous" for each in state.sessions.values())


def _add_ending(tx: Writing | AcrossWriting, stored: Stored, events: list[AnyEvent]) -> Conversation:
    if not events:
        return stored.state
    unfinished = stored.state.unfinished
    return conversations.add(
        tx, stored.id, stored.state, None, events, ended_utterance=unfinished.utterance_id if unfinished else None
    )
