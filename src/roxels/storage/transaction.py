"""Transactions as values: each has its environment and its time, and a read has no way to write.

    Reading    one environment, select only           Across          all environments: tokens, worker, sweeps
    Writing    one environment, select and change     AcrossWriting   the same, with changes

Every query takes one of these, so none can forget which environment it is in.
"""

from collections import Counter
from datetime import datetime
from typing import Any, Literal, cast

from sqlalchemy import Connection, CursorResult, Delete, Insert, Row, Select, Table, Update
from sqlalchemy.dialects import postgresql, sqlite

Environment = Literal["test", "live"]
Change = Insert | Update | Delete
AnySelect = Select[*tuple[Any, ...]]
Rows = Row[*tuple[Any, ...]]

INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


class View:
    """A consistent view of the database."""

    def __init__(self, connection: Connection, now: datetime) -> None:
        self._connection = connection
        self.now = now
        #: Conversations whose log this transaction changed; whoever listens is told once it is committed.
        self.touched: set[str] = set()
        #: Whether this transaction made a delivery due; the worker is told once it is committed.
        self.owes = False
        #: What it did, for `/metrics`: (what, of which kind) and how often. It counts once it is committed.
        self.counts: Counter[tuple[str, str]] = Counter()

    def all(self, query: AnySelect) -> list[Rows]:
        """All rows."""
        return list(self._connection.execute(query).all())

    def first(self, query: AnySelect) -> Rows | None:
        """The first row, or None."""
        return self._connection.execute(query).first()

    def held(self, query: AnySelect) -> AnySelect:
        """The same rows, kept as they stand until this transaction ends, where it may change them.

        For all that is read to be changed: on PostgreSQL two such transactions would overwrite each other otherwise.
        SQLite has one writer and needs nothing. What hangs on the rows is read afterwards, in a query of its own.
        """
        return query

    def value(self, query: AnySelect) -> Any:
        """The first column of the first row, or None."""
        return self._connection.execute(query).scalar()


class Reading(View):
    """A view of one environment."""

    def __init__(self, connection: Connection, environment: Environment, now: datetime) -> None:
        super().__init__(connection, now)
        self.environment = environment


class Writing(Reading):
    """A transaction that may change one environment."""

    def held(self, query: AnySelect) -> AnySelect:
        """The rows, locked."""
        return query.with_for_update(key_share=True)

    @property
    def connection(self) -> Connection:
        """The connection itself, for `storage.log`, which writes in statements of its own."""
        return self._connection

    def run(self, statement: Change, rows: list[dict[str, Any]] | None = None) -> int:
        """Insert, update or delete, once or once per row; says how many rows it touched."""
        return _run(self._connection, statement, rows)

    def insert_if_absent(self, table: Table, row: dict[str, Any]) -> bool:
        """Insert unless a row with the same unique values stands; says whether it did."""
        return self.run(INSERT[self._connection.dialect.name](table).values(row).on_conflict_do_nothing()) == 1


class Across(View):
    """A view over all environments."""


class AcrossWriting(Across):
    """A transaction over all environments."""

    def held(self, query: AnySelect) -> AnySelect:
        """The rows, locked."""
        return query.with_for_update(key_share=True)

    @property
    def connection(self) -> Connection:
        """The connection itself, for `storage.log`."""
        return self._connection

    def run(self, statement: Change, rows: list[dict[str, Any]] | None = None) -> int:
        """Insert, update or delete, once or once per row; says how many rows it touched."""
        return _run(self._connection, statement, rows)


def _run(connection: Connection, statement: Change, rows: list[dict[str, Any]] | None) -> int:
    if rows is not None and not rows:
        return 0
    # of an INSERT, some drivers' row counts are gone when the statement has run
    counted = statement.execution_options(preserve_rowcount=True)
    result = connection.execute(counted) if rows is None else connection.execute(counted, rows)
    return cast("CursorResult[Any]", result).rowcount
