"""`cursor` and `limit` of every list."""

import base64
import binascii
import json
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Query

from roxels.domain.errors import Invalid
from roxels.storage.pages import Cursor, Span

Limit = Annotated[int, Query(ge=1, le=200, description="Rows of one page.")]
After = Annotated[str | None, Query(alias="cursor", description="`next_cursor` of the page before; opaque.")]


def span(after: str | None, limit: int) -> Span:
    """Which page is wanted. Raises `Invalid`."""
    return Span(after=None if after is None else read(after), limit=limit)


def written(cursor: Cursor) -> str:
    """The cursor as it is sent."""
    return base64.urlsafe_b64encode(json.dumps([cursor.at.isoformat(), cursor.id]).encode()).decode()


def read(text: str) -> Cursor:
    """The cursor that `written` wrote. Raises `Invalid`."""
    try:
        at, row_id = json.loads(base64.urlsafe_b64decode(text.encode("ascii")))
        moment = datetime.fromisoformat(at).astimezone(UTC)
        row_id.encode()
    except (binascii.Error, ValueError, TypeError, AttributeError, RecursionError, OverflowError):
        raise Invalid("`cursor` is not one of ours; pass `next_cursor` on as it came.", field="cursor") from None
    return Cursor(moment, row_id)
