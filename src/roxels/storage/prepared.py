"""Statements made ready once and run often: the few that every fact and every piece goes through.

SQLAlchemy looks a statement up and works its parameters over each time it runs; for rows as small as facts, that costs
more than to keep them. Here the text is made once for each database, and what is left is the driver's own work. Columns
and their types are still those of `storage.schema`, and nowhere else.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
from sqlalchemy import BindParameter, Connection, Delete, Dialect, Insert, Update, bindparam
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.compiler import SQLCompiler

from roxels.storage.transaction import AnySelect

#: What a prepared select looks for: a column is `in_` these.
WANTED: BindParameter[str] = bindparam("wanted", expanding=True)

Row = tuple[Any, ...]


class _Text(msgspec.Struct, frozen=True):
    sql: str
    #: The places of values that the database keeps in another form, and how it is made.
    forms: tuple[tuple[int, Callable[[Any], Any]], ...]

    def of(self, row: Row) -> Sequence[Any]:
        """A row as the driver takes it."""
        if not self.forms:
            return row
        values = list(row)
        for place, form in self.forms:
            values[place] = form(values[place])
        return tuple(values)


class Prepared:
    """A change that is made for many rows."""

    def __init__(self, change: Insert | Update | Delete, names: str) -> None:
        """`names` of a row's values, columns that are set and `bindparam`s, in the order of the text."""
        self._change = change
        self._names = tuple(names.split())
        self._texts: dict[str, _Text] = {}

    def run(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Run it once per row."""
        if not rows:
            return
        dialect = connection.dialect
        text = self._texts.get(dialect.name)
        if text is None:
            text = self._texts[dialect.name] = self._text(dialect)
        values = [text.of(row) for row in rows]
        if _is_plain(dialect):
            with _driver(connection) as cursor:
                cursor.executemany(text.sql, values)
        else:
            connection.exec_driver_sql(text.sql, values)

    def _text(self, dialect: Dialect) -> _Text:
        compiled = _compiled(self._change.compile(dialect=dialect, column_keys=list(self._names)))
        if compiled.positiontup != list(self._names):
            raise ValueError(f"the text has its values in this order: {compiled.positiontup}")
        made = [compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect) for name in self._names]
        return _Text(compiled.string, tuple((place, form) for place, form in enumerate(made) if form is not None))


class PreparedSelect:
    """A select of rows whose one column is among those `WANTED`; other values cannot stand in it."""

    def __init__(self, query: AnySelect) -> None:
        self._query = query
        self._texts: dict[tuple[str, int], str] = {}

    def all(self, connection: Connection, wanted: Sequence[str]) -> Sequence[Row]:
        """The rows as the driver reads them."""
        if not wanted:
            return []
        places = 1 << (len(wanted) - 1).bit_length()  # a few texts do for any number: the last value fills the rest
        key = (connection.dialect.name, places)
        text = self._texts.get(key)
        if text is None:
            text = self._texts[key] = self._text(connection.dialect, places)
        values = (*wanted, *[wanted[-1]] * (places - len(wanted)))
        if _is_plain(connection.dialect):
            with _driver(connection) as cursor:
                cursor.execute(text, values)
                return list(cursor.fetchall())
        return [tuple(row) for row in connection.exec_driver_sql(text, values)]

    def _text(self, dialect: Dialect, places: int) -> str:
        compiled = _compiled(self._query.compile(dialect=dialect))
        return compiled.construct_expanded_state({WANTED.key: [""] * places}).statement


def _is_plain(dialect: Dialect) -> bool:
    """Whether its driver can be used without the layers around it: SQLite's, which loses no connection, and whose
    faults tell no values.
    """
    return dialect.name == "sqlite"


@contextmanager
def _driver(connection: Connection) -> Iterator[Any]:
    """The driver's own cursor; its faults are told as SQLAlchemy tells them."""
    cursor = connection.connection.cursor()
    base = connection.dialect.loaded_dbapi.Error
    try:
        yield cursor
    except base as fault:
        raise DBAPIError.instance(None, None, fault, base, hide_parameters=True) from fault
    finally:
        cursor.close()


def _compiled(made: Any) -> SQLCompiler:
    assert isinstance(made, SQLCompiler)
    return made
