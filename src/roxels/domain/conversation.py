"""A conversation: the fold of its facts, and the decisions that return new ones.

    fold(facts) is the state. A decision is (state, what is wanted) -> events, never a change of state: whoever keeps
    the events (one transaction, at the state's `head`) folds them like anyone else. If the log moved on meanwhile, the
    writer answers `Behind`, the caller reads on, folds and decides again.

The fold works on a mutable draft, so that a thousand facts cost a thousand small steps; what it hands out is frozen.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final, Literal, assert_never

import msgspec

from roxels.domain.errors import Conflict
from roxels.domain.events import (
    AdoptionUndone,
    AgentHeard,
    AgentPlanned,
    AgentSaid,
    AgentStarted,
    AnyEvent,
    Ask,
    ContextAdded,
    ConversationAdopted,
    ConversationCompleted,
    ConversationEnded,
    ConversationExpired,
    ConversationFailed,
    ConversationOpened,
    Fact,
    FieldCaptured,
    FieldSkipped,
    GoalActivated,
    GoalBlocked,
    GoalCommitted,
    GoalConfirmed,
    GoalProposed,
    MemoryForgotten,
    PersonNamed,
    PersonSaid,
    Request,
    SessionEnded,
    SessionJoined,
    SessionStarted,
)
from roxels.domain.life import OPEN, EndedBy, Status
from roxels.domain.proof import Proof

#: A participant who was away for longer is greeted again, once.
GREET_AFTER = timedelta(minutes=10)

#: What happens to one goal.
GoalEvent = FieldCaptured | FieldSkipped | GoalActivated | GoalProposed | GoalConfirmed | GoalBlocked | GoalCommitted
GoalStatus = Literal["open", "active", "proposed", "committed"]


class Message(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One finished message of the transcript."""

    id: str
    seq: int
    role: Literal["agent", "user"]
    text: str
    at: datetime
    session_id: str | None
    heard: int | None = None
    interrupted: bool = False


class Unfinished(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that has begun and not ended. How much of it was said stands in its pieces, not in the facts."""

    utterance_id: str
    seq: int
    at: datetime
    session_id: str | None
    speaker: str
    plan: str | None
    ends: EndedBy | None
    request: Request | None = None


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Where a captured value came from: its fact, the words, and how sure that visit was of its person."""

    seq: int
    at: datetime
    said_id: str | None
    proof: str


class GoalState(msgspec.Struct, frozen=True, kw_only=True):
    """Where one goal stands. `data` is what is known now; the other four are what it was when that happened last."""

    data: dict[str, Any] = {}
    #: Of each value in `data`.
    sources: dict[str, Source] = {}
    skipped: frozenset[str] = frozenset()
    #: Areas that were asked about, and something was said then.
    probed: frozenset[str] = frozenset()
    revision: int = 0
    commit_id: str | None = None
    committed_data: dict[str, Any] | None = None
    proposed_data: dict[str, Any] | None = None
    confirmed_data: dict[str, Any] | None = None
    #: It broke rules of the template, and the participant was asked about it.
    blocked_data: dict[str, Any] | None = None
    #: The place of the last proposal in the log: only words after it can say yes to it.
    proposed_seq: int = 0

    @property
    def is_proposed(self) -> bool:
        """Whether what is known now was read out and waits for a yes."""
        waits = self.proposed_data is not None and self.proposed_data != self.confirmed_data
        return waits and self.data == self.proposed_data != self.committed_data


class SessionState(msgspec.Struct, frozen=True, kw_only=True):
    """One visit."""

    id: str
    proof: str
    method: str
    device: bool
    reason: str
    started_at: datetime
    #: When somebody first said hello in it.
    joined_at: datetime | None = None
    ended_at: datetime | None = None
    #: It was ended from outside: its token opens nothing, and who listens by it is sent away.
    revoked: bool = False


class Conversation(msgspec.Struct, frozen=True, kw_only=True):
    """What all facts up to `head` add up to."""

    head: int = 0
    status: Status = "created"
    ended_by: EndedBy | None = None
    template_id: str = ""
    template_version: int = 0
    #: It tries that version out: no later visit goes on with it.
    is_trial: bool = False
    created_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    last_activity_at: datetime | None = None
    #: Since when it is adopted, and on what grounds.
    adopted_at: datetime | None = None
    adopted_by_proof: str | None = None
    #: Its adoption speaks for all that was said: on verified grounds, and nobody unverified spoke since.
    is_vouched: bool = False
    #: When somebody was last here: a hello, or words of either side.
    seen_at: datetime | None = None
    #: How long the participant was away, where that is worth a word and none has been said yet.
    returned_after: timedelta | None = None
    transcript: tuple[Message, ...] = ()
    goals: dict[str, GoalState] = {}
    active: str | None = None
    asked: Ask | None = None
    unfinished: Unfinished | None = None
    server_context: dict[str, Any] = {}
    browser_context: dict[str, Any] = {}
    person_name: str | None = None
    sessions: dict[str, SessionState] = {}
    #: The silence after the participant's last words was broken once already.
    nudged: bool = False
    #: The participant spoke, or has just come, and the agent has not begun to answer.
    owes_reply: bool = False
    #: Ids of the participant's messages with their place, so that a resent one is said once.
    said: dict[str, int] = {}
    #: Why it has failed.
    failure: str | None = None
    summary: str | None = None
    findings: tuple[dict[str, Any], ...] = ()
    #: What later conversations are not told: ids of messages, and (goal, field).
    forgotten: frozenset[str | tuple[str, str]] = frozenset()

    @property
    def is_open(self) -> bool:
        """Whether anything can still be said."""
        return self.status in OPEN

    @property
    def top_proof(self) -> Proof:
        """The highest proof that any of its sessions had; it never falls."""
        return max((Proof[session.proof] for session in self.sessions.values()), default=Proof.anonymous)

    @property
    def is_proven(self) -> bool:
        """Whether it is closed to claims: a session was verified, or opened by a server, whose context stands here."""
        return any(
            session.proof == Proof.verified.name or session.method == "secret_key" for session in self.sessions.values()
        )

    @property
    def last_words(self) -> Message | None:
        """The participant's latest message."""
        return next((message for message in reversed(self.transcript) if message.role == "user"), None)

    def goal(self, goal_id: str) -> GoalState:
        """Where that goal stands; a goal that nothing happened to is open and empty."""
        return self.goals.get(goal_id) or GoalState()

    def goal_status(self, goal_id: str) -> GoalStatus:
        """`proposed` while a yes is waited for, `committed` once a revision stands, `active` while the agent is after
        it, else `open`."""
        if self.goal(goal_id).is_proposed:
            return "proposed"
        if self.goal(goal_id).revision:
            return "committed"
        return "active" if self.active == goal_id else "open"

    def proof_of(self, session_id: str | None) -> str:
        """The proof of the session whose doing something was."""
        session = self.sessions.get(session_id or "")
        return session.proof if session else "anonymous"


EMPTY = Conversation()

#: Kinds of events, put together once: each fact is asked for them.
_LINKS: Final = (ConversationAdopted, AdoptionUndone)
_SOMEBODYS: Final = (PersonSaid, FieldCaptured, ContextAdded, PersonNamed)


def fold(facts: Iterable[Fact], state: Conversation = EMPTY) -> Conversation:
    """The state after these facts; they follow `state.head` without a gap."""
    draft = _Draft(state)
    for fact in facts:
        draft.apply(fact)
    return draft.frozen() if draft.values else state


class _Values(dict[str, Any]):
    """What has changed; the rest is read from the state before."""

    def __init__(self, state: Conversation) -> None:
        super().__init__()
        self._state = state

    def __missing__(self, name: str) -> Any:
        return getattr(self._state, name)


class _Draft:
    """A conversation in the making: the same names as `Conversation`, in mutable containers."""

    def __init__(self, state: Conversation) -> None:
        self.state = state
        self.values = _Values(state)
        self.transcript = list(state.transcript)
        self.goals = dict(state.goals)
        self.sessions = dict(state.sessions)
        self.said = dict(state.said)

    def frozen(self) -> Conversation:
        return msgspec.structs.replace(
            self.state,
            **self.values,
            transcript=tuple(self.transcript),
            goals=self.goals,
            sessions=self.sessions,
            said=self.said,
        )

    def apply(self, fact: Fact) -> None:
        self.values["head"] = fact.seq
        if isinstance(fact.event, MemoryForgotten):
            line = fact.event.said_id or (fact.event.goal_id, fact.event.field)
            self.values["forgotten"] |= {line}  # about what was said, and no activity
            return
        if isinstance(fact.event, _LINKS):
            self._adopt(fact, fact.event)  # a link, and no activity
            return
        self.values["last_activity_at"] = fact.at
        if isinstance(fact.event, _SOMEBODYS):
            self._doubt(fact)
        match fact.event:
            case AgentPlanned():
                self._plan(fact.event)
            case PersonSaid() | AgentStarted() | AgentSaid() | AgentHeard() as event:
                self._apply_talk(fact, event)
                self.values["seen_at"] = fact.at
            case (
                FieldCaptured()
                | FieldSkipped()
                | GoalActivated()
                | GoalProposed()
                | GoalConfirmed()
                | GoalBlocked()
                | GoalCommitted()
            ) as event:
                self.goals[event.goal_id] = self._with(self.goals.get(event.goal_id) or GoalState(), fact, event)
            case SessionStarted() | SessionJoined() | SessionEnded() | PersonNamed() | ContextAdded() as event:
                self._apply_visit(fact, event)
            case (
                ConversationOpened()
                | ConversationEnded()
                | ConversationExpired()
                | ConversationCompleted()
                | ConversationFailed()
            ) as event:
                self._apply_life(fact, event)
            case _:
                assert_never(fact.event)

    def _adopt(self, fact: Fact, event: ConversationAdopted | AdoptionUndone) -> None:
        match event:
            case ConversationAdopted():
                self.values |= {"adopted_at": fact.at, "adopted_by_proof": event.proof}
                self.values["is_vouched"] = Proof[event.proof] is Proof.verified
            case AdoptionUndone():
                self.values |= {"adopted_at": None, "adopted_by_proof": None, "is_vouched": False}
            case _:
                assert_never(event)

    def _doubt(self, fact: Fact) -> None:
        """What an unverified visit adds after the adoption is vouched for by nobody."""
        session = self.sessions.get(fact.session_id or "")
        if session is not None and Proof[session.proof] is not Proof.verified:
            self.values["is_vouched"] = False

    def _apply_talk(self, fact: Fact, event: PersonSaid | AgentStarted | AgentSaid | AgentHeard) -> None:
        match event:
            case PersonSaid():
                self._answer_probe(self.values["asked"])
                self.said[event.id] = fact.seq
                self._append(fact, event.id, "user", event.text)
                self.values |= {"owes_reply": True, "returned_after": None, "nudged": False}
            case AgentStarted():
                self.values |= {"owes_reply": False, "returned_after": None, "asked": event.asks}
                self.values["nudged"] = self.values["nudged"] or event.nudge
                self.values["unfinished"] = Unfinished(
                    utterance_id=event.utterance_id,
                    seq=fact.seq,
                    at=fact.at,
                    session_id=fact.session_id,
                    speaker=event.speaker,
                    plan=event.plan,
                    ends=event.ends,
                    request=event.request,
                )
            case AgentSaid():
                self.values["unfinished"] = None
                self._append(fact, event.utterance_id, "agent", event.text, event.interrupted)
            case AgentHeard():
                self._mark_heard(event)
            case _:
                assert_never(event)

    def _plan(self, event: AgentPlanned) -> None:
        if self.values["unfinished"] is not None:
            self.values["unfinished"] = msgspec.structs.replace(
                self.values["unfinished"], plan=event.plan, ends=event.ends
            )

    def _answer_probe(self, asked: Ask | None) -> None:
        """Whatever is said, an area that was asked about is not asked about again."""
        if asked is not None and asked.kind == "probe":
            goal = self.goals.get(asked.goal_id) or GoalState()
            self.goals[asked.goal_id] = msgspec.structs.replace(goal, probed=goal.probed | {str(asked.value)})

    def _append(
        self, fact: Fact, message_id: str, role: Literal["agent", "user"], text: str, interrupted: bool = False
    ) -> None:
        self.transcript.append(
            Message(
                id=message_id,
                seq=fact.seq,
                role=role,
                text=text,
                at=fact.at,
                session_id=fact.session_id,
                interrupted=interrupted,
            )
        )

    def _mark_heard(self, event: AgentHeard) -> None:
        for index in range(len(self.transcript) - 1, -1, -1):
            if self.transcript[index].id == event.utterance_id:
                self.transcript[index] = msgspec.structs.replace(self.transcript[index], heard=event.chars)
                return

    def _with(self, goal: GoalState, fact: Fact, event: GoalEvent) -> GoalState:
        """The goal after this event."""
        match event:
            case FieldCaptured():
                if event.by == "corrected" and goal.is_proposed:
                    self.values["owes_reply"] = True  # what was read out is not what stands: it is read out again
                self.values["forgotten"] -= {(event.goal_id, event.field)}
                return msgspec.structs.replace(
                    goal,
                    data=goal.data | {event.field: event.value},
                    sources=goal.sources | {event.field: self._source(fact, event)},
                    skipped=goal.skipped - {event.field},
                )
            case FieldSkipped():
                return msgspec.structs.replace(goal, skipped=goal.skipped | {event.field})
            case GoalActivated():
                self.values["active"] = event.goal_id
                return goal
            case GoalProposed():
                return msgspec.structs.replace(goal, proposed_data=event.data, proposed_seq=fact.seq)
            case GoalConfirmed():
                return msgspec.structs.replace(goal, confirmed_data=goal.proposed_data)
            case GoalBlocked():
                return msgspec.structs.replace(goal, blocked_data=goal.data)
            case GoalCommitted():
                return msgspec.structs.replace(
                    goal, revision=event.revision, commit_id=event.commit_id, committed_data=event.data
                )
            case _:
                assert_never(event)

    def _source(self, fact: Fact, event: FieldCaptured) -> Source:
        session = self.sessions.get(fact.session_id or "")
        proof = session.proof if session else Proof.anonymous.name
        return Source(seq=fact.seq, at=fact.at, said_id=event.said_id, proof=proof)

    def _apply_visit(
        self, fact: Fact, event: SessionStarted | SessionJoined | SessionEnded | PersonNamed | ContextAdded
    ) -> None:
        match event:
            case SessionStarted():
                self._start_session(fact, event)
            case SessionJoined():
                self._join(fact)
                self.values["seen_at"] = fact.at
            case SessionEnded():
                session = self.sessions.get(fact.session_id or "")
                if session is not None:
                    self.sessions[session.id] = msgspec.structs.replace(
                        session, ended_at=fact.at, revoked=event.cause == "revoked"
                    )
            case PersonNamed():
                self.values["person_name"] = event.name
            case ContextAdded():
                key = f"{event.source}_context"
                self.values[key] = self.values[key] | event.context
            case _:
                assert_never(event)

    def _start_session(self, fact: Fact, event: SessionStarted) -> None:
        session_id = fact.session_id or ""
        self.sessions[session_id] = SessionState(
            id=session_id,
            proof=event.proof,
            method=event.method,
            device=event.device,
            reason=event.judged or event.reason,
            started_at=fact.at,
        )

    def _join(self, fact: Fact) -> None:
        session = self.sessions.get(fact.session_id or "")
        if session is not None:
            self.sessions[session.id] = msgspec.structs.replace(session, joined_at=fact.at)
        nothing_under_way = self.values["unfinished"] is None
        if self.values["status"] == "created":
            self.values |= {"status": "joined", "started_at": fact.at}
        away_since = self.values["seen_at"]
        if not self.transcript and nothing_under_way:
            self.values["owes_reply"] = True
        elif away_since is not None and fact.at - away_since >= GREET_AFTER and nothing_under_way:
            self.values |= {"owes_reply": True, "returned_after": fact.at - away_since}

    def _apply_life(
        self,
        fact: Fact,
        event: ConversationOpened
        | ConversationEnded
        | ConversationExpired
        | ConversationCompleted
        | ConversationFailed,
    ) -> None:
        match event:
            case ConversationOpened():
                self.values |= {
                    "template_id": event.template_id,
                    "template_version": event.template_version,
                    "is_trial": event.trial,
                    "created_at": fact.at,
                }
            case ConversationEnded():
                self.values |= {"status": "processing", "ended_by": event.ended_by, "ended_at": fact.at}
                self.values |= {"owes_reply": False, "unfinished": None, "asked": None}
            case ConversationExpired():
                self.values |= {"status": "expired", "ended_at": fact.at}
            case ConversationCompleted():
                self.values |= {"status": "completed", "summary": event.summary, "findings": tuple(event.findings)}
            case ConversationFailed():
                self.values |= {"status": "failed", "failure": event.reason}
            case _:
                assert_never(event)


# Decisions ----------------------------------------------------------------------------------------------------------


def hear(state: Conversation, message: PersonSaid, said_so_far: str) -> list[AnyEvent]:
    """What to keep when the participant speaks: an answer under way ends at its last sent character.

    Nothing, when this message was said already (a client resends until it is acknowledged). Raises `Conflict` when the
    conversation is over.
    """
    if message.id in state.said:
        return []
    if not state.is_open:
        raise Conflict("This conversation is over; start a new one.")
    return [*interrupted(state, said_so_far), message]


def interrupted(state: Conversation, said_so_far: str) -> list[AnyEvent]:
    """The end of an answer under way at what was said of it; nothing where none is."""
    if state.unfinished is None:
        return []
    return [AgentSaid(utterance_id=state.unfinished.utterance_id, text=said_so_far, interrupted=True)]


def end(state: Conversation, ended_by: EndedBy, said_so_far: str) -> list[AnyEvent]:
    """What ends a conversation that is still open."""
    if not state.is_open:
        return []
    return [*interrupted(state, said_so_far), ConversationEnded(ended_by=ended_by)]
