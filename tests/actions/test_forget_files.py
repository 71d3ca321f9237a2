"""What is erased is in no file any more: a search of the raw bytes for words that were planted."""

import asyncio
import gzip
import json
import zipfile
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from roxels.actions.eraser import Erased, Eraser
from roxels.actions.jobs import Jobs, begin_export
from roxels.storage import log, templates
from roxels.storage.database import Database
from roxels.storage.files import Exports
from roxels.storage.leases import Processes
from roxels.storage.roads import tables
from roxels.storage.schema import PERSON
from roxels.storage.store import Store
from roxels.storage.vault import Keyring
from roxels.testing import CountedIds, FakeClock
from tests.actions.planting import Chance, Planted, found, plant, planted
from tests.storage.conftest import TEMPLATE


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder as a server has it."""
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


@pytest.fixture
async def store(folder: Path, clock: FakeClock) -> AsyncIterator[Store]:
    database = Database(folder / "roxels.db")
    database.create_all()
    store = Store(database, clock)
    processes = Processes(folder / "processes", "one")
    yield store
    await asyncio.get_running_loop().run_in_executor(None, store.close)
    processes.close()


@pytest.fixture
async def eraser(store: Store, folder: Path, ids: CountedIds, clock: FakeClock) -> AsyncIterator[Eraser]:
    eraser = Eraser(store, ids, Keyring.load(folder / "keys", ids.key), clock)
    yield eraser
    await eraser.close()


async def whole(store: Store, person: Planted) -> bool:
    """Whether the conversation folds to what was said in it."""
    return (await store.read("test", log.read, person.visit.conversation_id)).state == person.state


async def test_a_search_sees_into_compressed_streams(folder: Path) -> None:
    word = planted(Chance(3)).latin
    for name, content in (("a", zlib.compress(word.encode())), ("b", b"junk" + gzip.compress(word.encode()))):
        (folder / name).write_bytes(content)
        assert word.encode() not in content
    assert {name: sorted(files) for name, files in found(folder, [word]).items()} == {word: ["a", "b"]}


async def test_an_export_holds_every_column_and_goes_with_its_person(
    folder: Path, store: Store, ids: CountedIds, clock: FakeClock
) -> None:
    chance = Chance(5)
    keyring = Keyring.load(folder / "keys", ids.key)
    exports = Exports(folder / "exports")
    eraser = Eraser(store, ids, keyring, clock, exports=exports)
    jobs = Jobs(store, ids, clock, eraser, exports, keyring.vault)
    template_id = await store.write("test", templates.create, TEMPLATE, ids)
    ada = planted(chance)
    everything = [ada, *(planted(chance, ada.external_id) for _ in range(49))]
    other = planted(chance)
    await plant(store, template_id, [*everything, other], chance, turns=3)
    job = await store.write("test", begin_export, ada.visit.person.id, ids)
    jobs.wake()
    await jobs.settle()
    _holds_every_column(exports.path(job.id))
    assert found(exports.folder, other.needles) == {}
    needles = [needle for each in everything for needle in each.needles]
    assert set(found(exports.folder, needles)) == set(needles)
    assert isinstance(await eraser.person("test", ada.visit.person.id, "api"), Erased)
    assert found(folder, needles) == {}
    assert set(found(folder, other.needles)) == set(other.needles)
    await eraser.close()


def _holds_every_column(file: Path) -> None:
    """Every table is there, with every column that can hold something of a person."""
    with zipfile.ZipFile(file) as archive:
        for table in tables("person"):
            rows = json.loads(archive.read(f"data/{table.name}.json"))
            about = {column.name for column in table.columns if column.info["about"] == PERSON}
            assert rows, table.name
            assert all(about <= set(row) for row in rows), table.name


@pytest.mark.parametrize("seed", [1, 2])
async def test_nothing_of_the_erased_is_in_any_file(
    folder: Path, store: Store, eraser: Eraser, ids: CountedIds, seed: int
) -> None:
    chance = Chance(seed)
    template_id = await store.write("test", templates.create, TEMPLATE, ids)
    people = [planted(chance) for _ in range(9)]
    second = planted(chance, people[0].external_id)
    await plant(store, template_id, [*people, second], chance, turns=150)
    assert len(people[0].state.transcript) == 300
    every = [needle for person in [*people, second] for needle in person.needles]
    assert set(found(folder, every)) == set(every), "each canary is found before"

    gone, kept = people[4::2], [*people[:4], *people[5::2]]
    assert isinstance(await eraser.conversation("test", second.visit.conversation_id, "api"), Erased)
    for person in gone:
        assert isinstance(await eraser.person_called("test", person.external_id, "api"), Erased)

    needles = [needle for person in gone for needle in person.needles] + second.conversation_needles
    assert found(folder, needles) == {}
    for person in kept:
        assert set(found(folder, person.needles)) == set(person.needles)
        assert await whole(store, person)
