"""For how long an environment keeps what. By itself, everything for ever."""

import msgspec
from fastapi import APIRouter
from starlette.responses import Response

from roxels.actions import retention as keeping
from roxels.api import bodies, shapes, views
from roxels.api.answers import Answer, reply
from roxels.api.auth import Secret
from roxels.api.reading import StrictRoute
from roxels.storage import retention
from roxels.storage.retention import Overdue, Rule
from roxels.storage.transaction import Reading, Writing

router = APIRouter(prefix="/v1/retention", route_class=StrictRoute, tags=["Retention"])


@router.get("", response_model=shapes.Retention)
async def get_retention(key: Secret) -> Response:
    """Read for how many days what is kept, and what would go now."""
    return reply(Answer(body=views.retention(*await key.read(_read))))


@router.put("", response_model=shapes.Retention)
async def put_retention(key: Secret, body: bodies.SetRetention) -> Response:
    """Say for how many days what is kept; null, or nothing, keeps for ever. It is applied once an hour.

    Look before with POST /v1/retention/preview: what goes does not come back.
    """

    def work(tx: Writing) -> tuple[Rule, Overdue]:
        rule = msgspec.structs.replace(body.rule(), updated_at=tx.now)
        retention.put(tx, rule)
        key.note(tx, "retention.changed", None, **body.days())
        return _read(tx)

    return reply(Answer(body=views.retention(*await key.write(work))))


@router.post("/preview", response_model=shapes.Retention)
async def preview_retention(key: Secret, body: bodies.SetRetention) -> Response:
    """See what such a rule would remove now. Nothing is changed."""

    def look(tx: Reading) -> tuple[Rule, Overdue]:
        rule = body.rule()
        return rule, keeping.preview(tx, rule)

    return reply(Answer(body=views.retention(*await key.read(look))))


def _read(tx: Reading) -> tuple[Rule, Overdue]:
    rule = retention.get(tx)
    return rule, keeping.preview(tx, rule)
