"""Lists stay quick with a million rows: each page is read along an index, and none is sorted first. Pages join up."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from roxels.actions.audit import Auditor
from roxels.storage import audit, deliveries
from roxels.storage.audit import Actor
from roxels.storage.database import Database
from roxels.storage.pages import Cursor, Page, Span
from roxels.storage.store import Store
from roxels.testing import START, CountedIds, FakeClock

AFTER = Cursor(START, "x", "test")
#: (list, what is wanted, the columns of the index that finds it)
LISTS: list[tuple[Callable[..., Page[Any]], Any, str]] = [
    (deliveries.listed, deliveries.DeliveryFilter(), "environment_created_at_id"),
    (deliveries.listed, deliveries.DeliveryFilter(status="failed"), "environment_status_created_at_id"),
    (deliveries.listed, deliveries.DeliveryFilter(status="delivered"), "environment_status_created_at_id"),
    (audit.listed, audit.AuditFilter(), "environment_at_id"),
    (audit.listed, audit.AuditFilter(subjects=("a", "b")), "environment_subject_at_id"),
]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "roxels.db")
    database.create_all()
    yield database
    database.close()


@contextmanager
def asked(database: Database) -> Iterator[list[tuple[str, Any]]]:
    """All that is asked of the database meanwhile."""
    queries: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        queries.append((statement, parameters))

    event.listen(database.readers, "before_cursor_execute", note)
    yield queries
    event.remove(database.readers, "before_cursor_execute", note)


@pytest.mark.parametrize("span", [Span(), Span(after=AFTER)], ids=["first", "later"])
@pytest.mark.parametrize(("listed", "wanted", "index"), LISTS)
async def test_a_page_is_read_along_its_index(
    database: Database, listed: Callable[..., Page[Any]], wanted: Any, index: str, span: Span
) -> None:
    store = Store(database, FakeClock())
    with asked(database) as queries:
        await store.read("test", listed, wanted, span)
    found = [(query, values) for query, values in queries if "ORDER BY" in query]
    assert found
    with database.readers.begin() as connection:
        for query, values in found:
            plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", values)]
            assert f"{index} (environment=?" in plan[0], plan
            assert not [line for line in plan if "TEMP B-TREE" in line or line.startswith("SCAN")], plan


async def test_pages_of_the_audit_log_join_up_whatever_belongs_to_no_environment(database: Database) -> None:
    clock = FakeClock()
    store, auditor = Store(database, clock), Auditor(ids=CountedIds(), salt=b"salt")
    for number in range(20):
        if number % 3:
            await store.write("test", auditor.note, Actor("key", "key_1"), "key.created", ("person", f"p{number % 2}"))
        else:
            await store.write_across(auditor.note_entry, Actor("operator", "op_1"), "operator.signed_in")
        await store.write("live", auditor.note, Actor("key", "key_2"), "key.created")
        clock.advance(number % 2)
    whole = (await store.read("test", audit.listed, audit.AuditFilter(), Span(limit=100))).items
    assert len(whole) == 20
    assert whole == sorted(whole, key=lambda each: (each.at, each.id), reverse=True)
    joined, after = [], None
    while True:
        page = await store.read("test", audit.listed, audit.AuditFilter(), Span(limit=3, after=after))
        joined += page.items
        if page.next is None:
            break
        after = page.next
    assert joined == whole
    assert (await store.read("test", audit.listed, audit.AuditFilter(subjects=()), Span())).items == []
