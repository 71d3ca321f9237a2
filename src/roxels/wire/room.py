"""One awake conversation: its state, its listeners, and the turn that is being played.

The room keeps before it shows. Whatever is decided (by a person's words, by the agent) goes to the log first; only when
the commit has returned does it become part of `facts` and `said`, which is all that listeners can pull.

    lock      one decision at a time: read the state, decide, keep, fold
    _turn     the task that plays turns while somebody listens and a reply is owed or an answer is unfinished
    _heard    set while somebody listens; what a model writes meanwhile waits (see `wire.pump`)
    epoch     set while this process is the conversation's speaker; without it the room only listens and hears
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from datetime import datetime, timedelta
from typing import Any

import msgspec

from roxels.actions.finish import complete_ended, end_visit
from roxels.actions.recollect import recollect
from roxels.agent.ports import Scene, Signal, Speaker
from roxels.agent.turn import turn
from roxels.domain import conversation as decide
from roxels.domain import goals, outputs
from roxels.domain.clock import Clock
from roxels.domain.conversation import Conversation, GoalEvent, GoalState, fold
from roxels.domain.errors import Conflict, Invalid, Unauthorized
from roxels.domain.events import (
    AgentHeard,
    AnyEvent,
    Fact,
    FieldCaptured,
    PersonSaid,
)
from roxels.domain.ids import Ids
from roxels.domain.memory import Memory
from roxels.domain.occasions import Subject
from roxels.domain.proof import Proof, may_stay
from roxels.domain.resumption import Report, report
from roxels.domain.templates import Template
from roxels.storage import log
from roxels.storage.conversations import numbered, subject
from roxels.storage.log import Append, Behind, Gone, Superseded
from roxels.storage.owing import Due
from roxels.storage.sessions import Visit
from roxels.storage.store import Store
from roxels.storage.transaction import Reading
from roxels.understanding import fault
from roxels.wire.bell import Bell
from roxels.wire.limits import Allowance
from roxels.wire.link import Link
from roxels.wire.protocol import Bye, SignalFrame, event_text
from roxels.wire.pump import Share, either, merged

logger = logging.getLogger(__name__)

Decision = Callable[[Conversation], Sequence[AnyEvent]]


class Ports(msgspec.Struct, frozen=True):
    """What every room needs from outside."""

    store: Store
    speaker: Speaker
    clock: Clock
    ids: Ids
    #: Seconds of silence after which the agent nudges once.
    nudge_after: float = 45.0
    #: None where messages are not counted.
    limits: Allowance | None = None


#: So many messages are held for listeners that have not pulled them yet.
TEXTS = 64


#: Said to whoever comes with a session whose proof has run out.
RUN_OUT = "What this session proved has run out; open a new one."


class Overtaken(Exception):
    """The participant spoke, or the conversation ended, while a turn was being played."""

    code = "overtaken"


class Room:
    """A conversation that somebody attends."""

    def __init__(self, visit: Visit, stored: log.Stored, template: Template, ports: Ports) -> None:
        self.id = stored.id
        self.template = template
        self.facts: list[Fact] = list(stored.facts)
        self.state = stored.state
        self.said = stored.said_so_far
        self.epoch: int | None = None
        self._memories: dict[tuple[str, Proof, str | None], Memory] = {}
        self.links: dict[Link, Visit] = {}
        self._subject = Subject(conversation_id=stored.id, person_id=stored.person_id, external_id=visit.external_id)
        self.environment = visit.environment
        self._ports = ports
        self._lock = asyncio.Lock()
        self._turn: asyncio.Task[None] | None = None
        self._heard = Bell()
        self._is_answering = False
        #: The task does nothing but let time pass.
        self._is_waiting = False
        #: The latest facts as messages, while several listeners wait for them.
        self._texts: dict[int, str | None] = {}

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

    # coming and going

    def enter(self, link: Link, visit: Visit) -> None:
        """One listener more; the agent goes on where it stopped."""
        self.links[link] = visit
        self._heard.set()
        self.play()

    async def leave(self, link: Link) -> bool:
        """One listener fewer; says whether the room may sleep. Without listeners nothing more is uttered."""
        self.links.pop(link, None)
        if self.links:
            return False
        self._heard.clear()
        if self.is_writing:
            return False
        await self._stop_turn()
        if self.links:  # somebody came while the turn was being stopped
            self.play()
            return False
        return True

    @property
    def is_writing(self) -> bool:
        """Whether a model is at an answer. It is read to its end, also where nobody is there to hear it; what is
        planned already can wait as it is."""
        unfinished = self.state.unfinished
        is_wanted = self.state.owes_reply if unfinished is None else unfinished.plan is None
        return self._is_answering and is_wanted

    async def written(self) -> None:
        """Wait until the answer under way is written, or somebody listens again."""
        if self._turn is not None:
            await either(self._turn, self._heard)

    async def stop(self) -> None:
        """Stop speaking, between two steps."""
        await self._stop_turn()

    # what a participant does

    async def hear(self, visit: Visit, message_id: str, text: str) -> int:
        """Keep the participant's words, once per `message_id`; an answer under way ends. Says their place in the log.

        Raises `Conflict` when the conversation is over.
        """
        message = PersonSaid(id=message_id, text=text)

        def decision(state: Conversation) -> Sequence[AnyEvent]:
            if not state.is_open and message_id not in state.said:
                raise Conflict("This conversation is over; start a new one.")
            if self.epoch is None:
                return [] if message_id in state.said else [message]
            return decide.hear(state, message, self.said)

        await self.record(visit.session_id, decision)
        await self._restart_turn()
        return self.state.said[message_id]

    async def correct(self, visit: Visit, goal_id: str, field: str, value: Any) -> None:
        """Put a captured value right; what that makes due is committed with it. Raises `Invalid`."""
        goal = self.template.goal(goal_id)
        known = goal.field(field) if goal else None
        if goal is None or known is None:
            raise Invalid("There is no such field in this conversation.", field="field" if goal else "goal_id")
        wrong = fault(known, value)
        if wrong is not None:
            raise Invalid(wrong, field="value")

        def decision(state: Conversation) -> Sequence[AnyEvent]:
            if not state.is_open:
                raise Conflict("This conversation is over; its data can no longer be changed here.")
            captured: list[AnyEvent] = [FieldCaptured(goal_id=goal_id, field=field, value=value, by="corrected")]
            after = goals.after(state, captured)
            proof = state.proof_of(visit.session_id)
            return captured + goals.commits(
                self.template, after, proof=proof, new_id=lambda: self._ports.ids.new("commit")
            )

        await self.record(visit.session_id, decision)
        if self.state.owes_reply:
            await self._restart_turn()

    async def mark_heard(self, visit: Visit, utterance_id: str, chars: int) -> None:
        """Keep how much of a finished answer reached the participant; less than before says nothing new."""

        def decision(state: Conversation) -> Sequence[AnyEvent]:
            message = next((each for each in state.transcript if each.id == utterance_id), None)
            if message is None or not (message.heard or 0) < chars <= len(message.text):
                return []
            return [AgentHeard(utterance_id=utterance_id, chars=chars)]

        await self.record(visit.session_id, decision)

    # keeping

    async def record(self, session_id: str | None, decision: Decision) -> None:
        """Keep what is decided upon the present state; where the log moved on meanwhile, read on and decide again."""
        async with self._lock:
            while True:
                events = decision(self.state)
                if not events:
                    return
                try:
                    await self._keep(session_id, events)
                except Behind:
                    await self._read_on()
                else:
                    return

    async def catch_up(self) -> None:
        """Somebody else wrote (an action, another process): read on. An answer that it does not concern goes on."""
        async with self._lock:
            before = self._basis
            await self._read_on()
        if not self._is_answering or self._basis != before:
            await self._restart_turn()

    async def _keep(self, session_id: str | None, events: Sequence[AnyEvent], piece: log.Piece | None = None) -> None:
        append = self._words(piece) if not events else self._facts(session_id, events, piece)
        await self._ports.store.append(append)
        self._show(append)

    def _words(self, piece: log.Piece | None) -> Append:
        """Words alone change nothing but what is said: of all appends most are these."""
        return Append(conversation_id=self.id, expected_seq=self.state.head, epoch=self.epoch, piece=piece)

    def _facts(self, session_id: str | None, events: Sequence[AnyEvent], piece: log.Piece | None) -> Append:
        facts = numbered(self.state, events, at=self._ports.clock.now(), session_id=session_id)
        after = fold(facts, self.state)
        unfinished = self.state.unfinished
        is_over = unfinished is not None and after.unfinished is None
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
        if kept.piece is not None:
            self.said += kept.piece.text
        if kept.state is None:
            for link in self.links:
                link.notify()
            return
        self.facts += kept.facts
        self.state = kept.state
        if self.state.unfinished is None:
            self.said = ""
        self._tell()

    async def _read_on(self) -> None:
        try:
            stored, self._subject = await self._ports.store.read(self.environment, self._read_since)
        except Gone:
            for link in list(self.links):
                link.refuse(Gone(), fatal=True)
            raise
        self.facts += stored.facts
        self.state = stored.state
        self.said = stored.said_so_far
        self._tell()

    def _tell(self) -> None:
        """Something is new; whoever may not be here any more is sent away before it is seen."""
        for link, visit in list(self.links.items()):
            session = self.state.sessions.get(visit.session_id)
            if (session is not None and session.revoked) or not may_stay(visit.proof, self.state.top_proof):
                link.refuse(Unauthorized("This session was ended; open a new one."), fatal=True)
            else:
                link.notify()

    def _read_since(self, tx: Reading) -> tuple[log.Stored, Subject]:
        return log.read(tx, self.id, since=self.state), subject(tx, self.id)[1]  # an adoption changes whose it is

    # speaking

    def play(self) -> None:
        """See that turns are played while somebody listens."""
        if self._turn is None or self._turn.done():
            self._turn = asyncio.create_task(self._play(), name=f"turn of {self.id}")

    async def _restart_turn(self) -> None:
        await self._stop_turn()
        if self.links:
            self.play()

    async def _stop_turn(self) -> None:
        """Stop between two steps: never in the middle of keeping one."""
        async with self._lock:
            task, self._turn = self._turn, None
            if task is not None:
                task.cancel()
        if task is not None and not self._is_waiting:
            await asyncio.gather(task, return_exceptions=True)

    async def _play(self) -> None:
        """Play what is due, one thing after the other, until nothing is left to wait for."""
        faults = 0
        while self.epoch is not None and self.links and self.state.is_open:
            try:
                if not await self._play_next():
                    return
                faults = 0
            except Overtaken:
                continue
            except (Behind, Superseded) as refusal:
                if isinstance(refusal, Superseded):
                    self.epoch = None
                async with self._lock:
                    await self._read_on()
            except Gone:
                return
            except Exception:
                logger.exception("A turn failed and is played again.", extra={"action": "turn_failed"})
                faults += 1
                await self._ports.clock.sleep(min(2.0**faults, 30.0))
        if self.state.status == "processing":
            await self._ports.store.write(self.environment, complete_ended, self.id)

    async def _play_next(self) -> bool:
        """Do the one thing that is due now, or wait for it; False when nothing can become due by itself."""
        visit = self._visit_over_time()
        if visit is not None and visit.expires_at <= self._ports.clock.now():
            await self._end_visit(visit)
            return True
        if self.state.unfinished is None and visit is not None:
            await self._play_turn(await self._scene(time_is_up=True))
            await self._end_visit(visit)
            return False
        if self.state.owes_reply or self.state.unfinished is not None:
            await self._play_turn(await self._scene())
            return True
        wait = self._wait_seconds()
        if wait is None:
            return False
        self._is_waiting = True
        try:
            await self._ports.clock.sleep(wait)
        finally:
            self._is_waiting = False
        if self._visit_over_time() is None:
            await self._play_turn(await self._scene(silence=True))
        return True

    async def _play_turn(self, scene: Scene) -> None:
        self._is_answering = True
        try:
            played = turn(scene, self._ports.speaker, self._ports.ids)
            async with aclosing(merged(played, self._heard)) as steps:
                await self._keep_all(steps, scene.session_id)
        finally:
            self._is_answering = False

    async def _keep_all(self, steps: AsyncIterator[Share | Signal], session_id: str | None) -> None:
        standing, known = self._basis
        async for step in steps:
            if isinstance(step, Signal):
                for link in self.links:
                    link.send(SignalFrame(kind=step.kind))
                continue
            async with self._lock:
                if _standing(self.state) != standing:
                    raise Overtaken
                if self.state.goals != known and any(isinstance(each, GoalEvent) for each in step.events):
                    raise Overtaken  # the turn decided upon data that was corrected meanwhile
                words = step.piece
                piece = log.Piece(words.utterance_id, words.start, words.text) if words else None
                await self._keep(session_id, step.events, piece)
                standing, known = self._basis

    @property
    def _basis(self) -> tuple[tuple[str | None, int, bool], Mapping[str, GoalState]]:
        """What a turn builds on."""
        return _standing(self.state), self.state.goals

    async def _scene(self, *, silence: bool = False, time_is_up: bool = False) -> Scene:
        visit = self._speaking_visit()
        memory = await self._memory(visit)
        return Scene(
            environment=self.environment,
            template=self.template,
            state=self.state,
            said_so_far=self.said,
            session_id=visit.session_id,
            external_id=self._subject.external_id,
            person_name=self.state.person_name,
            memory=memory,
            now=self._ports.clock.now(),
            timezone=visit.timezone,
            locale=visit.locale,
            silence=silence,
            time_is_up=time_is_up,
        )

    async def _memory(self, visit: Visit) -> Memory:
        """What this visit may use of the past; made once for all visits that see alike."""
        key = (visit.person_id, visit.proof, visit.browser)
        if key not in self._memories:
            self._memories[key] = await self._ports.store.read(
                self.environment, recollect, visit.person_id, visit, self.state.template_id
            )
        return self._memories[key]

    def _speaking_visit(self) -> Visit:
        """The visit whose words are answered; before any words, the newest."""
        words = self.state.last_words
        visits = list(self.links.values())
        return next((visit for visit in visits if words and visit.session_id == words.session_id), visits[-1])

    # time

    def _visit_over_time(self) -> Visit | None:
        """A visit whose time is up."""
        now = self._ports.clock.now()
        return next((visit for visit in self.links.values() if self._ends_at(visit) <= now), None)

    def _ends_at(self, visit: Visit) -> datetime:
        minutes = self.template.max_session_minutes
        session = self.state.sessions.get(visit.session_id)
        if minutes is None or session is None or session.joined_at is None:
            return visit.expires_at
        return min(visit.expires_at, session.joined_at + timedelta(minutes=minutes))

    def _wait_seconds(self) -> float | None:
        """How long to wait for something that time makes due; None where nothing is."""
        now = self._ports.clock.now()
        ends = [(self._ends_at(visit) - now).total_seconds() for visit in self.links.values()]
        nudge = [] if self.state.nudged or self.state.asked is None else [self._ports.nudge_after]
        return min(ends + nudge) if ends else None

    async def _end_visit(self, visit: Visit) -> None:
        await self._ports.store.write(self.environment, end_visit, self.id, visit.session_id, "time")
        has_run_out = visit.expires_at <= self._ports.clock.now()
        for link in [link for link, each in self.links.items() if each.session_id == visit.session_id]:
            if has_run_out:
                del self.links[link]
                link.refuse(Unauthorized(RUN_OUT), fatal=True)  # whoever can prove it anew comes back
            else:
                link.send(Bye(code="time", retry_ms=None))
                link.close(1000)


def _standing(state: Conversation) -> tuple[str | None, int, bool]:
    """Where the talk stands: while this stays the same, the next words of a turn fit."""
    return (state.unfinished.utterance_id if state.unfinished else None, len(state.said), state.is_open)
