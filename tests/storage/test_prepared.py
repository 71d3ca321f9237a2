"""Statements made ready once: they keep and find what SQLAlchemy would."""

from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update

from roxels.storage.database import Backend
from roxels.storage.prepared import WANTED, Prepared, PreparedSelect
from roxels.storage.schema import templates
from roxels.testing import START


def row(number: int, **other: Any) -> dict[str, Any]:
    """A template's row; its name would end a statement that is put together of texts."""
    return {
        "id": f"t{number:03d}",
        "environment": "test",
        "name": f"'%s' ? :{number}",
        "status": "draft",
        "active_version": number,
        "history_requires": 1,
        "created_at": START,
        "updated_at": START,
        **other,
    }


def test_rows_are_kept_in_the_form_that_the_schema_says(database: Backend) -> None:
    rows = [row(number) for number in range(3)]
    keep = Prepared(insert(templates))
    with database.writer.begin() as connection:
        connection.execute(insert(templates), row(100))
        keep.run(connection, rows[:1])
        keep.run(connection, rows[1:])
        keep.run(connection, [])
    with database.readers.connect() as connection:
        kept = [dict(each) for each in connection.execute(select(templates).order_by(templates.c.id)).mappings()]
    assert kept == [*rows, row(100)]


def test_changes_touch_their_rows_and_columns_alone(database: Backend) -> None:
    change = Prepared(update(templates).where(templates.c.id == bindparam("of")))
    drop = Prepared(delete(templates).where(templates.c.id == bindparam("of")))
    with database.writer.begin() as connection:
        Prepared(insert(templates)).run(connection, [row(number) for number in range(4)])
        change.run(connection, [{"of": f"t{n:03d}", "status": "active", "updated_at": START} for n in (1, 2)])
        drop.run(connection, [{"of": "t000"}])
    with database.readers.connect() as connection:
        kept = [dict(each) for each in connection.execute(select(templates).order_by(templates.c.id)).mappings()]
    assert kept == [row(1, status="active"), row(2, status="active"), row(3)]


def test_any_number_of_rows_is_found_in_order(database: Backend) -> None:
    find = PreparedSelect(select(templates.c.id).where(templates.c.id.in_(WANTED)).order_by(templates.c.id))
    with database.writer.begin() as connection:
        Prepared(insert(templates)).run(connection, [row(number) for number in range(20)])
        for count in (0, 1, 2, 3, 5, 8, 13):
            wanted = [f"t{number:03d}" for number in reversed(range(count))]
            assert [each.id for each in find.all(connection, [*wanted, "nowhere"])] == sorted(wanted)
        assert find.all(connection, []) == []
