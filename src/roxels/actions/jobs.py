"""Long work: erasing many at once, exporting a person. Written down first, then carried out; a crash only delays it.

Erasing many: first everybody is put out of reach and their rows go, one short transaction after the other; then one
sweep of the files serves them all; then the receipts. Names that were asked for stand in the database until their
erasure has begun, so a sweep follows even where none of them was known.
"""

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta

import msgspec

from roxels.actions import export, forget
from roxels.actions.eraser import Eraser
from roxels.actions.forget import ErasureRequest
from roxels.domain.clock import Clock
from roxels.domain.errors import NotFound
from roxels.domain.ids import Ids
from roxels.storage import erasures, jobs, persons
from roxels.storage.audit import Actor
from roxels.storage.erasures import Erasure
from roxels.storage.files import Exports
from roxels.storage.jobs import Item, Job, NamedBy
from roxels.storage.store import Store
from roxels.storage.transaction import Writing

logger = logging.getLogger(__name__)

#: Names that one job takes at most.
MOST = 1000
#: How long what has ended can be read, and an export be fetched.
KEPT = timedelta(hours=24)
#: Seconds after which work that failed is tried again, by the number of faults.
AGAIN = (1.0, 10.0, 60.0)


def begin_erasing(tx: Writing, targets: Sequence[tuple[NamedBy, str]], ids: Ids) -> Job:
    """Write down whom to erase; `Jobs.wake` carries it out."""
    of_persons = targets[0][0] != "interview"
    job = Job(
        id=ids.new("job"),
        environment=tx.environment,
        kind="erase_persons" if of_persons else "erase_interviews",
        status="running",
        done=0,
        total=len(targets),
        created_at=tx.now,
    )
    return jobs.begin(tx, job, targets)


def begin_export(tx: Writing, person_id: str, ids: Ids) -> Job:
    """Write down whose export is wanted; `Jobs.wake` makes it. Raises `NotFound`."""
    if persons.get(tx, person_id) is None:
        raise NotFound
    job = Job(
        id=ids.new("job"),
        environment=tx.environment,
        kind="export_person",
        status="running",
        done=0,
        total=export.STEPS,
        created_at=tx.now,
        person_id=person_id,
    )
    return jobs.begin(tx, job)


class Jobs:
    """Carries out what is written down, one job after the other."""

    def __init__(
        self, store: Store, ids: Ids, clock: Clock, eraser: Eraser, exports: Exports, opener: export.Opener
    ) -> None:
        self._store = store
        self._ids = ids
        self._clock = clock
        self._eraser = eraser
        self._opener = opener
        self.exports = exports
        self._work: asyncio.Task[None] | None = None
        self._again = False

    def wake(self) -> None:
        """There may be something to do; returns at once."""
        self._again = True
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._carry_out(), name="jobs")

    async def settle(self) -> None:
        """Wait until nothing is left to do."""
        if self._work is not None:
            await self._work

    async def close(self) -> None:
        """Stop; what is under way goes on at the next start."""
        if self._work is not None:
            self._work.cancel()
            await asyncio.gather(self._work, return_exceptions=True)

    async def tidy(self) -> None:
        """Forget jobs that ended a day ago, and with them the files of their exports."""
        await self._store.write_across(jobs.drop_old, self._clock.now() - KEPT)
        await self._eraser.sweep_exports()

    # within

    async def _carry_out(self) -> None:
        faults = 0
        while self._again:
            self._again = False
            if await self._carry_out_all():
                faults = 0
                continue
            self._again = True
            await self._clock.sleep(AGAIN[min(faults, len(AGAIN) - 1)])
            faults += 1

    async def _carry_out_all(self) -> bool:
        """Whether none was broken off."""
        is_well = True
        for job in await self._store.read_across(jobs.running):
            try:
                await self._carry_out_one(job)
            except Exception:
                fields = {"action": "job_failed", "job_id": job.id}
                logger.exception("A job was broken off; it goes on in a moment.", extra=fields)
                is_well = False
        return is_well

    async def _carry_out_one(self, job: Job) -> None:
        if job.kind == "export_person":
            await export.carry_out(self._store, job, self.exports, self._opener, self._ids.key(8).hex())
        else:
            await self._erase(job)

    async def _erase(self, job: Job) -> None:
        begun: list[tuple[Item, Erasure]] = []
        for item in await self._store.read(job.environment, jobs.items, job.id):
            wish = self._eraser.wish(item.named_by, item.target or "", "api", Actor("job", job.id))
            erasure = await self._store.write(job.environment, _hand_over, item, wish, self._ids)
            if erasure is not None:
                begun.append((item, await self._eraser.remove(erasure)))
        await asyncio.gather(self._eraser.sweep(), *(self._finish(item, erasure) for item, erasure in begun))
        await self._store.write(job.environment, jobs.end, job.id, "done")

    async def _finish(self, item: Item, erasure: Erasure) -> None:
        await self._eraser.finish(erasure)
        settled = msgspec.structs.replace(item, target=None, status="erased", receipt_id=erasure.id)
        await self._store.write(erasure.environment, jobs.settle, settled)


def _hand_over(tx: Writing, item: Item, wish: ErasureRequest, ids: Ids) -> Erasure | None:
    """Begin the erasure of this item and take its name from here, at once; None where it is settled."""
    if item.target is None:
        return erasures.get(tx, item.receipt_id or "") if item.status == "erasing" else None
    try:
        erasure = forget.forget(tx, wish, ids)
    except NotFound:
        jobs.settle(tx, msgspec.structs.replace(item, target=None, status="not_found"))
        return None
    jobs.settle(tx, msgspec.structs.replace(item, target=None, status="erasing", receipt_id=erasure.id))
    return erasure
