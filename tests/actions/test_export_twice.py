"""An export that two processes carry out at once: its file stands, whole, and nothing else."""

import asyncio
import hashlib
import zipfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from roxels.actions import export
from roxels.actions.eraser import Eraser
from roxels.actions.jobs import Jobs, begin_export
from roxels.storage import jobs as kept
from roxels.storage.files import Exports
from roxels.storage.jobs import Job
from roxels.storage.store import Store
from roxels.storage.vault import Keyring
from roxels.testing import CountedIds, FakeClock
from tests.actions.test_forget import visit
from tests.cluster import open_in

Process = Callable[[], Jobs]


@pytest.fixture
async def process(
    store: Store, ids: CountedIds, keyring: Keyring, clock: FakeClock, tmp_path: Path
) -> AsyncIterator[Process]:
    """Each call starts one more process on the database of `store` and on one folder of exports."""
    exports = Exports(tmp_path / "exports")
    stores: list[Store] = []
    erasers: list[Eraser] = []

    def start() -> Jobs:
        stores.append(Store(open_in(tmp_path), clock))
        erasers.append(Eraser(stores[-1], ids, keyring, clock, exports=exports))
        return Jobs(stores[-1], ids, clock, erasers[-1], exports, keyring.vault)

    yield start
    for eraser, own in zip(erasers, stores, strict=True):
        await eraser.close()
        await asyncio.get_running_loop().run_in_executor(None, own.close)


async def asked(store: Store, template_id: str, ids: CountedIds) -> Job:
    """An export that somebody waits for."""
    opened = await visit(store, template_id, ids, "ada")
    return await store.write("test", begin_export, opened.person.id, ids)


def is_whole(exports: Exports, job: Job | None) -> bool:
    """Whether the only file is that of the job, as the job tells of it."""
    assert job is not None
    file = exports.path(job.id)
    assert list(exports.folder.iterdir()) == [file]
    with zipfile.ZipFile(file) as archive:
        assert len(set(archive.namelist())) == len(archive.namelist()) == export.STEPS + 1
    content = file.read_bytes()
    return (job.status, job.size, job.sha256) == ("done", len(content), hashlib.sha256(content).hexdigest())


async def test_who_comes_too_late_takes_nothing_away(
    store: Store, process: Process, template_id: str, ids: CountedIds, keyring: Keyring
) -> None:
    job = await asked(store, template_id, ids)
    first = process()
    for name in ("one", "two"):  # the second read that the job runs before the first ended it
        await export.carry_out(store, job, first.exports, keyring.vault, name)
        assert is_whole(first.exports, await store.read("test", kept.get, job.id))


async def test_two_processes_make_one_file(store: Store, process: Process, template_id: str, ids: CountedIds) -> None:
    both = [process(), process()]
    for _ in range(3):
        job = await asked(store, template_id, ids)
        for each in both:
            each.wake()
        await asyncio.gather(*(each.settle() for each in both))
        assert is_whole(both[0].exports, await store.read("test", kept.get, job.id))
        both[0].exports.path(job.id).unlink()


async def test_what_was_forgotten_meanwhile_leaves_no_file(
    store: Store, process: Process, template_id: str, ids: CountedIds, keyring: Keyring
) -> None:
    job = await asked(store, template_id, ids)
    exports = process().exports
    await store.write("test", kept.drop_exports, job.person_id or "")
    await export.carry_out(store, job, exports, keyring.vault, "one")
    assert list(exports.folder.iterdir()) == []


async def test_a_draft_goes_with_its_job(store: Store, process: Process, template_id: str, ids: CountedIds) -> None:
    job = await asked(store, template_id, ids)
    exports = process().exports
    draft = exports.draft(job.id, "left behind")
    assert exports.sweep(await store.read_across(kept.exports)) == 0
    await store.write("test", kept.drop_exports, job.person_id or "")
    assert exports.sweep(await store.read_across(kept.exports)) == 1
    assert not draft.exists()
