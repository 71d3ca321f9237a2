"""A conversation that is awake in this process: what it knows of it, and the one way to add to it.

It keeps before it shows. Whatever is decided goes to the log first; only when the commit has returned does it become
part of `facts` and `said`, which is all that listeners can pull.

    lock      one decision at a time: read the state, decide, keep, fold
    epoch     set while this process is the conversation's speaker; without it, it only listens and hears
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec

from roxels.agent.ports import Speaker
from roxels.agent.turn import Piece
from roxels.domain import outputs
from roxels.domain.clock import Clock
from roxels.domain.conversation import Conversation, fold
from roxels.domain.errors import Unauthorized
from roxels.domain.events import AnyEvent, Fact
from roxels.domain.ids import Ids
from roxels.domain.occasions import Subject
from roxels.domain.proof import may_stay
from roxels.domain.resumption import Report, report
from roxels.domain.templates import Template
from roxels.storage import conversations, log
from roxels.storage.conversations import numbered
from roxels.storage.log import Append, Behind, Gone, Superseded
from roxels.storage.owing import Due
from roxels.storage.sessions import Visit
from roxels.storage.store import Store
from roxels.storage.transaction import Reading
from roxels.storage.wake import Stand
from roxels.wire.limits import Allowance
from roxels.wire.link import Link
from roxels.wire.protocol import event_text

Decision = Callable[[Conversation], Sequence[AnyEvent]]
Keep = Callable[[str | None, Sequence[AnyEvent]], Awaitable[None]]

#: Said to whoever may not be in a conversation any more.
ENDED = "This session was ended; open a new one."
#: So many messages are held for listeners that have not pulled them yet.
TEXTS = 64


class Ports(msgspec.Struct, frozen=True):
    """What every conversation needs from outside."""

    store: Store
    speaker: Speaker
    clock: Clock
    ids: Ids
    #: Seconds of silence after which the agent nudges once.
    nudge_after: float = 45.0
    #: None where messages are not counted.
    limits: Allowance | None = None


class Awake:
    """What is known of a conversation, durable to the last character, and who listens."""

    def __init__(self, visit: Visit, stored: log.Stored, template: Template, ports: Ports) -> None:
        self.id = stored.id
        self.environment = visit.environment
        self.template = template
        self.facts: list[Fact] = list(stored.facts)
        self.state = stored.state
        self.said = stored.said_so_far
        self._memory_changed_at = stored.memory_changed_at
        self.epoch: int | None = None
        self.links: dict[Link, Visit] = {}
        self.lock = asyncio.Lock()
        self._ports = ports
        self._subject = Subject(conversation_id=stored.id, person_id=stored.person_id, external_id=visit.external_id)
        #: The latest facts as messages, while several listeners wait for them.
        self._texts: dict[int, str | None] = {}

    @property
    def stand(self) -> Stand:
        """What is known here of where it stands."""
        return self.state.head, self._memory_changed_at

    # what links see

    def text_of(self, fact: Fact) -> str | None:
        """The fact as a text message, encoded once for all listeners."""
        if len(self.links) < 2:
            return event_text(fact)
        if fact.seq not in self._texts:
            if len(self._texts) >= TEXTS:
                self._texts.clear()
            self._texts[fact.seq] = event_text(fact)
        return self._texts[fact.seq]

    def report(self, visit: Visit) -> Report:
        """What this visit finds."""
        reason: Any = visit.reason
        return report(self.template, self.state, reason=reason, proof=visit.proof.name, said=len(self.said))

    # keeping

    async def record(self, session_id: str | None, decision: Decision, keep: Keep | None = None) -> None:
        """Keep what is decided upon the present state; where the log moved on meanwhile, read on and decide again.

        `keep`: how, where there is more to it than to keep these events.
        """
        keep = keep or self.keep
        async with self.lock:
            while events := decision(self.state):
                try:
                    await keep(session_id, events)
                except (Behind, Superseded) as refusal:
                    await self.follow(refusal)
                else:
                    return

    async def keep(self, session_id: str | None, events: Sequence[AnyEvent], piece: Piece | None = None) -> None:
        """Keep these in one transaction, and show them. For who holds the lock. Raises what refuses it."""
        words = log.Piece(piece.utterance_id, piece.start, piece.text) if piece else None
        append = self._words(words) if not events else self._facts(session_id, events, words)
        await self._ports.store.append(append)
        self._show(append)

    def _words(self, piece: log.Piece | None) -> Append:
        """Words alone change nothing but what is said: of all appends most are these."""
        return Append(conversation_id=self.id, expected_seq=self.state.head, epoch=self.epoch, piece=piece)

    def numbered(self, session_id: str | None, events: Sequence[AnyEvent]) -> tuple[Fact, ...]:
        """These events as the next facts."""
        return numbered(self.state, events, at=self._ports.clock.now(), session_id=session_id)

    def _facts(self, session_id: str | None, events: Sequence[AnyEvent], piece: log.Piece | None) -> Append:
        facts = self.numbered(session_id, events)
        after = fold(facts, self.state)
        unfinished = self.state.unfinished
        is_over = unfinished is not None and utterance_of(after) != unfinished.utterance_id
        return Append(
            conversation_id=self.id,
            expected_seq=self.state.head,
            before=self.state,
            epoch=self.epoch,
            facts=facts,
            state=after,
            piece=piece,
            ended_utterance=unfinished.utterance_id if unfinished and is_over else None,
            due=self._due(facts, after),
        )

    def _due(self, facts: Sequence[Fact], after: Conversation) -> tuple[Due, ...]:
        return tuple(
            Due(
                id=self._ports.ids.new("del"),
                environment=self.environment,
                person_id=self._subject.person_id,
                owed=owed,
            )
            for owed in outputs.owed(self.template, facts, after, self._subject)
        )

    def _show(self, kept: Append) -> None:
        """What is durable now may be seen."""
        words = kept.piece.text if kept.piece else ""
        if kept.state is None:
            self.said += words
            for link in self.links:
                link.notify()
            return
        is_same = utterance_of(kept.state) == utterance_of(self.state)
        self.facts += kept.facts
        self.state = kept.state
        self.said = self.said + words if is_same else words
        self._tell()

    async def follow(self, refusal: Behind | Superseded) -> None:
        """Somebody else wrote: read on. Where another process speaks now, this one only listens and hears."""
        if isinstance(refusal, Superseded):
            self.epoch = None
        await self.read_on()

    async def read_on(self) -> None:
        """Take over what others wrote. For who holds the lock. Raises `Gone`."""
        try:
            stored, subject = await self._ports.store.read(self.environment, self._read_since)
        except Gone:
            for link in list(self.links):
                link.refuse(Gone(), fatal=True)
            raise
        if subject.person_id != self._subject.person_id:
            self._send_away_all_but(subject.person_id)
        self._subject = subject
        self.facts += stored.facts
        self.state = stored.state
        self.said = stored.said_so_far
        self._memory_changed_at = stored.memory_changed_at
        self._tell()

    def _send_away_all_but(self, person_id: str) -> None:
        """It was adopted, or given back: whoever it is not with any more is not let in either (`Visit.may_stay`)."""
        for link, visit in list(self.links.items()):
            if visit.person_id != person_id:
                link.refuse(Unauthorized(ENDED), fatal=True)

    def _tell(self) -> None:
        """Something is new; whoever may not be here any more is sent away before it is seen."""
        for link, visit in list(self.links.items()):
            session = self.state.sessions.get(visit.session_id)
            if (session is not None and session.revoked) or not may_stay(visit.proof, self.state.top_proof):
                link.refuse(Unauthorized(ENDED), fatal=True)
            else:
                link.notify()

    def _read_since(self, tx: Reading) -> tuple[log.Stored, Subject]:
        # Whose it is, too: an adoption changes that.
        return log.read(tx, self.id, since=self.state), conversations.subject(tx, self.id)[1]


def utterance_of(state: Conversation) -> str | None:
    """The answer under way."""
    return state.unfinished.utterance_id if state.unfinished else None
