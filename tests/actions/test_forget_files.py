"""What is erased is in no file any more: a search of the raw bytes for words that were planted."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from roxels.actions.eraser import Erased, Eraser
from roxels.storage import log, templates
from roxels.storage.database import Database
from roxels.storage.leases import Processes
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
