"""Statements made ready once: they keep and find what SQLAlchemy would."""

from typing import Any

import pytest
from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

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


#: A template's columns in the order of its rows.
NAMES = "id environment name status active_version history_requires created_at updated_at"


def kept_by(number: int) -> tuple[Any, ...]:
    """The row as a prepared statement takes it."""
    return tuple(row(number)[name] for name in NAMES.split())


def test_rows_are_kept_in_the_form_that_the_schema_says(database: Backend) -> None:
    rows = [kept_by(number) for number in range(3)]
    keep = Prepared(insert(templates), NAMES)
    with database.writer.begin() as connection:
        connection.execute(insert(templates), row(100))
        keep.run(connection, rows[:1])
        keep.run(connection, rows[1:])
        keep.run(connection, [])
    with database.readers.connect() as connection:
        kept = [dict(each) for each in connection.execute(select(templates).order_by(templates.c.id)).mappings()]
    assert kept == [row(number) for number in (0, 1, 2, 100)]


def test_changes_touch_their_rows_and_columns_alone(database: Backend) -> None:
    change = Prepared(update(templates).where(templates.c.id == bindparam("of")), "status updated_at of")
    drop = Prepared(delete(templates).where(templates.c.id == bindparam("of")), "of")
    with database.writer.begin() as connection:
        Prepared(insert(templates), NAMES).run(connection, [kept_by(number) for number in range(4)])
        change.run(connection, [("active", START, f"t{n:03d}") for n in (1, 2)])
        drop.run(connection, [("t000",)])
    with database.readers.connect() as connection:
        kept = [dict(each) for each in connection.execute(select(templates).order_by(templates.c.id)).mappings()]
    assert kept == [row(1, status="active"), row(2, status="active"), row(3)]


def test_any_number_of_rows_is_found_in_order(database: Backend) -> None:
    find = PreparedSelect(select(templates.c.id).where(templates.c.id.in_(WANTED)).order_by(templates.c.id))
    with database.writer.begin() as connection:
        Prepared(insert(templates), NAMES).run(connection, [kept_by(number) for number in range(20)])
        for count in (0, 1, 2, 3, 5, 8, 13):
            wanted = [f"t{number:03d}" for number in reversed(range(count))]
            assert find.all(connection, [*wanted, "nowhere"]) == [(each,) for each in sorted(wanted)]
        assert find.all(connection, []) == []


def test_names_in_another_order_than_the_text_are_refused(database: Backend) -> None:
    change = Prepared(update(templates).where(templates.c.id == bindparam("of")), "of status")
    with database.writer.begin() as connection, pytest.raises(ValueError, match="in this order"):
        change.run(connection, [("t000", "active")])


def test_a_fault_is_told_without_values(database: Backend) -> None:
    keep = Prepared(insert(templates), NAMES)
    with pytest.raises(IntegrityError) as fault, database.writer.begin() as connection:
        keep.run(connection, [kept_by(4711), kept_by(4711)])
    assert "4711" not in str(fault.value)
