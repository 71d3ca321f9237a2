"""The job of erasing: short transactions, then a sweep of the files, then the receipt.

    removing   the rows go, transaction by transaction; others write in between; then the files of exports go
    sweeping   the files are cleaned (see `storage.database`); one sweep serves all who wait
    done       the receipt stands

Who asks waits for at most `PATIENCE`, then is told that it is still sweeping; the job goes on by itself. What a crash
cut off is taken up by `resume_pending`. Sweeps take at most a fifth of the time: each is followed by a rest of `REST`
times its length, since changes wait while it runs.
"""

import asyncio
import logging
from collections.abc import Mapping
from functools import partial
from typing import get_args

import msgspec

from roxels.actions import forget
from roxels.actions.audit import Auditor
from roxels.actions.forget import ErasureRequest
from roxels.domain.clock import Clock
from roxels.domain.errors import Internal
from roxels.domain.ids import Ids
from roxels.domain.receipts import Kind, Reason, Receipt, subject_of
from roxels.storage import erasures, jobs, receipts
from roxels.storage.audit import SYSTEM, Actor
from roxels.storage.erase_list import EraseList, Noted, Sealed
from roxels.storage.erasures import Erasure
from roxels.storage.files import Exports
from roxels.storage.receipts import ChainLink
from roxels.storage.store import Store
from roxels.storage.transaction import Environment
from roxels.storage.vault import Keyring

logger = logging.getLogger(__name__)

#: Seconds that a caller waits for its receipt.
PATIENCE = 2.0
#: Times a sweep's own length that must pass before the next.
REST = 4.0
#: Ids looked at in one transaction when a restored database is cleaned.
BATCH = 500
ENVIRONMENTS: tuple[Environment, ...] = get_args(Environment)
#: Seconds between two looks whether readers have let go: at first, then from `PATIENCE` on.
LOOK, LOOK_LATER = 0.05, 1.0


class Erased(msgspec.Struct, frozen=True):
    """It is gone, from the files too."""

    id: str
    receipt: Receipt


class Sweeping(msgspec.Struct, frozen=True):
    """Nobody can reach it any more; the receipt follows when the files are clean."""

    id: str


class ListedErasures(msgspec.Struct, frozen=True):
    """All that stands on the erase list."""

    subjects: frozenset[tuple[Environment, str]]
    receipts: tuple[Sealed, ...]


class Eraser:
    """Erases, one process's share of it; several processes on one database do not get into each other's way."""

    def __init__(
        self,
        store: Store,
        ids: Ids,
        keyring: Keyring,
        clock: Clock,
        *,
        exports: Exports | None = None,
        erase_list: EraseList | None = None,
    ) -> None:
        """`exports`: the files that hold what is erased, where there are any; `erase_list`: outlives the database."""
        self._store = store
        self._ids = ids
        self._keyring = keyring
        self._clock = clock
        self._exports = exports
        self._list = erase_list
        self.auditor = Auditor(ids=ids, salt=keyring.subject_salt)
        self._jobs: dict[str, asyncio.Task[Receipt]] = {}
        self._unswept: dict[object, asyncio.Future[None]] = {}
        self._sweep: asyncio.Task[None] | None = None
        self._rested_at = 0.0
        self._is_closed = False

    async def conversation(
        self, environment: Environment, conversation_id: str, reason: Reason, actor: Actor = SYSTEM
    ) -> Erased | Sweeping:
        """Erase a conversation. Raises `NotFound`."""
        return await self._forget(environment, self.wish("interview", conversation_id, reason, actor))

    async def person(
        self, environment: Environment, person_id: str, reason: Reason, actor: Actor = SYSTEM
    ) -> Erased | Sweeping:
        """Erase a person with everything that leads to her. Raises `NotFound`."""
        return await self._forget(environment, self.wish("person", person_id, reason, actor))

    async def person_called(
        self, environment: Environment, external_id: str, reason: Reason, actor: Actor = SYSTEM
    ) -> Erased | Sweeping:
        """The same by the customer's own id. Raises `NotFound`."""
        return await self._forget(environment, self.wish("external_id", external_id, reason, actor))

    async def begin(self, environment: Environment, wish: ErasureRequest) -> None:
        """Put somebody out of reach and remove her rows; the rest goes on by itself. Raises `NotFound`."""
        self._job(await self.remove(await self._begun(environment, wish)))

    async def remove(self, erasure: Erasure) -> Erasure:
        """Remove the rows of what was begun; the receipt comes with `finish`."""
        while erasure.state == "removing":
            erasure = await self._store.write(erasure.environment, forget.take_step, erasure.id)
        return erasure

    async def finish(self, erasure: Erasure) -> Receipt:
        """Wait for the receipt of what was begun."""
        return await asyncio.shield(self._job(erasure))

    async def sweep(self) -> None:
        """Clean the files of what was deleted before now; those who ask at once share one sweep."""
        await self._swept(object())

    def wish(self, by: forget.By, id: str, reason: Reason, actor: Actor = SYSTEM) -> ErasureRequest:
        """Whom to forget, as `actions.forget` takes it."""
        return ErasureRequest(by=by, id=id, reason=reason, salt=self._keyring.subject_salt, actor=actor)

    def subjects(self, id: str) -> tuple[str, ...]:
        """The names under which receipts and the audit log speak of what has this id."""
        return tuple(subject_of(self._keyring.subject_salt, kind, id) for kind in get_args(Kind))

    @property
    def public_keys(self) -> Mapping[str, bytes]:
        """What receipts are checked with, by key id; 32 raw bytes each."""
        return self._keyring.signer.public_keys

    @property
    def key_id(self) -> str:
        """Which key signs receipts now."""
        return self._keyring.signer.key_id

    async def replay(self) -> int:
        """Erase again what is on the erase list and stands in a database that was restored; says how much.

        Before anybody is served. It ends when the receipts stand, in the database and on the list.
        """
        if self._list is None:
            return 0
        size = await self._store.run(self._list.size)
        news = await self._store.run(partial(self._unseen, self._list))
        again = 0
        if any([await self._store.read(each, erasures.unknown, news.get(each, ())) for each in ENVIRONMENTS]):
            whole = await self._store.run(partial(_grouped, self._list))
            again = sum([await self._replay_in(each, whole) for each in ENVIRONMENTS])
            await self.settle()
            logger.warning("A restored database was cleaned.", extra={"action": "replayed", "count": again})
        await self._complete(self._list)
        await self._store.alone(partial(self._list.mark_seen, size=size))
        return again

    async def _complete(self, erase_list: EraseList) -> None:
        """Write down the receipts that the list lacks, since a process died before it did."""
        listed = await self._store.run(partial(_receipts_on, erase_list))
        for environment in ENVIRONMENTS:
            after = 0
            while page := await self._store.read(environment, receipts.oldest, after=after, limit=BATCH):
                after = page[-1].n
                for link in page:
                    if (environment, link.receipt.id) not in listed:
                        await self._store.run(partial(erase_list.keep, environment, link))

    def _unseen(self, erase_list: EraseList) -> dict[Environment, set[str]]:
        """The receipts' ids on the part of the list that the database has not seen."""
        found: dict[Environment, set[str]] = {}
        for line in erase_list.lines(erase_list.seen(self._store.database)):
            if line.erased is not None:
                found.setdefault(line.erased.environment, set()).add(line.erased.receipt_id)
        return found

    async def _replay_in(self, environment: Environment, whole: "ListedErasures") -> int:
        links = [ChainLink(each.n, each.receipt) for each in whole.receipts if each.environment == environment]
        for start in range(0, len(links), BATCH):
            await self._store.write(environment, receipts.put_back, links[start : start + BATCH])
        count = 0
        for kind in get_args(Kind):
            after = ""
            while page := await self._store.read(environment, erasures.standing, kind, after, BATCH):
                after = page[-1]
                for id in page:
                    if (environment, subject_of(self._keyring.subject_salt, kind, id)) in whole.subjects:
                        wish = self.wish(kind, id, "restore")
                        self._job(await self._store.write(environment, forget.forget, wish, self._ids))
                        count += 1
        return count

    async def resume_pending(self) -> None:
        """Take up what was not finished when the process ended; returns at once, the jobs go on by themselves."""
        for erasure in await self._store.read_across(erasures.pending):
            self._job(erasure)

    async def settle(self) -> None:
        """Wait until nothing is being erased. Raises what made a job fail."""
        while self._jobs:
            await asyncio.gather(*self._jobs.values())

    async def close(self) -> None:
        """Stop; what is pending goes on at the next start."""
        self._is_closed = True
        tasks = [task for task in (*self._jobs.values(), self._sweep) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # within

    async def _forget(self, environment: Environment, wish: ErasureRequest) -> Erased | Sweeping:
        erasure = await self._begun(environment, wish)
        if erasure.state == "done":
            receipt = await self._store.read(environment, receipts.get, erasure.id)
            if receipt is None:
                raise Internal
            return Erased(wish.id, receipt)
        if self._is_closed:  # meanwhile: a job that began now would outlive the store
            return Sweeping(wish.id)
        job = self._job(erasure)
        patience = asyncio.ensure_future(self._clock.sleep(PATIENCE))
        try:
            await asyncio.wait({job, patience}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            patience.cancel()
        return Erased(wish.id, job.result()) if job.done() else Sweeping(wish.id)

    async def _begun(self, environment: Environment, wish: ErasureRequest) -> Erasure:
        """Put it out of reach, and whoever the person was before she said who she is, with a receipt of its own."""
        kin = await self._store.read(environment, forget.kin_of, wish)
        erasure = await self._store.write(environment, forget.forget, wish, self._ids)
        for id in () if self._is_closed else kin.selves:
            same = self.wish("person", id, wish.reason, wish.actor)
            self._job(await self.remove(await self._store.write(environment, forget.forget, same, self._ids)))
        for id in kin.shared:  # an older backup has it as somebody else's
            await self._note(environment, "interview", subject_of(self._keyring.subject_salt, "interview", id), erasure)
        return erasure

    def _job(self, erasure: Erasure) -> asyncio.Task[Receipt]:
        """The one job of this erasure, whoever asks for it."""
        job = self._jobs.get(erasure.id)
        if job is None:
            job = asyncio.create_task(self._erase(erasure), name=f"erasing {erasure.id}")
            self._jobs[erasure.id] = job
            job.add_done_callback(partial(self._done, erasure.id))
        return job

    def _done(self, erasure_id: str, job: asyncio.Task[Receipt]) -> None:
        del self._jobs[erasure_id]
        if not job.cancelled() and job.exception() is not None:
            logger.error(
                "An erasure failed; it goes on when it is asked for again, or at the next start.",
                extra={"action": "erasure_failed", "receipt_id": erasure_id},
                exc_info=job.exception(),
            )

    async def _erase(self, erasure: Erasure) -> Receipt:
        erasure = await self.remove(erasure)
        if erasure.state == "sweeping":
            await self._note(erasure.environment, erasure.kind, erasure.subject, erasure)
            await self.sweep_exports()
            await self._swept(erasure.id)
        receipt = await self._store.write(erasure.environment, forget.seal, erasure.id, self._keyring.signer)
        await self._keep(erasure)
        return receipt

    async def _note(self, environment: Environment, kind: Kind, subject: str, erasure: Erasure) -> None:
        if self._list is not None:
            noted = Noted(environment=environment, kind=kind, subject=subject, receipt_id=erasure.id)
            await self._store.run(partial(self._list.note, noted))

    async def _keep(self, erasure: Erasure) -> None:
        link = await self._store.read(erasure.environment, receipts.place, erasure.id)
        if self._list is not None and link is not None:
            await self._store.run(partial(self._list.keep, erasure.environment, link))

    async def sweep_exports(self) -> None:
        """Remove the files whose job is gone, with its person or by age."""
        if self._exports is not None:
            may_stand = await self._store.read_across(jobs.exports)
            await self._store.run(partial(self._exports.sweep, may_stand))

    async def _swept(self, who: object) -> None:
        """Wait for a sweep that began after now."""
        swept = self._unswept[who] = asyncio.get_running_loop().create_future()
        if self._sweep is None or self._sweep.done():
            self._sweep = asyncio.create_task(self._sweep_all(), name="sweep")
        await swept

    async def _sweep_all(self) -> None:
        faults = 0
        while self._unswept:
            await self._clock.sleep(max(0.0, self._rested_at - self._clock.monotonic()))
            waiting, self._unswept = self._unswept, {}
            try:
                await self._clean()
            except Exception:
                logger.exception("A sweep failed and is tried again.", extra={"action": "sweep_failed"})
                self._unswept = waiting | self._unswept
                faults += 1
                await self._clock.sleep(min(2.0**faults, 300.0))
            else:
                faults = 0
                for swept in waiting.values():
                    if not swept.done():
                        swept.set_result(None)

    async def _clean(self) -> None:
        began = self._clock.monotonic()
        await self._store.alone(lambda database: database.compact())
        compacted = self._clock.monotonic()
        self._rested_at = compacted + REST * (compacted - began)
        while not await self._store.alone(lambda database: database.empty_log()):
            is_early = self._clock.monotonic() < compacted + PATIENCE
            await self._clock.sleep(LOOK if is_early else LOOK_LATER)


def _receipts_on(erase_list: EraseList) -> set[tuple[Environment, str]]:
    return {(line.receipt.environment, line.receipt.receipt.id) for line in erase_list.lines() if line.receipt}


def _grouped(erase_list: EraseList) -> ListedErasures:
    lines = list(erase_list.lines())
    return ListedErasures(
        subjects=frozenset((line.erased.environment, line.erased.subject) for line in lines if line.erased),
        receipts=tuple(line.receipt for line in lines if line.receipt),
    )
