"""All awake conversations of this process: who wakes them, who is let in, and when they sleep again.

Joining is always one path: take the conversation if it is free (else only listen), read, fold, and let the listener
pull everything after its place. A first visit, a dropped socket, a killed server, another tab: nothing differs.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any
from weakref import WeakValueDictionary

import msgspec

from roxels.actions import finish
from roxels.domain.conversation import Conversation
from roxels.domain.errors import NotFound, Unauthorized
from roxels.domain.events import AnyEvent, SessionJoined
from roxels.domain.templates import Template
from roxels.storage import leases, log, sessions, templates, wake
from roxels.storage.leases import Peers
from roxels.storage.sessions import Visit
from roxels.storage.transaction import Reading
from roxels.wire.awake import Ports
from roxels.wire.link import Link
from roxels.wire.protocol import DRAINING, Bye, ClientFrame, Leave, Rendered, Welcome
from roxels.wire.room import RUN_OUT, Room

logger = logging.getLogger(__name__)

#: Seconds between two looks at what other processes wrote, while there are any.
POLL = 0.1
#: Seconds until it is looked again after that failed.
AGAIN = 1.0


class Rooms:
    """The awake conversations."""

    def __init__(self, ports: Ports, processes: Peers) -> None:
        self.ports = ports
        self._processes = processes
        self._rooms: dict[str, asyncio.Task[Room]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        #: Who is about to be in a conversation, or does something in it without listening.
        self._coming: Counter[str] = Counter()
        #: A version never changes, so rooms share it while one of them is awake.
        self._templates: WeakValueDictionary[tuple[str, int], Template] = WeakValueDictionary()
        self.is_draining = False
        ports.store.wake.listen(self._hinted)

    @property
    def counts(self) -> dict[str, int]:
        """How many conversations are awake here, and how many connections listen."""
        awake = self._all()
        return {"conversations_awake": len(awake), "listeners": sum(len(room.links) for room in awake)}

    async def visit_of(self, token: str) -> Visit:
        """The live session that this token opens. Raises `Unauthorized`, the same for every reason."""
        visit = await self.ports.store.read_across(sessions.by_token, token)
        if visit is None or not visit.is_live(self.ports.clock.now()):
            raise Unauthorized("This session is over or was never opened; open a new one.")
        return visit

    def count(self, visit: Visit, frame: ClientFrame, address: str, size: int) -> None:
        """Count what a participant sends. Raises `RateLimited`; what is said again once it may is said once. And
        `Unauthorized` where what the session proved has run out meanwhile."""
        if visit.expires_at <= self.ports.clock.now():
            raise Unauthorized(RUN_OUT)
        if self.ports.limits is not None and not isinstance(frame, Leave):
            self.ports.limits.message(visit, address, size)

    async def enter(self, link: Link, visit: Visit, *, after: int, rendered: Rendered | None) -> Room:
        """Let a listener in: welcome, everything after its place, then live."""
        async with self.attended(visit) as room:
            link.open(min(after, room.state.head), rendered, head=room.state.head)
            link.send(
                Welcome(
                    resumption=room.report(visit),
                    head=room.state.head,
                    external_id=visit.external_id,
                    language=room.template.language,
                    settings=_settings(room.template),
                )
            )
            room.enter(link, visit)
            return room

    async def leave(self, link: Link, room: Room) -> None:
        """The listener is gone; a room without listeners sleeps, as soon as a model's answer is written to its end."""
        if await room.leave(link):
            await self._let_sleep(room)
        elif not room.links:
            self._beside(self._let_sleep_when_written(room))

    @asynccontextmanager
    async def attended(self, visit: Visit) -> AsyncIterator[Room]:
        """The room for one deed, e.g. to enter it. It does not sleep meanwhile, but afterwards, where nobody listens.

        That holds for whoever goes away in the middle too: a room that nobody is in would keep the conversation.
        """
        self._coming[visit.conversation_id] += 1
        room: Room | None = None
        try:
            room = await self._awake(visit)
            await self._mark_joined(room, visit)
            yield room
        finally:
            self._coming -= Counter([visit.conversation_id])  # which keeps none at 0
            if room is None or not room.links:
                await asyncio.shield(self._beside(self._let_sleep_if_left(visit.conversation_id)))

    async def hang_up(self, visit: Visit) -> None:
        """The participant ends the visit, and the conversation too where it cannot be resumed."""
        store = self.ports.store
        async with self.attended(visit) as room:
            if room.template.resumable_for is None:
                await store.write(visit.environment, finish.end_conversation, visit.conversation_id, "participant")
            await store.write(visit.environment, finish.end_visit, visit.conversation_id, visit.session_id, "hung_up")

    async def drain(self) -> None:
        """Say goodbye to everyone, with a time to come back, and stop speaking."""
        self.is_draining = True
        for room in self._all():
            for link in list(room.links):
                link.send(Bye(code="draining", retry_ms=500))
                link.close(DRAINING)
            await room.stop()
            await self._let_sleep(room, forced=True)

    async def watch_others(self) -> None:
        """While other processes are alive, look for what they wrote and for conversations that they left behind.

        Where they tell us what they wrote, this is for hints that were lost, and for speakers that died. A database
        that is away for a while is looked at again.
        """
        clock = self.ports.clock
        self._processes.exchange_hints(self.ports.store.wake)
        watched = _Watched(looked_at=clock.monotonic())
        while True:
            await clock.sleep(POLL)
            try:
                await self._watch(watched)
            except Exception:
                logger.exception("Looking at other processes failed; it is tried again.", extra={"action": "watch"})
                await clock.sleep(AGAIN)

    # within

    async def _watch(self, watched: "_Watched") -> None:
        if not self._rooms:
            return
        now = self.ports.clock.monotonic()
        others = set(await self.ports.store.run(self._processes.others))
        is_time = now - watched.looked_at >= self._processes.look_every
        if watched.others - others or (is_time and (others or any(room.epoch is None for room in self._all()))):
            watched.looked_at = now
            await self._look()
        watched.others = others

    async def _look(self) -> None:
        rooms = {room.id: room for room in self._all()}
        found = await self.ports.store.read_across(wake.stands, list(rooms))
        for conversation_id, room in rooms.items():
            only_listens = room.epoch is None
            if only_listens:
                await self._take(room)
            if only_listens or found.get(conversation_id) != room.stand:
                self._hinted(conversation_id)  # who has just taken over reads on, and then speaks on

    async def _take(self, room: Room) -> None:
        """Speak for it, if nobody else does any more. Nothing is decided before it was read how far they had come."""
        async with room.lock:
            epoch = await self.ports.store.write(room.environment, leases.take, room.id, self._processes)
            if epoch is None:
                return
            if room not in self._all():  # it fell asleep meanwhile
                await self.ports.store.write(room.environment, leases.release, room.id, epoch)
                return
            with suppress(NotFound):
                await room.read_on()
                room.epoch = epoch

    def _all(self) -> list[Room]:
        return [task.result() for task in list(self._rooms.values()) if task.done() and not task.exception()]

    async def _awake(self, visit: Visit) -> Room:
        """The room, woken once however many ask."""
        task = self._rooms.get(visit.conversation_id)
        if task is None:
            task = asyncio.create_task(self._wake(visit))
            self._rooms[visit.conversation_id] = task
        try:
            return await asyncio.shield(task)
        except Exception:
            if self._rooms.get(visit.conversation_id) is task:
                del self._rooms[visit.conversation_id]
            raise

    async def _wake(self, visit: Visit) -> Room:
        store = self.ports.store
        epoch = await store.write(visit.environment, leases.take, visit.conversation_id, self._processes)
        stored, template = await store.read(visit.environment, _read, visit.conversation_id)
        template = self._templates.setdefault((template.id, template.version), template)
        room = Room(visit, stored, template, self.ports)
        room.epoch = epoch
        return room

    async def _let_sleep(self, room: Room, *, forced: bool = False) -> None:
        task = self._rooms.get(room.id)
        if task is None or not task.done() or task.result() is not room:
            return
        if (room.links or room.id in self._coming or room.is_writing) and not forced:
            return
        del self._rooms[room.id]
        if room.epoch is not None:
            with suppress(NotFound):
                await self.ports.store.write(room.environment, leases.release, room.id, room.epoch)

    async def _let_sleep_if_left(self, conversation_id: str) -> None:
        task = self._rooms.get(conversation_id)
        with suppress(Exception):  # whoever woke it hears of that
            if task is not None:
                await self._let_sleep(await asyncio.shield(task))

    async def _let_sleep_when_written(self, room: Room) -> None:
        await room.written()
        await self._let_sleep(room)

    async def _mark_joined(self, room: Room, visit: Visit) -> None:
        def decision(state: Conversation) -> list[AnyEvent]:
            session = state.sessions.get(visit.session_id)
            return [SessionJoined()] if state.is_open and session and session.joined_at is None else []

        await room.record(visit.session_id, decision)

    def _hinted(self, conversation_id: str) -> None:
        task = self._rooms.get(conversation_id)
        if task is not None and task.done() and not task.exception():
            self._beside(_quietly(task.result()))

    def _beside(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


class _Watched(msgspec.Struct, kw_only=True):
    """Which other processes were alive, and when it was looked at what they wrote, by the monotonic clock."""

    others: set[str] = set()
    looked_at: float


async def _quietly(room: Room) -> None:
    with suppress(NotFound):
        await room.catch_up()


def _read(tx: Reading, conversation_id: str) -> tuple[log.Stored, Template]:
    stored = log.read(tx, conversation_id)
    kept = templates.version(tx, stored.state.template_id, stored.state.template_version)
    if kept is None:
        raise NotFound
    return stored, kept.read()


def _settings(template: Template) -> dict[str, object]:
    """What the page in the frame needs to know of the template."""
    return {
        "name": template.name,
        "notice": template.notice,
        "brand": {
            "color": template.brand.get("color") or template.launcher.get("color"),
            "logo": template.brand.get("logo"),
        },
        "auto_close": template.auto_close,
        "goals": [
            {
                "id": goal.id,
                "label": goal.label,
                "extraction_mode": goal.extraction_mode,
                "fields": [
                    {
                        "name": field.name,
                        "label": field.name.replace("_", " ").capitalize(),
                        "type": field.type,
                        "enum": field.enum,
                    }
                    for field in goal.fields
                ],
            }
            for goal in template.goals
        ],
    }
