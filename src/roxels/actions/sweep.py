"""What time alone brings about, once a minute: short transactions, one conversation each.

    it finds                                                and then (`domain.life` has the table)
    created, nothing happened for 24 h                      expired
    joined, nobody there for 10 min or the window           ended as abandoned, then completed
    processing for a minute: its process died in between    completed
    visits whose time is up                                 marked as ended

A conversation that somebody looks at in silence goes on, and stays for 10 min more when the last listener has left; one
whose server was killed stays for 10 min from when that was noticed.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from roxels.actions.finish import overtake
from roxels.domain.clock import Clock
from roxels.domain.errors import Conflict, NotFound
from roxels.domain.life import ABANDONED_AFTER, EXPIRES_AFTER, Status, overdue
from roxels.storage import idempotency, idle, templates
from roxels.storage.idle import Idle
from roxels.storage.pages import Cursor
from roxels.storage.store import Store
from roxels.storage.transaction import Across

logger = logging.getLogger(__name__)

EVERY = 60.0
#: Rows read, or visits ended, in one transaction.
PAGE = 500
#: How long the room that saw the end has to complete it by itself.
COMPLETED_WITHIN = timedelta(minutes=1)


class Sweeper:
    """Sweeps once a minute while `run` runs. Several processes may: a conversation moves only once."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        is_alive: Callable[[str], bool],
        *,
        abandoned_after: timedelta = ABANDONED_AFTER,
        page: int = PAGE,
    ) -> None:
        """`is_alive` says whether a process that shares the database lives (`storage.leases.Processes`)."""
        self._page_size = page
        self._store = store
        self._clock = clock
        self._is_alive = is_alive
        self._abandoned_after = abandoned_after
        #: Resumption windows by (template, version): versions never change.
        self._windows: dict[tuple[str, int], timedelta | None] = {}

    async def run(self) -> None:
        """Sweep until cancelled; the first time after a minute, when those whom a restart threw out are back."""
        while True:
            await self._clock.sleep(EVERY)
            try:
                await self.sweep()
            except Exception:
                logger.exception("A sweep was broken off; the next one goes on.", extra={"action": "sweep"})

    async def sweep(self) -> int:
        """Look at everything once; says how many conversations moved."""
        idle_for: dict[Status, timedelta] = {
            "created": EXPIRES_AFTER,
            "joined": self._abandoned_after,
            "processing": COMPLETED_WITHIN,
        }
        moved = 0
        for status, least in idle_for.items():
            moved += await self._sweep_status(status, least)
        while await self._store.write_across(idle.end_visits, limit=self._page_size) == self._page_size:
            pass
        await self._store.write_across(idempotency.sweep)
        if moved:
            logger.info("conversations that nobody attends were ended", extra={"action": "sweep", "count": moved})
        return moved

    async def _sweep_status(self, status: Status, least: timedelta) -> int:
        until = self._clock.now() - least
        after: Cursor | None = None
        moved = 0
        while True:
            found, overdue_ids = await self._store.read_across(self._page, status, until, after)
            for conversation_id in overdue_ids:
                moved += await self._overtake(conversation_id, status)
            if len(found) < self._page_size:
                return moved
            after = Cursor(found[-1].last_activity_at, found[-1].id)

    async def _overtake(self, conversation_id: str, status: Status) -> bool:
        try:
            state = await self._store.write_across(
                overtake, conversation_id, self._is_alive, abandoned_after=self._abandoned_after
            )
        except (NotFound, Conflict):
            return False  # erased, or somebody came: either way it is not overdue any more
        except Exception:
            fields = {"action": "sweep", "interview_id": conversation_id}
            logger.exception("A conversation could not be ended; the next sweep tries again.", extra=fields)
            return False
        return state is not None and state.status != status

    def _page(self, tx: Across, status: Status, until: datetime, after: Cursor | None) -> tuple[list[Idle], list[str]]:
        """A page of rows, and the ids of those that are overdue as far as rows can tell."""
        found = idle.conversations_since(tx, status, until, after=after, limit=self._page_size)
        return found, [each.id for each in found if self._looks_overdue(tx, each)]

    def _looks_overdue(self, tx: Across, each: Idle) -> bool:
        if each.status == "processing":
            return True
        if each.speaker is not None:
            return not self._is_alive(each.speaker)
        fate = overdue(
            each.status,
            created_at=each.created_at,
            last_activity_at=each.last_activity_at,
            left_at=each.left_at,
            resumable_for=None if each.is_fleeting else self._window(tx, each),
            now=tx.now,
            abandoned_after=self._abandoned_after,
        )
        return fate is not None

    def _window(self, tx: Across, each: Idle) -> timedelta | None:
        key = (each.template_id, each.template_version)
        if key not in self._windows:
            kept = templates.version(tx, *key)
            self._windows[key] = None if kept is None else kept.read().resumable_for
        return self._windows[key]
