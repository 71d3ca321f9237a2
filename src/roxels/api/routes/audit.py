"""The audit log: who did what of consequence, filtered, and as a whole for whoever keeps it elsewhere."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response, StreamingResponse

from roxels.api import bodies, paging, shapes, views
from roxels.api.answers import Answer, encoded, reply
from roxels.api.auth import Secret, SecretKey
from roxels.api.reading import StrictRoute
from roxels.storage import audit
from roxels.storage.audit import AuditFilter
from roxels.storage.pages import Span

router = APIRouter(prefix="/v1/audit", route_class=StrictRoute, tags=["Audit"])

ActionName = Annotated[str | None, Query(description="Only this action, e.g. `erase.begun`.")]
ActorId = Annotated[str | None, Query(description="Only what this key, operator or job did.")]
About = Annotated[str | None, Query(description="An id of a person or conversation, erased or not: only about it.")]
Since = Annotated[datetime | None, Query(description="At this time or later.")]
Until = Annotated[datetime | None, Query(description="Before this time.")]


@router.get("", response_model=shapes.Page[shapes.AuditEntry])
async def list_audit(
    key: Secret,
    action: ActionName = None,
    actor_id: ActorId = None,
    about: About = None,
    since: Since = None,
    until: Until = None,
    cursor: paging.After = None,
    limit: paging.Limit = 50,
) -> Response:
    """List what was done, newest first. Whom it is about is told as the salted hash that receipts use too."""
    wanted = _wanted(key, action, actor_id, about, since, until)
    found = await key.read(audit.listed, wanted, paging.span(cursor, limit))
    return reply(Answer(body=views.page(found, views.audit_entry)))


@router.get("/export", response_class=Response)
async def export_audit(
    key: Secret,
    action: ActionName = None,
    actor_id: ActorId = None,
    about: About = None,
    since: Since = None,
    until: Until = None,
) -> Response:
    """Fetch all of it as JSON lines, newest first, under the same filters."""
    wanted = _wanted(key, action, actor_id, about, since, until)
    headers = {"Content-Disposition": 'attachment; filename="audit.jsonl"', "Cache-Control": "no-store"}
    return StreamingResponse(_lines(key, wanted), media_type="application/x-ndjson", headers=headers)


async def _lines(key: SecretKey, wanted: AuditFilter) -> AsyncIterator[str]:
    span: Span | None = Span(limit=200)
    while span is not None:
        found = await key.read(audit.listed, wanted, span)
        yield "".join(encoded(views.audit_entry(each)) + "\n" for each in found.items)
        span = None if found.next is None else Span(after=found.next, limit=200)


def _wanted(
    key: SecretKey,
    action: str | None,
    actor_id: str | None,
    about: str | None,
    since: datetime | None,
    until: datetime | None,
) -> AuditFilter:
    return AuditFilter(
        action=action,
        actor_id=actor_id,
        subjects=None if about is None else key.services.eraser.subjects(about),
        since=bodies.aware(since),
        until=bodies.aware(until),
    )
