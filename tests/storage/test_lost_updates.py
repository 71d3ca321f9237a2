"""Who reads to change is not overtaken: of two changes at the same moment none is lost, on either database.

The check lets the first read, and gives the second time to read the same before the first has written. That it can go
red is shown by planting the fault on PostgreSQL: reading without holding the rows.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import Table, select, update

from roxels.actions import author
from roxels.actions.people import patch
from roxels.domain.events import PersonSaid
from roxels.storage import erasures, log, persons
from roxels.storage.conversations import add
from roxels.storage.database import Backend
from roxels.storage.schema import persons as rows
from roxels.storage.store import Store
from roxels.storage.transaction import Writing
from roxels.testing import CountedIds
from tests.storage.test_log import opened

#: Seconds that the first gives the second to read the same; who is held back reads later.
GRACE = 0.2
Count = Callable[[Writing, str, Callable[[], None]], None]


def held(tx: Writing, person_id: str, between: Callable[[], None]) -> None:
    """One more, as every action does it."""
    person = persons.get(tx, person_id)
    assert person is not None
    between()
    patch(tx, person_id, {"metadata": {"count": person.metadata.get("count", 0) + 1}})


def unheld(tx: Writing, person_id: str, between: Callable[[], None]) -> None:
    """The planted fault: read like any list, then written back."""
    metadata: dict[str, Any] = tx.value(select(rows.c.metadata).where(rows.c.id == person_id))
    between()
    tx.run(update(rows).where(rows.c.id == person_id).values(metadata={"count": metadata.get("count", 0) + 1}))


async def counted_by_two(store: Store, person_id: str, count: Count) -> int:
    """What two that count at the same moment come to."""
    both = threading.Barrier(2)

    def between() -> None:
        try:
            both.wait(GRACE)
        except threading.BrokenBarrierError:
            return

    await asyncio.gather(*(store.write("test", count, person_id, between) for _ in range(2)))
    person = await store.read("test", persons.get, person_id)
    assert person is not None
    return int(person.metadata["count"])


async def test_none_of_two_changes_is_lost(store: Store, template_id: str, ids: CountedIds) -> None:
    visit = await opened(store, template_id, ids)
    assert await counted_by_two(store, visit.person.id, held) == 2


async def test_a_change_that_holds_nothing_is_lost(
    store: Store, database: Backend, template_id: str, ids: CountedIds
) -> None:
    visit = await opened(store, template_id, ids)
    expected = {"sqlite": 2, "postgresql": 1}[database.writer.dialect.name]  # SQLite's one writer holds everything
    assert await counted_by_two(store, visit.person.id, unheld) == expected


async def test_many_write_one_log_and_none_is_behind(store: Store, template_id: str, ids: CountedIds) -> None:
    visit = await opened(store, template_id, ids)

    def say(tx: Writing, number: int) -> None:
        state = log.read(tx, visit.conversation_id).state
        add(tx, visit.conversation_id, state, visit.session_id, [PersonSaid(id=f"m{number}", text="hello")])

    await asyncio.gather(*(store.write("test", say, number) for number in range(30)))
    stored = await store.read("test", log.read, visit.conversation_id)
    assert len(stored.state.said) == 30


async def test_many_first_visits_make_one_person(store: Store, template_id: str, ids: CountedIds) -> None:
    visits = await asyncio.gather(*(opened(store, template_id, ids) for _ in range(20)))
    assert len({visit.person.id for visit in visits}) == 1
    assert len({visit.conversation_id for visit in visits}) >= 1
    person = await store.read("test", persons.get, visits[0].person.id)
    assert person is not None
    assert person.conversation_count == len({visit.conversation_id for visit in visits})


class Interrupted(Writing):
    """A transaction in which something happens after each insert."""

    def __init__(self, tx: Writing, between: Callable[[], None]) -> None:
        super().__init__(tx.connection, tx.environment, tx.now)
        self._between = between

    def insert_if_absent(self, table: Table, row: dict[str, Any]) -> bool:
        """Insert, then let the others act."""
        is_new = super().insert_if_absent(table, row)
        self._between()
        return is_new


async def test_who_is_erased_between_two_statements_of_a_first_visit_is_a_stranger(
    store: Store, database: Backend, template_id: str, ids: CountedIds
) -> None:
    visit = await opened(store, template_id, ids)
    external_id = visit.person.external_id
    assert external_id is not None
    loop, erasing = asyncio.get_running_loop(), list[Future[Any]]()

    def erase() -> None:
        if not erasing:
            coroutine = store.write("test", erasures.estrange, visit.person.id)
            erasing.append(asyncio.run_coroutine_threadsafe(coroutine, loop))
            with suppress(TimeoutError):  # SQLite's one writer is this transaction: the other comes after it
                erasing[0].result(GRACE)

    def come(tx: Writing) -> str:
        return persons.resolve(Interrupted(tx, erase), external_id, ids).id

    found = await store.write("test", come)
    await asyncio.wrap_future(erasing[0])
    known = await store.read("test", persons.find, external_id)
    expected = {"sqlite": visit.person.id, "postgresql": known.id if known else ""}
    assert found == expected[database.writer.dialect.name]
    assert known is None or known.id != visit.person.id


async def test_every_change_of_a_template_is_a_version(store: Store, template_id: str) -> None:
    changes = [store.write("test", author.change, template_id, {"name": f"Name {n}"}) for n in range(10)]
    kept = await asyncio.gather(*changes)
    assert sorted(each.version for each in kept) == list(range(2, 12))


async def test_an_error_of_the_database_shows_no_values(store: Store, template_id: str, ids: CountedIds) -> None:
    visit = await opened(store, template_id, ids, "user_secret_name")

    def collide(tx: Writing) -> None:
        other = persons.resolve(tx, None, ids)
        tx.run(update(rows).where(rows.c.id == other.id).values(external_id=visit.person.external_id))

    with pytest.raises(Exception, match=r"(?i)unique") as caught:
        await store.write("test", collide)
    assert "user_secret_name" not in f"{caught.value} {caught.value.__cause__}"
