"""Which rows of which tables are about a person or a conversation: read from the schema, never listed by hand.

A road goes from a table along foreign keys to the subject: `attempts.delivery_id → deliveries.conversation_id →
conversations.person_id`. Whatever has a road is erased with its subject, children before parents. A test finds a table
that can hold something of a person (`about=PERSON`) and has no road.
"""

from collections.abc import Iterator
from typing import Any, Final, get_args

import msgspec
from sqlalchemy import Column, ColumnElement, MetaData, Select, Table, delete, or_, select, tuple_

from roxels.domain.receipts import Kind
from roxels.storage.schema import conversations, metadata, persons
from roxels.storage.transaction import Environment, Reading, Writing

Columns = tuple[Column[Any], ...]

#: What can be erased, by the word of the receipt.
ROOTS: Final[dict[Kind, str]] = {"person": persons.name, "interview": conversations.name}


class Road(msgspec.Struct, frozen=True):
    """One way from the rows of a table to a subject."""

    table: Table
    #: The columns to follow; the last one holds the subject's id.
    columns: Columns

    def rows(self, environment: Environment, subject_id: str, at_most: int) -> Select[*tuple[Any, ...]]:
        """The primary keys of the rows that lead to the subject."""
        found: Select[*tuple[Any, ...]] = select(*self.table.primary_key.columns)
        return found.where(self.leads(environment, subject_id)).limit(at_most)

    def remove(self, tx: Writing, subject_id: str, at_most: int) -> int:
        """Delete so many of these rows, and say how many there were."""
        keys = list(self.table.primary_key.columns)
        key = keys[0] if len(keys) == 1 else tuple_(*keys)
        return tx.run(delete(self.table).where(key.in_(self.rows(tx.environment, subject_id, at_most))))

    def leads(self, environment: Environment, subject_id: str) -> ColumnElement[bool]:
        """Whether a row leads to the subject."""
        return self._leads(self.columns, environment, subject_id)

    def _leads(self, columns: Columns, environment: Environment, subject_id: str) -> ColumnElement[bool]:
        first, *rest = columns
        leads: ColumnElement[bool] = first == subject_id
        if rest:
            parent = next(iter(first.foreign_keys)).column
            leads = first.in_(select(parent).where(self._leads(tuple(rest), environment, subject_id)))
        own = first.table.c.get("environment")
        return leads if own is None else leads & (own == environment)


def roads(kind: Kind, schema: MetaData = metadata) -> tuple[Road, ...]:
    """All roads to a person or conversation, children before parents, the subject's own row last."""
    root = schema.tables[ROOTS[kind]]
    return tuple(
        Road(table, columns) for table in reversed(schema.sorted_tables) for columns in _ways(table, root, (table,))
    )


def _ways(table: Table, root: Table, passed: tuple[Table, ...]) -> Iterator[Columns]:
    if table is root:
        yield tuple(root.primary_key.columns)
        return
    for column in table.columns:
        for key in column.foreign_keys:
            parent = key.column.table
            if parent is root:
                yield (column,)
            elif parent not in passed:
                for rest in _ways(parent, root, (*passed, parent)):
                    yield (column, *rest)


ROADS: Final[dict[Kind, tuple[Road, ...]]] = {kind: roads(kind) for kind in get_args(Kind)}


def tables(kind: Kind) -> tuple[Table, ...]:
    """Every table that leads to a subject of this kind, its own first."""
    return tuple(dict.fromkeys(road.table for road in reversed(ROADS[kind])))


def rows_of(tx: Reading, kind: Kind, subject_id: str, table: Table) -> list[dict[str, Any]]:
    """All rows of one table that lead to the subject, whole, in the order of their keys."""
    leads = or_(*(road.leads(tx.environment, subject_id) for road in ROADS[kind] if road.table is table))
    query: Select[*tuple[Any, ...]] = select(*table.columns)
    return [dict(row._mapping) for row in tx.all(query.where(leads).order_by(*table.primary_key.columns))]


def remove(tx: Writing, kind: Kind, subject_id: str, at_most: int) -> dict[str, int]:
    """Delete the next rows that lead to the subject, `at_most` of them; says how many of which table.

    Fewer than `at_most` in all: nothing is left.
    """
    removed: dict[str, int] = {}
    for road in ROADS[kind]:
        count = road.remove(tx, subject_id, at_most - sum(removed.values()))
        if count:
            removed[road.table.name] = removed.get(road.table.name, 0) + count
        if sum(removed.values()) >= at_most:
            break
    return removed
