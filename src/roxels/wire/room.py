"""Who is in a conversation, and the agent's turns in it: what people and their connections do to one that is awake.

A participant never waits for the agent. Words are kept as they come; the answer is begun upon them at once, while they
are still being kept, and goes on in a task of its own.

    _begun    the answer that was begun upon words which were just being kept, until `_turn` takes it over
    _turn     the task that plays turns while somebody listens and a reply is owed or an answer is unfinished
    _heard    set while somebody listens; what a model writes meanwhile waits (see `wire.pump`)
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from datetime import datetime, timedelta
from typing import Any

import msgspec

from roxels.actions.finish import complete_ended, end_visit
from roxels.actions.hear import hear
from roxels.actions.recollect import recollect
from roxels.agent.ports import Scene, Signal
from roxels.agent.turn import turn
from roxels.domain import conversation as decide
from roxels.domain import goals
from roxels.domain.conversation import Conversation, GoalEvent, GoalState, fold
from roxels.domain.errors import Conflict, Invalid, RoxelsError, Unauthorized
from roxels.domain.events import (
    AgentHeard,
    AnyEvent,
    FieldCaptured,
    PersonSaid,
)
from roxels.domain.memory import Memory
from roxels.domain.proof import Proof
from roxels.domain.templates import Template
from roxels.storage import log
from roxels.storage.log import Behind, Gone, Superseded
from roxels.storage.sessions import Visit
from roxels.understanding import fault
from roxels.wire.awake import Awake, Ports, utterance_of
from roxels.wire.bell import Bell
from roxels.wire.link import Link
from roxels.wire.protocol import Bye, SignalFrame
from roxels.wire.pump import Ahead, Share, either

logger = logging.getLogger(__name__)

#: Said to whoever comes with a session whose proof has run out.
RUN_OUT = "What this session proved has run out; open a new one."


class Overtaken(Exception):
    """The participant spoke, or the conversation ended, while a turn was being played."""

    code = "overtaken"


#: What decides what a visit may see of the past.
Eyes = tuple[str, Proof, str | None]
#: What a turn builds on: where the talk stands, and what was found out in it.
Basis = tuple[tuple[str | None, int, bool], Mapping[str, GoalState]]


class Begun(msgspec.Struct, frozen=True):
    """An answer of which the first share may be kept already; the rest fits while the basis is the same."""

    basis: Basis
    steps: Ahead
    session_id: str | None


class Room(Awake):
    """A conversation that somebody attends."""

    def __init__(self, visit: Visit, stored: log.Stored, template: Template, ports: Ports) -> None:
        super().__init__(visit, stored, template, ports)
        self._memories: dict[Eyes, Memory] = {}
        self._turn: asyncio.Task[None] | None = None
        self._begun: Begun | None = None
        self._heard = Bell()
        #: The answer that is being played.
        self._answering: Ahead | None = None
        #: The task does nothing but let time pass.
        self._is_waiting = False

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
            self.play()
            return False
        await self.stop()
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
        return (self._answering or self._begun) is not None and is_wanted

    async def written(self) -> None:
        """Wait until the answer under way is written, or somebody listens again."""
        if self._turn is not None:
            await either(self._turn, self._heard)

    async def stop(self) -> None:
        """Stop speaking, between two steps."""
        await self._stop_turn()
        await self._drop_begun()

    # what a participant does

    async def hear(self, visit: Visit, message_id: str, text: str) -> int:
        """Keep the participant's words, once per `message_id`; an answer under way ends. Says their place in the log.

        Raises `Conflict` when the conversation is over.
        """
        message = PersonSaid(id=message_id, text=text)

        def decision(state: Conversation) -> Sequence[AnyEvent]:
            return [] if self.epoch is None else decide.hear(state, message, self.said)

        await self.record(visit.session_id, decision, self._keep_answered)
        if message_id not in self.state.said:  # another process speaks, and may be further than was read here
            async with self.lock:
                await self._ports.store.write(self.environment, hear, self.id, visit.session_id, message)
                await self.read_on()
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

    async def read_on(self) -> None:
        """Take over what others wrote; what is remembered of other conversations may have changed with it."""
        self._memories.clear()
        await super().read_on()

    async def catch_up(self) -> None:
        """Somebody else wrote (an action, another process): read on. An answer that it does not concern goes on."""
        async with self.lock:
            before = self._basis
            await self.read_on()
        if self._answering is None or self._basis != before:
            await self._restart_turn()

    # speaking

    def play(self) -> None:
        """See that turns are played while somebody listens."""
        if self._turn is None or self._turn.done():
            self._turn = asyncio.create_task(self._play(), name=f"turn of {self.id}")

    async def _restart_turn(self) -> None:
        await self._stop_turn()
        if self.links or self._begun:
            self.play()

    async def _stop_turn(self) -> None:
        """Stop between two steps: never in the middle of keeping one."""
        async with self.lock:
            task, self._turn = self._turn, None
            if task is not None:
                task.cancel()
        if task is not None and not self._is_waiting:
            await asyncio.gather(task, return_exceptions=True)

    async def _play(self) -> None:
        """Play what is due, one thing after the other, until nothing is left to wait for."""
        faults, is_behind = 0, False
        while (self.links or self._begun) and self.state.is_open:
            try:
                if is_behind:
                    async with self.lock:
                        await self.read_on()
                    is_behind = False
                if not await (self._only_listen() if self.epoch is None else self._play_next()):
                    return
                faults = 0
            except Overtaken:
                continue
            except Behind:
                is_behind = True
            except Superseded:
                self.epoch, is_behind = None, True
            except Gone:
                return
            except Exception:
                logger.exception("A turn failed and is played again.", extra={"action": "turn_failed"})
                faults += 1
                is_behind = True  # what was being kept may be kept, whatever the database said
                await self._ports.clock.sleep(min(2.0**faults, 30.0))
        if self.state.status == "processing":
            await self._ports.store.write(self.environment, complete_ended, self.id)

    async def _play_next(self) -> bool:
        """Do the one thing that is due now, or wait for it; False when nothing can become due by itself."""
        begun = await self._take_begun()
        if begun is not None:
            await self._play_steps(begun.steps, begun.session_id)
            return True
        if not self.links:
            return False
        visit = self._visit_over_time()
        if visit is not None and (visit.expires_at <= self._ports.clock.now() or self._has_ended(visit)):
            await self._end_visit(visit)
            return True
        if self.state.unfinished is None and visit is not None:
            await self._play_turn(await self._scene(time_is_up=True))
            await self._end_visit(visit)
            return True
        if self._is_owing:
            await self._play_turn(await self._scene())
            return True
        left = self._seconds_left()
        if self.state.nudged or self.state.asked is None or left is None or left <= self._ports.nudge_after:
            return await self._wait(left)
        await self._wait(self._ports.nudge_after)
        if self._visit_over_time() is None:
            await self._play_turn(await self._scene(silence=True))
        return True

    async def _only_listen(self) -> bool:
        """What is due where another process speaks: time goes by here too. False as in `_play_next`."""
        await self._drop_begun()
        visit = self._visit_over_time()
        if visit is not None:
            await self._end_visit(visit)
            return True
        return await self._wait(self._seconds_left())

    async def _wait(self, seconds: float | None) -> bool:
        """Let time pass; at once False where nothing can become due."""
        if seconds is None:
            return False
        self._is_waiting = True
        try:
            await self._ports.clock.sleep(seconds)
        finally:
            self._is_waiting = False
        return True

    async def _play_turn(self, scene: Scene) -> None:
        await self._play_steps(self._ahead(scene), scene.session_id)

    async def _play_steps(self, ahead: Ahead, session_id: str | None) -> None:
        self._answering = ahead
        try:
            async with aclosing(ahead) as steps:
                await self._keep_all(steps, session_id)
        finally:
            if self._answering is ahead:
                self._answering = None

    async def _keep_answered(self, session_id: str | None, words: Sequence[AnyEvent]) -> None:
        """Keep a participant's words. A model is asked meanwhile, and what a script answers at once is kept with them.

        Whatever is wrong with the answer, the words are kept.
        """
        await self._drop_begun()
        ahead = self._begin(session_id, words)
        if ahead is None:
            await self.keep(session_id, words)
            return
        try:
            share = await ahead.at_hand() or Share()
            await self.keep(session_id, (*words, *share.events), share.piece)
            if self._is_owing:
                self._begun = Begun(self._basis, ahead, session_id)
        except RoxelsError:
            raise
        except Exception:
            logger.exception("An answer could not be kept; it is begun again.", extra={"action": "turn_failed"})
            await self.keep(session_id, words)
        finally:
            if self._begun is None:
                await ahead.aclose()

    def _begin(self, session_id: str | None, words: Sequence[AnyEvent]) -> Ahead | None:
        """The answer to words that are about to be kept, as far as it can be begun without reading anything first."""
        visit = next((visit for visit in self.links.values() if visit.session_id == session_id), None)
        memory = self._memories.get(_eyes(visit)) if visit else None
        if self.epoch is None or visit is None or memory is None or self._visit_over_time():
            return None
        state = fold(self.numbered(session_id, words), self.state)
        return self._ahead(self._scene_of(state, "", visit, memory)) if state.owes_reply else None

    def _ahead(self, scene: Scene) -> Ahead:
        return Ahead(turn(scene, self._ports.speaker, self._ports.ids), self._heard)

    async def _take_begun(self) -> Begun | None:
        """The answer that was begun already, where it fits what has happened since."""
        if self._begun is not None and self._begun.basis != self._basis:
            await self._drop_begun()
        begun, self._begun = self._begun, None
        return begun

    async def _drop_begun(self) -> None:
        begun, self._begun = self._begun, None
        if begun is not None:
            await begun.steps.aclose()

    async def _keep_all(self, steps: Ahead, session_id: str | None) -> None:
        basis = self._basis
        async for step in steps:
            if isinstance(step, Signal):
                for link in self.links:
                    link.send(SignalFrame(kind=step.kind))
                continue
            async with self.lock:
                try:
                    await self._keep_upon(basis, session_id, step)
                except Behind:  # another process wrote, perhaps nothing that this answer is about
                    await self.read_on()
                    await self._keep_upon(basis, session_id, step)
                basis = self._basis

    async def _keep_upon(self, basis: Basis, session_id: str | None, share: Share) -> None:
        """Keep a share of an answer where what it builds on still stands. Raises `Overtaken` where it does not."""
        standing, known = basis
        if _standing(self.state) != standing:
            raise Overtaken
        if self.state.goals != known and any(isinstance(each, GoalEvent) for each in share.events):
            raise Overtaken  # the turn decided upon data that was corrected meanwhile
        await self.keep(session_id, share.events, share.piece)

    @property
    def _basis(self) -> Basis:
        return _standing(self.state), self.state.goals

    @property
    def _is_owing(self) -> bool:
        """Whether there is something to say that was not said yet."""
        return self.state.owes_reply or self.state.unfinished is not None

    async def _scene(self, *, silence: bool = False, time_is_up: bool = False) -> Scene:
        visit = self._speaking_visit()
        memory = await self._memory(visit)
        scene = self._scene_of(self.state, self.said, visit, memory)
        return msgspec.structs.replace(scene, silence=silence, time_is_up=time_is_up)

    def _scene_of(self, state: Conversation, said: str, visit: Visit, memory: Memory) -> Scene:
        return Scene(
            environment=self.environment,
            template=self.template,
            state=state,
            said_so_far=said,
            session_id=visit.session_id,
            external_id=self._subject.external_id,
            person_name=state.person_name,
            memory=memory,
            now=self._ports.clock.now(),
            timezone=visit.timezone,
            locale=visit.locale,
        )

    async def _memory(self, visit: Visit) -> Memory:
        """What this visit may use of the past; made once for all visits that see alike."""
        key = _eyes(visit)
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
        return next((visit for visit in self._attending() if self._ends_at(visit) <= now), None)

    def _attending(self) -> list[Visit]:
        """The visits that somebody listens in."""
        return [visit for link, visit in self.links.items() if link.state != "closed"]

    def _has_ended(self, visit: Visit) -> bool:
        """Whether it is over already, and only its listeners do not know yet."""
        session = self.state.sessions.get(visit.session_id)
        return session is not None and session.ended_at is not None

    def _ends_at(self, visit: Visit) -> datetime:
        minutes = self.template.max_session_minutes
        session = self.state.sessions.get(visit.session_id)
        if minutes is None or session is None or session.joined_at is None:
            return visit.expires_at
        return min(visit.expires_at, session.joined_at + timedelta(minutes=minutes))

    def _seconds_left(self) -> float | None:
        """How long until the time of a visit is up; None where nobody listens."""
        now = self._ports.clock.now()
        return min(((self._ends_at(visit) - now).total_seconds() for visit in self._attending()), default=None)

    async def _end_visit(self, visit: Visit) -> None:
        await self._ports.store.write(self.environment, end_visit, self.id, visit.session_id, "time")
        has_run_out = visit.expires_at <= self._ports.clock.now()
        for link in [link for link, each in self.links.items() if each.session_id == visit.session_id]:
            if has_run_out:
                del self.links[link]
                link.refuse(Unauthorized(RUN_OUT), fatal=True)  # whoever can prove it anew comes back
            else:
                link.part(Bye(code="time", retry_ms=None), 1000)


def _standing(state: Conversation) -> tuple[str | None, int, bool]:
    """Where the talk stands: while this stays the same, the next words of a turn fit."""
    return utterance_of(state), len(state.said), state.is_open


def _eyes(visit: Visit) -> Eyes:
    return visit.person_id, visit.proof, visit.browser
