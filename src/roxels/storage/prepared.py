"""Statements made ready once and run often: the few that every fact and every piece goes through.

SQLAlchemy looks a statement up and works its parameters over each time it runs; for rows as small as facts, that costs
more than to keep them. Here the text is made once for each database, and what is left is the driver's own work. Columns
and their types are still those of `storage.schema`, and nowhere else.
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from sqlalchemy import BindParameter, Connection, Delete, Dialect, Insert, Update, bindparam
from sqlalchemy.sql.compiler import SQLCompiler

from roxels.storage.transaction import AnySelect, Rows

#: What a prepared select looks for: a column is `in_` these.
WANTED: BindParameter[str] = bindparam("wanted", expanding=True)


class _Text(msgspec.Struct, frozen=True):
    sql: str
    #: The names of a row's values, in the order of the text.
    names: tuple[str, ...]
    #: The places of those that the database keeps in another form, and how it is made.
    forms: tuple[tuple[int, Callable[[Any], Any]], ...]

    def of(self, row: dict[str, Any]) -> tuple[Any, ...]:
        """A row as the driver takes it."""
        values = [row[name] for name in self.names]
        for place, form in self.forms:
            values[place] = form(values[place])
        return tuple(values)


class Prepared:
    """A change that is made for many rows."""

    def __init__(self, change: Insert | Update | Delete) -> None:
        self._change = change
        self._texts: dict[str, _Text] = {}

    def run(self, connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
        """Run it once per row. All rows, at all times, have the same names: columns that are set, and `bindparam`s."""
        if not rows:
            return
        dialect = connection.dialect
        text = self._texts.get(dialect.name)
        if text is None:
            text = self._texts[dialect.name] = self._text(dialect, list(rows[0]))
        connection.exec_driver_sql(text.sql, [text.of(row) for row in rows])

    def _text(self, dialect: Dialect, columns: list[str]) -> _Text:
        compiled = _compiled(self._change.compile(dialect=dialect, column_keys=columns))
        names = tuple(compiled.positiontup or ())
        made = [compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect) for name in names]
        forms = tuple((place, form) for place, form in enumerate(made) if form is not None)
        return _Text(compiled.string, names, forms)


class PreparedSelect:
    """A select of rows whose one column is among those `WANTED`; other values cannot stand in it."""

    def __init__(self, query: AnySelect) -> None:
        self._query = query
        self._texts: dict[tuple[str, int], str] = {}

    def all(self, connection: Connection, wanted: Sequence[str]) -> Sequence[Rows]:
        """The rows as the driver reads them."""
        if not wanted:
            return []
        places = 1 << (len(wanted) - 1).bit_length()  # a few texts do for any number: the last value fills the rest
        key = (connection.dialect.name, places)
        text = self._texts.get(key)
        if text is None:
            text = self._texts[key] = self._text(connection.dialect, places)
        values = (*wanted, *[wanted[-1]] * (places - len(wanted)))
        return connection.exec_driver_sql(text, values).all()

    def _text(self, dialect: Dialect, places: int) -> str:
        compiled = _compiled(self._query.compile(dialect=dialect))
        return compiled.construct_expanded_state({WANTED.key: [""] * places}).statement


def _compiled(made: Any) -> SQLCompiler:
    assert isinstance(made, SQLCompiler)
    return made
