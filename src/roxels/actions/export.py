"""Export all that is kept of a person: one zip.

    index.html            what was said, to be read by people
    data/<table>.json     every row that leads to this person, whole: the tables that erasing would empty
    manifest.json         every other file with its size, SHA-256 and number of rows

The tables come from the schema (`storage.roads`), so whatever is erased with a person is exported with her.
"""

import asyncio
import hashlib
import zipfile
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import msgspec

from roxels.domain.booklet import Told, booklet
from roxels.domain.errors import NotFound
from roxels.domain.persons import Person
from roxels.storage import idempotency, jobs, log, persons, roads, schema
from roxels.storage.files import Exports
from roxels.storage.jobs import Job
from roxels.storage.store import Store
from roxels.storage.transaction import Environment, Reading, Writing
from roxels.storage.vault import CannotOpen

FORMAT = "roxels-export-1"
#: One for each table, and one for the page.
STEPS = len(roads.tables("person")) + 1


class Opener(Protocol):
    """What opens sealed answers (`storage.vault.Vault`)."""

    def open(self, sealed: str, *, environment: str, id: str) -> str:
        """The text again. Raises `CannotOpen`."""
        ...


class Written(msgspec.Struct, frozen=True):
    """A whole export: its length in bytes, and its SHA-256."""

    size: int
    sha256: str


class ManifestLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the manifest."""

    path: str
    bytes: int
    sha256: str
    #: None for what is no table.
    rows: int | None


Progress = Callable[[int], Awaitable[object]]


async def carry_out(store: Store, job: Job, exports: Exports, opener: Opener, name: str) -> None:
    """Make the file of an export job, by a draft of that name. It is made before a row is read (see `storage.files`).

    Another process may do the same: the one that ends the job publishes, and the other's draft goes.
    """

    async def progress(done: int) -> None:
        await store.write(job.environment, jobs.progress, job.id, done)

    draft = await store.run(lambda: exports.draft(job.id, name))
    try:
        written = await write(store, job.environment, job.person_id or "", draft, opener, progress)
        await store.write(job.environment, _publish, job.id, exports, draft, written)
    except NotFound:
        await store.write(job.environment, jobs.end, job.id, "failed")
    except FileNotFoundError:
        if await store.read(job.environment, jobs.get, job.id) is not None:
            raise  # swept though its job stands: it is made again
    finally:
        await store.run(lambda: draft.unlink(missing_ok=True))


def _publish(tx: Writing, job_id: str, exports: Exports, draft: Path, written: Written) -> None:
    """End the job, and give its file the name under which it is fetched; neither where it has ended or is gone."""
    if jobs.end(tx, job_id, "done", size=written.size, sha256=written.sha256):
        exports.publish(draft, job_id)


async def write(
    store: Store, environment: Environment, person_id: str, file: Path, opener: Opener, progress: Progress
) -> Written:
    """Write the zip of a person into this file, which stands already. Raises `NotFound`."""
    exported_at = await store.read(environment, lambda tx: tx.now)
    entries: list[ManifestLine] = []
    for done, table in enumerate(roads.tables("person"), start=1):
        content, count = await store.read(environment, _table, person_id, table, opener)
        entries.append(await store.run(_added(file, f"data/{table.name}.json", content, exported_at, count)))
        await progress(done)
    page = await store.read(environment, _page, person_id, exported_at)
    entries.append(await store.run(_added(file, "index.html", page, exported_at, None)))
    manifest = {
        "format": FORMAT,
        "environment": environment,
        "person_id": person_id,
        "exported_at": exported_at,
        "files": entries,
    }
    content = msgspec.json.format(msgspec.json.encode(manifest))
    await store.run(_added(file, "manifest.json", content, exported_at, None))
    written: Written = await store.run(lambda: _measured(file))
    return written


def _person(tx: Reading, person_id: str) -> Person:
    person = persons.get(tx, person_id)
    if person is None:
        raise NotFound
    return person


def _table(tx: Reading, person_id: str, table: Any, opener: Opener) -> tuple[bytes, int]:
    _person(tx, person_id)
    rows = roads.rows_of(tx, "person", person_id, table)
    for row in rows:
        if table is schema.events:
            row["body"] = msgspec.Raw(row["body"].encode())
        if table is schema.idempotency:
            row["body"] = _opened(row, opener)
    return msgspec.json.format(msgspec.json.encode(rows)), len(rows)


def _opened(row: dict[str, Any], opener: Opener) -> str:
    body: str = row["body"]
    try:
        return opener.open(body, environment=row["environment"], id=idempotency.place(row["key"]))
    except CannotOpen:
        return body


def _page(tx: Reading, person_id: str, exported_at: datetime) -> bytes:
    person = _person(tx, person_id)
    rows = roads.rows_of(tx, "person", person_id, schema.conversations)
    found = [log.find(tx, row["id"]) for row in sorted(rows, key=lambda row: (row["created_at"], row["id"]))]
    told = [Told(stored.id, stored.state, stored.said_so_far) for stored in found if stored is not None]
    return booklet(person, told, exported_at).encode()


def _added(file: Path, path: str, content: bytes, at: datetime, rows: int | None) -> Callable[[], ManifestLine]:
    def add() -> ManifestLine:
        """Append one file; the zip must stand: where it was swept, this raises `FileNotFoundError`."""
        with file.open("r+b") as opened, zipfile.ZipFile(opened, "a", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(zipfile.ZipInfo(path, at.timetuple()[:6]), content, zipfile.ZIP_DEFLATED)
        return ManifestLine(path=path, bytes=len(content), sha256=hashlib.sha256(content).hexdigest(), rows=rows)

    return add


def _measured(file: Path) -> Written:
    with file.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256")
        return Written(opened.tell(), digest.hexdigest())


async def no_progress(_done: int) -> None:
    """For whom nobody waits."""
    await asyncio.sleep(0)
