"""`cursor` and `limit` of every list."""

import base64
import json
from datetime import UTC, datetime
from typing import Annotated, Any, get_args

from fastapi import Query

from roxels.domain import texts
from roxels.domain.errors import Invalid
from roxels.storage.pages import Cursor, ForeignCursor, Span
from roxels.storage.transaction import Environment

Limit = Annotated[int, Query(ge=1, le=200, description="Rows of one page.")]
After = Annotated[str | None, Query(alias="cursor", description="`next_cursor` of the page before; opaque.")]

#: Whose rows are numbered.
NUMBERED = "receipts"


def span(after: str | None, limit: int) -> Span:
    """Which page is wanted. Raises `Invalid`."""
    return Span(after=None if after is None else read(after), limit=limit)


def written(cursor: Cursor) -> str:
    """The cursor as it is sent."""
    return _packed(cursor.environment, cursor.rows, cursor.at.isoformat(), cursor.id)


def read(text: str) -> Cursor:
    """The cursor that `written` wrote. Raises `ForeignCursor`."""
    try:
        environment, rows, at, row_id = _unpacked(text)
        moment = datetime.fromisoformat(at).astimezone(UTC)
        texts.check(row_id, "The row")
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError, Invalid):
        raise ForeignCursor from None
    if environment not in get_args(Environment) or not isinstance(rows, str):
        raise ForeignCursor
    return Cursor(moment, row_id, environment, rows)


def place_written(environment: Environment, place: int) -> str:
    """The same for receipts, which are numbered."""
    return _packed(environment, NUMBERED, place)


def place(text: str | None, environment: Environment) -> int | None:
    """The place that `place_written` wrote in this environment. Raises `ForeignCursor`."""
    if text is None:
        return None
    try:
        where, rows, number = _unpacked(text)
    except (ValueError, TypeError, RecursionError):
        raise ForeignCursor from None
    if (where, rows) != (environment, NUMBERED) or type(number) is not int or not 0 <= number < 2**53:
        raise ForeignCursor
    return number


def _packed(*parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode()


def _unpacked(text: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(text.encode("ascii")))
