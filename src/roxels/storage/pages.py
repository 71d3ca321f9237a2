"""Pages of a list by keyset: newest first, each beginning where the last one ended, at the same cost everywhere."""

from collections.abc import Callable
from datetime import datetime
from typing import Generic, TypeVar

import msgspec
from sqlalchemy import Column, literal, tuple_

from roxels.domain.errors import Invalid
from roxels.storage.transaction import AnySelect, Environment, Reading, Rows

T = TypeVar("T")


class Cursor(msgspec.Struct, frozen=True):
    """The last row of a page: its time and id, the environment that was read, and whose rows; None: no page's."""

    at: datetime
    id: str
    environment: Environment | None = None
    rows: str | None = None


class ForeignCursor(Invalid):
    """`cursor` is not one of ours for this list; pass `next_cursor` on as it came, to the list that it came from."""

    def __init__(self) -> None:
        super().__init__(field="cursor")


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """Which page is wanted: what follows `after`, at most `limit` rows."""

    after: Cursor | None = None
    limit: int = 50


class Page(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """Some rows, and where the next page begins; None where this is the last."""

    items: list[T]
    next: Cursor | None = None


def page(
    tx: Reading, query: AnySelect, order: tuple[Column[datetime], Column[str]], span: Span, made: Callable[[Rows], T]
) -> Page[T]:
    """One page of `query`, ordered by (time, id), newest first; both columns are among those selected.

    Raises `ForeignCursor` where the page before was one of the other environment, or of another kind of thing.
    """
    at, row_id = order
    rows_of = str(at.table)
    if span.after is not None:
        if span.after.environment != tx.environment or span.after.rows not in (None, rows_of):
            raise ForeignCursor
        query = query.where(tuple_(at, row_id) < tuple_(literal(span.after.at, at.type), literal(span.after.id)))
    rows = tx.all(query.order_by(at.desc(), row_id.desc()).limit(span.limit + 1))
    shown = rows[: span.limit]
    more = len(rows) > span.limit
    last = shown[-1]._mapping if more else None
    after = Cursor(last[at], last[row_id], tx.environment, rows_of) if last else None
    return Page(items=[made(row) for row in shown], next=after)
