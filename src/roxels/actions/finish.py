"""Bring something to its end: a visit, a conversation, or one that time has overtaken."""

from collections.abc import Callable
from datetime import timedelta

from roxels.domain import conversation as decide
from roxels.domain import outputs, summary
from roxels.domain.conversation import Conversation, fold
from roxels.domain.errors import NotFound
from roxels.domain.events import AnyEvent, ConversationCompleted, ConversationExpired, SessionEnded
from roxels.domain.ids import derived
from roxels.domain.life import ABANDONED_AFTER, EndedBy, overdue
from roxels.storage import conversations, leases, log, sessions, templates
from roxels.storage.log import Append, Due, Stored
from roxels.storage.transaction import AcrossWriting, Writing


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
    stored = _own(tx, conversation_id)
    events = decide.end(stored.state, ended_by, stored.said_so_far)
    state = _add_ending(tx, stored, events)
    return complete(tx, conversation_id, state)


def complete_ended(tx: Writing, conversation_id: str) -> Conversation:
    """Complete a conversation that its agent has ended. Raises `NotFound`."""
    return complete(tx, conversation_id, _own(tx, conversation_id).state)


def complete(tx: Writing | AcrossWriting, conversation_id: str, state: Conversation) -> Conversation:
    """Give an ended conversation its summary and findings, and owe its end-of-session outputs; once, together."""
    if state.status != "processing":
        return state
    kept = templates.version(tx, state.template_id, state.template_version)
    if kept is None:
        raise NotFound
    made = ConversationCompleted(
        summary=summary.summary(kept.read(), state), findings=summary.findings(kept.read(), state)
    )
    facts = conversations.numbered(state, [made], at=tx.now, session_id=None)
    after = fold(facts, state)
    environment, subject = conversations.subject(tx, conversation_id)
    owed = outputs.owed_at_end(kept.read(), after, subject, tx.now)
    due = tuple(
        Due(
            id=derived("del", each.commit_id, str(place)),
            environment=environment,
            person_id=subject.person_id,
            owed=each,
        )
        for place, each in enumerate(owed)
    )
    append = Append(conversation_id=conversation_id, expected_seq=state.head, facts=facts, state=after, due=due)
    log.keep(tx, append)
    return after


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
    kept = templates.version(tx, state.template_id, state.template_version)
    if kept is None or state.created_at is None or state.last_activity_at is None:
        return None
    anonymous = all(session.proof == "anonymous" for session in state.sessions.values())
    fate = overdue(
        state.status,
        created_at=state.created_at,
        last_activity_at=state.last_activity_at,
        left_at=stored.left_at,
        resumable_for=None if anonymous else kept.read().resumable_for,
        now=tx.now,
        abandoned_after=abandoned_after,
    )
    if fate == "expired":
        return conversations.add(tx, conversation_id, state, None, [ConversationExpired()])
    if fate == "processing":
        state = _add_ending(tx, stored, decide.end(state, "abandoned", stored.said_so_far))
    return complete(tx, conversation_id, state)


def _add_ending(tx: Writing | AcrossWriting, stored: Stored, events: list[AnyEvent]) -> Conversation:
    if not events:
        return stored.state
    unfinished = stored.state.unfinished
    return conversations.add(
        tx, stored.id, stored.state, None, events, ended_utterance=unfinished.utterance_id if unfinished else None
    )


def _own(tx: Writing, conversation_id: str) -> Stored:
    stored = log.find(tx, conversation_id)
    if stored is None or stored.environment != tx.environment:
        raise NotFound
    return stored
