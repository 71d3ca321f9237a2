"""The calls by which a browser is let in: start a visit, enter one, see how the launcher looks."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from roxels.actions import admit
from roxels.actions.admit import Exchange
from roxels.api import bodies, shapes, views
from roxels.api.answers import Answer, reply
from roxels.api.auth import Embed, Public
from roxels.api.reading import StrictRoute
from roxels.domain.domains import permits
from roxels.domain.errors import Forbidden, NotFound, Unauthorized
from roxels.storage import keys, sessions, templates
from roxels.storage.sessions import Visit
from roxels.storage.transaction import Across

router = APIRouter(prefix="/v1/embed", route_class=StrictRoute, tags=["Browser"])


@router.post("/sessions", status_code=201, response_model=shapes.Visit)
async def start_session(key: Embed, body: bodies.StartSession) -> Response:
    """Start a visit, as the embed does: finds or makes the person, continues or begins a conversation, says why.

    Works without a browser too. A key with domains refuses a page of another site with 403.
    """
    own = key.services.origin
    if not all(permits(key.row.allowed_domains, origin, own) for origin in body.origins(key.origin)):
        raise Forbidden("This embed key may not be used on this site; add its domain to the key's `allowed_domains`.")
    admitted = await key.write(admit.admit, body.wish(key.row), key.services.ids)
    return reply(Answer(body=views.visit(admitted, own), status=201))


@router.post("/sessions/exchange", status_code=201, response_model=shapes.Visit)
async def exchange_session(caller: Public, body: bodies.ExchangeSession) -> Response:
    """Enter a visit that a server opened, with its `session_id`, or with a join link's two parts. Once.

    Whatever is wrong, the answer is the same 401.
    """
    services = caller.services
    visit = await services.store.read_across(_waiting, body)
    if visit is None:
        raise Unauthorized(admit.CLOSED)
    asked = Exchange(
        visit=visit,
        origins=body.origins(caller.origin),
        own_origin=services.origin,
        timezone=body.zone(),
        locale=body.locale,
    )
    admitted = await services.store.write(visit.environment, admit.exchange, asked, services.ids)
    return reply(Answer(body=views.visit(admitted, services.origin), status=201))


@router.get("/launcher", response_model=shapes.Launcher)
async def get_launcher(caller: Public, key: Annotated[str, Query(description="The embed key.")]) -> Response:
    """How the floating button of this key's template looks, and on which views it is shown."""
    return reply(Answer(body=await caller.services.store.read_across(_launcher, key)))


def _waiting(view: Across, body: bodies.ExchangeSession) -> Visit | None:
    if body.session_id is not None and body.interview_id is None and body.join_secret is None:
        return sessions.by_id(view, body.session_id)
    if body.session_id is None and body.interview_id is not None and body.join_secret is not None:
        return sessions.by_join_secret(view, body.interview_id, body.join_secret)
    return None


def _launcher(view: Across, value: str) -> shapes.Launcher:
    key = keys.embed_key_by_value(view, value)
    if key is None:
        raise Unauthorized("This embed key is not known, or was revoked.", field="key")
    kept = templates.active_across(view, key.template_id)
    if kept is None:
        raise NotFound
    template = kept.read()
    return views.launcher(template.launcher, template.name)
