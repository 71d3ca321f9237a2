"""Long work that somebody waits for, with its progress.

    erase_persons, erase_interviews   `done` counts the items that are settled
    export_person                     `done` counts the steps that are written

    running   until everything is settled; a crash changes nothing, the next start goes on
    done      for an export: the file can be fetched, for a day
    failed    an export whose person was erased meanwhile, or that could not be written

An item of an erasing job:

    waiting     its `target` stands here
    erasing     its erasure has begun, and `target` is gone from here
    erased      the receipt stands
    not_found   there was nothing of that name, and `target` is gone from here
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import ColumnElement, delete, func, insert, select, update

from roxels.storage.schema import job_items, jobs
from roxels.storage.transaction import Across, AcrossWriting, Environment, Reading, Rows, Writing

Kind = Literal["erase_persons", "erase_interviews", "export_person"]
Status = Literal["running", "done", "failed"]
ItemStatus = Literal["waiting", "erasing", "erased", "not_found"]
#: How an item names whom it is about.
NamedBy = Literal["interview", "person", "external_id"]


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One piece of long work."""

    id: str
    environment: Environment
    kind: Kind
    status: Status
    done: int
    total: int
    created_at: datetime
    ended_at: datetime | None = None
    #: Whom an export is about.
    person_id: str | None = None
    #: Of an export's file.
    size: int | None = None
    sha256: str | None = None


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that an erasing job was asked for; `n` counts from 0."""

    job_id: str
    n: int
    named_by: NamedBy
    target: str | None
    status: ItemStatus
    receipt_id: str | None = None


def begin(tx: Writing, job: Job, targets: Sequence[tuple[NamedBy, str]] = ()) -> Job:
    """Write a job down: from this transaction on it will be carried out."""
    tx.run(insert(jobs).values(msgspec.structs.asdict(job)))
    items = [
        Item(job_id=job.id, n=n, named_by=named_by, target=target, status="waiting")
        for n, (named_by, target) in enumerate(targets)
    ]
    tx.run(insert(job_items), [msgspec.structs.asdict(item) for item in items])
    return job


def get(tx: Reading, job_id: str) -> Job | None:
    """The job of that id."""
    row = tx.first(select(jobs).where(jobs.c.environment == tx.environment, jobs.c.id == job_id))
    return None if row is None else _job(row)


def items(tx: Reading, job_id: str) -> list[Item]:
    """What an erasing job was asked for, in order."""
    query = select(job_items).where(job_items.c.job_id == job_id).order_by(job_items.c.n)
    return [Item(**row._mapping) for row in tx.all(query)]


def running(view: Across) -> list[Job]:
    """What is not ended, of all environments, oldest first."""
    return [_job(row) for row in view.all(select(jobs).where(jobs.c.status == "running").order_by(jobs.c.created_at))]


def settle(tx: Writing, item: Item) -> None:
    """Keep where an item stands, and count how many are settled."""
    tx.run(
        update(job_items)
        .where(job_items.c.job_id == item.job_id, job_items.c.n == item.n)
        .values(target=item.target, status=item.status, receipt_id=item.receipt_id)
    )
    settled = select(func.count()).where(
        job_items.c.job_id == item.job_id, job_items.c.status.in_(("erased", "not_found"))
    )
    tx.run(update(jobs).where(jobs.c.id == item.job_id).values(done=settled.scalar_subquery()))


def progress(tx: Writing, job_id: str, done: int) -> bool:
    """So much is done; False where the job is gone, with its person."""
    return tx.run(update(jobs).where(jobs.c.id == job_id, jobs.c.status == "running").values(done=done)) == 1


def end(tx: Writing, job_id: str, status: Status, *, size: int | None = None, sha256: str | None = None) -> bool:
    """It has ended; False where the job is gone, with its person."""
    values: dict[str, Any] = {"status": status, "ended_at": tx.now, "size": size, "sha256": sha256}
    values |= {"done": jobs.c.total} if status == "done" else {}
    return tx.run(update(jobs).where(jobs.c.id == job_id, jobs.c.status == "running").values(values)) == 1


def drop_exports(tx: Writing, person_id: str) -> int:
    """Forget the exports of a person: they hold what is erased now. Says how many; their files are swept."""
    return _drop(tx, (jobs.c.environment == tx.environment) & (jobs.c.person_id == person_id))


def drop_old(tx: AcrossWriting, before: datetime) -> int:
    """Forget what ended before then; says how many jobs."""
    return _drop(tx, jobs.c.ended_at < before)


def exports(view: Across) -> set[str]:
    """The exports whose files may stand."""
    query = select(jobs.c.id).where(jobs.c.kind == "export_person", jobs.c.status != "failed")
    return {row.id for row in view.all(query)}


def _drop(tx: Writing | AcrossWriting, which: ColumnElement[bool]) -> int:
    tx.run(delete(job_items).where(job_items.c.job_id.in_(select(jobs.c.id).where(which))))
    return tx.run(delete(jobs).where(which))


def _job(row: Rows) -> Job:
    return Job(**row._mapping)
