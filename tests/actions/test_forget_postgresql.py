"""PostgreSQL: what is erased is in no answer to any query, and after the documented vacuum in no file of its tables."""

import asyncio
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from roxels.actions.eraser import Erased, Eraser
from roxels.storage import log, templates
from roxels.storage.postgresql import PostgreSQL
from roxels.storage.schema import metadata
from roxels.storage.store import Store
from roxels.storage.vault import Keyring
from roxels.testing import CountedIds, FakeClock
from tests.actions.planting import Chance, Planted, found, plant, planted, ways
from tests.cluster import Cluster
from tests.storage.conftest import TEMPLATE

pytestmark = pytest.mark.postgresql

#: As docs/operations.md has it.
DOCUMENTED = "VACUUM (FULL, ANALYZE)"


@pytest.fixture
def database(cluster: Cluster) -> Iterator[PostgreSQL]:
    """One that compresses nothing, so that a search of its files can see everything."""
    url = cluster.database()
    database = PostgreSQL(url, writers=2, readers=4)
    with database.writer.begin() as connection:
        for table in metadata.sorted_tables:
            for column in table.columns:
                if column.type.python_type in (str, dict) and "Moment" not in repr(column.type):
                    connection.execute(
                        text(f"ALTER TABLE {table.name} ALTER COLUMN {column.name} SET STORAGE EXTERNAL")
                    )
    yield database
    database.close()
    cluster.drop(url)


def do(database: PostgreSQL, statement: str) -> None:
    """Outside any transaction, as an operator does it in psql."""
    with database.writer.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text(statement))


def folder_of(database: PostgreSQL, cluster: Cluster) -> Path:
    """Where the files of its tables lie; what is in memory only is written there first."""
    do(database, "CHECKPOINT")
    with database.readers.connect() as connection:
        oid = connection.execute(text("SELECT oid FROM pg_database WHERE datname = current_database()")).scalar_one()
    return cluster.folder / "data" / "base" / str(oid)


def visible(database: PostgreSQL, needles: Iterable[str]) -> dict[str, list[str]]:
    """Which of these any query can find, and in which table: ours, and what the server notes of them for itself."""
    with database.readers.connect() as connection:
        names = [*(table.name for table in metadata.sorted_tables), "pg_stats"]
        texts = {name: _text(connection, name) for name in names}
    return {
        needle: there
        for needle in needles
        if (there := [name for name, content in texts.items() if any(way in content for way in ways(needle))])
    }


def _text(connection: Connection, name: str) -> bytes:
    rows = connection.execute(text(f"SELECT row_to_json(t)::text || t::text FROM {name} t")).scalars()
    return "\n".join(rows).encode()


async def test_nothing_of_the_erased_is_visible_and_after_the_vacuum_in_no_file(
    database: PostgreSQL, cluster: Cluster, tmp_path: Path, ids: CountedIds, clock: FakeClock
) -> None:
    chance = Chance(11)
    store = Store(database, clock)
    eraser = Eraser(store, ids, Keyring.load(tmp_path / "keys", ids.key), clock)
    template_id = await store.write("test", templates.create, TEMPLATE, ids)
    people = [planted(chance) for _ in range(5)]
    second = planted(chance, people[0].external_id)
    await plant(store, template_id, [*people, second], chance, turns=30)
    await asyncio.to_thread(do, database, "ANALYZE")  # as the server does by itself, sooner or later
    every = [needle for person in [*people, second] for needle in person.needles]
    assert set(visible(database, every)) == set(every)
    assert set(found(folder_of(database, cluster), every)) == set(every), "each canary is found before"

    gone, kept = people[3:], people[:3]
    assert isinstance(await eraser.conversation("test", second.visit.conversation_id, "api"), Erased)
    for person in gone:
        assert isinstance(await eraser.person_called("test", person.external_id, "api"), Erased)
    needles = [needle for person in gone for needle in person.needles] + second.conversation_needles
    assert visible(database, needles) == {}

    await asyncio.to_thread(do, database, DOCUMENTED)
    assert found(folder_of(database, cluster), needles) == {}
    assert visible(database, needles) == {}
    for person in kept:
        assert set(found(folder_of(database, cluster), person.needles)) == set(person.needles)
        assert await _whole(store, person)
    await eraser.close()
    await asyncio.to_thread(store.close)


async def test_a_table_that_becomes_empty_is_forgotten_by_the_planner(
    database: PostgreSQL, tmp_path: Path, ids: CountedIds, clock: FakeClock
) -> None:
    chance = Chance(12)
    store = Store(database, clock)
    eraser = Eraser(store, ids, Keyring.load(tmp_path / "keys", ids.key), clock)
    template_id = await store.write("test", templates.create, TEMPLATE, ids)
    people = [planted(chance) for _ in range(3)]
    await plant(store, template_id, people, chance, turns=12)
    await asyncio.to_thread(do, database, "ANALYZE")
    needles = [needle for person in people for needle in person.needles]
    assert "pg_stats" in [place for places in visible(database, needles).values() for place in places]
    for person in people:
        assert isinstance(await eraser.person("test", person.visit.person.id, "api"), Erased)
    assert visible(database, needles) == {}
    again = planted(chance)
    await plant(store, template_id, [again], chance, turns=2)
    assert await _whole(store, again), "the tables are as they were"
    await eraser.close()
    await asyncio.to_thread(store.close)


def test_a_role_that_owns_nothing_is_told_so(
    database: PostgreSQL, cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    do(database, "CREATE ROLE guest LOGIN")
    do(database, "GRANT ALL ON ALL TABLES IN SCHEMA public TO guest")
    guest = PostgreSQL(database.writer.url.set(username="guest").render_as_string(), writers=1, readers=1)
    guest.compact()
    guest.close()
    assert [record.message.partition(":")[0] for record in caplog.records] == ["Nothing was vacuumed"]
    database.compact()
    assert len(caplog.records) == 1
    do(database, "DROP OWNED BY guest")
    do(database, "DROP ROLE guest")


async def _whole(store: Store, person: Planted) -> bool:
    return (await store.read("test", log.read, person.visit.conversation_id)).state == person.state
