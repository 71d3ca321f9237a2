"""The calls by which a browser is let in: start a visit, enter one, see how the launcher looks."""

from typing import Annotated, get_args

from fastapi import APIRouter, Query
from starlette.responses import Response

from roxels.actions import admit, revoke
from roxels.actions.admit import Exchange
from roxels.actions.identify import TokenExpired, TokenRefused, note_refusal
from roxels.actions.recognise import Recognised, recognise
from roxels.api import bodies, device, shapes, views
from roxels.api.answers import Answer, reply
from roxels.api.auth import Attending, Embed, Public
from roxels.api.beat import on_the_beat
from roxels.api.device import Asking, Known
from roxels.api.reading import StrictRoute
from roxels.api.services import Services
from roxels.domain.domains import permits
from roxels.domain.errors import Forbidden, NotFound, Unauthorized
from roxels.domain.receipts import Kind
from roxels.storage import devices, keys, sessions, templates
from roxels.storage.audit import BROWSER, Actor
from roxels.storage.sessions import Visit
from roxels.storage.transaction import Across, Environment, Writing

router = APIRouter(prefix="/v1/embed", route_class=StrictRoute, tags=["Browser"])


@router.post("/sessions", status_code=201, response_model=shapes.Visit)
async def start_session(key: Embed, body: bodies.StartSession) -> Response:
    """Start a visit, as the embed does: finds or makes the person, continues or begins a conversation, says why.

    Works without a browser too. A key with domains refuses a page of another site with 403.
    """
    services = key.services
    if not all(permits(key.row.allowed_domains, origin, services.origin) for origin in body.origins(key.asking.origin)):
        raise Forbidden("This embed key may not be used on this site; add its domain to the key's `allowed_domains`.")
    browser, headers = await _browser(services, key.asking, key.row.environment, body.host_origin)
    wish, token = body.wish(key.row, browser), body.identity_token
    if services.limits is not None:
        claimed = None if token is not None else wish.external_id
        services.limits.start(key.row.id, key.address, wish.browser, claimed and f"{key.row.environment} {claimed}")
    if token is None:
        async with on_the_beat(services.clock, matters=wish.external_id is not None):
            admitted = await key.write(admit.admit, wish, services.ids)
    else:
        try:
            admitted = await key.write(admit.admit_by_token, wish, token, services.sealer, services.ids)
        except (TokenRefused, TokenExpired) as refusal:
            await key.write(note_refusal, services.audit, Actor("browser", key.row.id), refusal)
            raise
    return reply(Answer(body=views.visit(admitted, services.origin), status=201, headers=headers))


@router.post("/sessions/exchange", status_code=201, response_model=shapes.Visit)
async def exchange_session(caller: Public, body: bodies.ExchangeSession) -> Response:
    """Enter a visit that a server opened, with its `session_id`, or with a join link's two parts. One browser may.

    Whatever is wrong, the answer is the same 401.
    """
    services = caller.services
    if services.limits is not None:
        services.limits.start("", caller.address, None, None)
    visit = await services.store.read_across(_waiting, body)
    if visit is None:
        raise Unauthorized(admit.CLOSED)
    browser, headers = await _browser(services, caller.asking, visit.environment, body.host_origin)
    asked = Exchange(
        visit=visit,
        origins=body.origins(caller.asking.origin),
        own_origin=services.origin,
        timezone=body.zone(),
        locale=body.locale,
        browser=browser.hash if browser else None,
        host=browser.host if browser else None,
        tab=body.tab,
    )
    admitted = await services.store.write(visit.environment, admit.exchange, asked, services.ids)
    return reply(Answer(body=views.visit(admitted, services.origin), status=201, headers=headers))


@router.post("/sessions/identify", response_model=shapes.Recognised)
async def identify_session(caller: Attending, body: bodies.IdentifySession) -> Response:
    """Say who a running talk is with, as `Roxels.setPerson` does. Nothing in the answer tells who is known."""
    services, visit = caller.services, caller.visit
    browser = device.known(caller.asking, visit.environment, body.host_origin)
    claim = body.claim(visit, browser if browser is not None and browser.hash == visit.browser else None)

    def work(tx: Writing) -> Recognised:
        recognised = recognise(tx, claim, services.sealer, services.ids)
        if recognised.outcome == "adopted":
            about: tuple[Kind, str] = ("interview", visit.conversation_id)
            services.audit.note(tx, BROWSER, "identity.adopted", about, by="browser")
        return recognised

    try:
        async with on_the_beat(services.clock, matters=body.identity_token is None):
            done = await services.store.write(visit.environment, work)
    except (TokenRefused, TokenExpired) as refusal:
        await services.store.write(visit.environment, note_refusal, services.audit, BROWSER, refusal)
        raise
    admitted = None if done.admitted is None else views.visit(done.admitted, services.origin)
    return reply(Answer(body={"outcome": done.outcome, "visit": admitted}))


@router.post("/sessions/reset", response_model=shapes.SignedOut)
async def reset_session(caller: Public, body: bodies.ResetSession) -> Response:
    """Sign this browser out: the session whose token is sent ends, and the browser is a stranger to everybody.

    The answer is the same whatever there was to end.
    """
    services, headers = caller.services, dict[str, str]()
    visit = await services.store.read_across(sessions.by_token, body.token) if body.token else None
    if visit is not None:
        await services.store.write(visit.environment, revoke.end_session, visit.conversation_id, visit.session_id)
    for environment in get_args(Environment):
        browser = device.known(caller.asking, environment, body.host_origin)
        if browser is not None and (visit is None or environment == visit.environment):
            await services.store.write(environment, revoke.sign_out, browser.hash, services.audit)
            headers = device.taken_from(browser)
    return reply(Answer(body={"signed_out": True}, headers=headers))


@router.get("/launcher", response_model=shapes.Launcher)
async def get_launcher(caller: Public, key: Annotated[str, Query(description="The embed key.")]) -> Response:
    """How the floating button of this key's template looks, and on which views it is shown."""
    return reply(Answer(body=await caller.services.store.read_across(_launcher, key)))


async def _browser(
    services: Services, given: Asking, environment: Environment, host_origin: str | None
) -> tuple[Known | None, dict[str, str]]:
    """The browser that asks, and what to leave with it: one that is new or was revoked starts under a new secret."""
    browser = device.known(given, environment, host_origin)
    if browser is not None and not await services.store.read(environment, devices.is_spent, browser.hash):
        return browser, {}
    browser = device.begun(given, environment, host_origin, services.ids)
    return browser, device.given_to(browser) if browser else {}


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
