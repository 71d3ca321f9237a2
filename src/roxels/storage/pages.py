"""Pages of a list by keyset: newest first, each beginning where the last one ended, at the same cost everywhere."""

from collections.abc import Callable
from datetime import datetime
from typing import Generic, TypeVar

import msgspec
from sqlalchemy import Column, literal, tuple_

from roxels.storage.transaction import AnySelect, Rows, View

T = TypeVar("T")


class Cursor(msgspec.Struct, frozen=True):
    """The last row of a page: its time and id."""

    at: datetime
    id: str


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """Which page is wanted: what follows `after`, at most `limit` rows."""

    after: Cursor | None = None
    limit: int = 50


class Page(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """Some rows, and where the next page begins; None where this is the last."""

    items: list[T]
    next: Cursor | None = None


def page(
    view: View, query: AnySelect, order: tuple[Column[datetime], Column[str]], span: Span, made: Callable[[Rows], T]
) -> Page[T]:
    """One page of `query`, ordered by (time, id), newest first; both columns are among those selected."""
    at, row_id = order
    if span.after is not None:
        query = query.where(tuple_(at, row_id) < tuple_(literal(span.after.at, at.type), literal(span.after.id)))
    rows = view.all(query.order_by(at.desc(), row_id.desc()).limit(span.limit + 1))
    shown = rows[: span.limit]
    more = len(rows) > span.limit
    last = shown[-1]._mapping if more else None
    return Page(items=[made(row) for row in shown], next=Cursor(last[at], last[row_id]) if last else None)
