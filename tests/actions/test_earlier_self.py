"""Somebody talks, and says only then who she is: erasing her erases who she was before, in every backup too."""

import asyncio
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import select

from roxels.actions import adopt
from roxels.actions.eraser import Erased, Eraser
from roxels.actions.open import Opened, VisitRequest, open_visit
from roxels.domain.events import PersonSaid
from roxels.domain.proof import Proof
from roxels.storage import conversations, log, persons, schema, templates
from roxels.storage.erase_list import EraseList
from roxels.storage.store import Store
from roxels.storage.transaction import Reading, Writing
from roxels.storage.vault import Keyring
from roxels.testing import CountedIds, FakeClock
from tests.cluster import open_in
from tests.storage.conftest import TEMPLATE

TABLES = (schema.persons, schema.person_words, schema.devices, schema.conversations, schema.events)


def rows(tx: Reading) -> str:
    """All that is kept of anybody."""
    return repr([[dict(row._mapping) for row in tx.all(select(table))] for table in TABLES])


def talk(tx: Writing, template_id: str, external_id: str | None, ids: CountedIds, name: str | None = None) -> Opened:
    """A visit in which something was said."""
    wish = VisitRequest(
        template_id=template_id,
        external_id=external_id,
        source="browser",
        proof=Proof.claimed if external_id else Proof.anonymous,
        method="external_id" if external_id else "none",
        context={},
        browser="a browser",
        host="shop.example",
        resume=False,
        name=name,
    )
    opened = open_visit(tx, wish, ids)
    state = log.read(tx, opened.conversation_id).state
    conversations.add(tx, opened.conversation_id, state, opened.session_id, [PersonSaid(id="m1", text="my canary")])
    return opened


class Place:
    """A data folder with its store, its keys and its erase list."""

    def __init__(self, folder: Path, ids: CountedIds) -> None:
        self.folder = folder
        self.ids = ids
        clock = FakeClock()
        self.store = Store(open_in(folder), clock)
        erase_list = EraseList.of(folder, self.store.database, "list_1")
        keyring = Keyring.load(folder / "keys", ids.key)
        self.eraser = Eraser(self.store, ids, keyring, clock, erase_list=erase_list)

    async def close(self) -> None:
        await self.eraser.close()
        await asyncio.get_running_loop().run_in_executor(None, self.store.close)


async def test_nothing_of_who_she_was_before_stays(tmp_path: Path) -> None:
    ids = CountedIds()
    place = Place(tmp_path, ids)
    template_id = await place.store.write("test", templates.create, TEMPLATE, ids)
    opened = await place.store.write("test", talk, template_id, None, ids, "Canary Lovelace")
    ada = await place.store.write("test", persons.resolve, "ada", ids)
    await place.store.write("test", adopt.adopt, opened.conversation_id, ada.id)
    assert isinstance(await place.eraser.person_called("test", "ada", "api"), Erased)
    assert "anary" not in await place.store.read("test", rows)
    await place.close()


async def test_who_has_a_conversation_of_their_own_stays(tmp_path: Path) -> None:
    """An operator gave her somebody else's; that one is a person of their own."""
    ids = CountedIds()
    place = Place(tmp_path, ids)
    template_id = await place.store.write("test", templates.create, TEMPLATE, ids)
    opened = await place.store.write("test", talk, template_id, "bob", ids)
    await place.store.write("test", talk, template_id, "bob", ids)
    ada = await place.store.write("test", persons.resolve, "ada", ids)
    await place.store.write("test", adopt.adopt, opened.conversation_id, ada.id)
    await place.eraser.person_called("test", "ada", "api")
    assert (await place.store.read("test", persons.find, "bob")) is not None
    assert (await place.store.read("test", rows)).count("my canary") == 1
    await place.close()


async def test_a_backup_of_before_brings_nothing_back(tmp_path: Path) -> None:
    ids = CountedIds()
    place = Place(tmp_path / "now", ids)
    template_id = await place.store.write("test", templates.create, TEMPLATE, ids)
    hers = await place.store.write("test", talk, template_id, None, ids, "Canary Lovelace")
    bobs = await place.store.write("test", talk, template_id, "bob", ids)
    backup = tmp_path / "backup"
    backup.mkdir()
    with (
        closing(sqlite3.connect(tmp_path / "now" / "roxels.db")) as source,
        closing(sqlite3.connect(backup / "roxels.db")) as target,
    ):
        source.backup(target)
    ada = await place.store.write("test", persons.resolve, "ada", ids)
    for opened in (hers, bobs):
        await place.store.write("test", adopt.adopt, opened.conversation_id, ada.id)
    await place.eraser.person_called("test", "ada", "api")
    await place.close()
    shutil.copy(tmp_path / "now" / "erased.jsonl", backup)
    shutil.copytree(tmp_path / "now" / "keys", backup / "keys")
    restored = Place(backup, CountedIds("again_"))
    assert await restored.eraser.replay() == 2
    assert "anary" not in await restored.store.read("test", rows)
    assert (await restored.store.read("test", persons.find, "bob")) is not None, "only what he said to her is gone"
    await restored.close()
