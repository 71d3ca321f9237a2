"""Who may look: operators, signed in by e-mail and password, for 12 hours. Where a password comes from says
`storage.operators`.

    cookie `roxels_operator`      the session's token: HttpOnly, SameSite=Lax, Secure behind https; kept as a hash
    cookie `roxels_visitor`       before signing in, so that the sign-in form too has something to be bound to
    cookie `roxels_environment`   `test` or `live`: which side of the wall the pages show
    hidden field `csrf`           an HMAC under the cookie's secret: who cannot read the cookie cannot write the form

A form is taken from our own pages only: its `csrf` fits, and its `Origin`, where the browser says one, is ours.
"""

import hashlib
import hmac
from collections.abc import Awaitable, Callable
from typing import Any, get_args
from urllib.parse import quote, urlsplit

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from roxels.dashboard.desk import Desk
from roxels.dashboard.viewer import Viewer
from roxels.domain import texts
from roxels.domain.errors import Forbidden, RateLimited, RoxelsError, Unauthorized
from roxels.storage import operators
from roxels.storage.audit import Actor
from roxels.storage.operators import Operator
from roxels.storage.transaction import Environment
from roxels.wire.limits import Buckets

HOME = "/dashboard/"
LOGIN = "/dashboard/login"
#: Where a code is exchanged for a password. A code may stand behind `#`, which is sent nowhere.
WELCOME = "/dashboard/welcome"
SESSION, VISITOR, ENVIRONMENT = "roxels_operator", "roxels_visitor", "roxels_environment"
#: Tries to sign in at once, and then one in so many seconds: for one e-mail from one address, and for one address.
TRIES, SECONDS_A_TRY = 10, 30.0
TRIES_OF_ADDRESS = 50


Page = Callable[[Viewer, Request], Awaitable[Response]]
Change = Callable[[Viewer, Request, FormData], Awaitable[Response]]


class Gate:
    """Lets operators in, and nobody else."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        clock = desk.services.clock
        self._tries = Buckets(clock, per_second=1 / SECONDS_A_TRY, burst=TRIES)
        self._tries_of_address = Buckets(clock, per_second=5 / SECONDS_A_TRY, burst=TRIES_OF_ADDRESS)

    def shows(self, page: Page) -> Callable[[Request], Awaitable[Response]]:
        """An address that shows something to operators; everyone else is asked to sign in."""

        async def endpoint(request: Request) -> Response:
            viewer = await self.viewer(request)
            if viewer is None:
                return RedirectResponse(f"{LOGIN}?next={quote(_wanted(request))}", 303)
            try:
                return await page(viewer, request)
            except RoxelsError as fault:
                return self._desk.pages.fault(viewer, fault)

        return endpoint

    def changes(self, change: Change) -> Callable[[Request], Awaitable[Response]]:
        """An address that takes a form of ours."""

        async def endpoint(request: Request) -> Response:
            viewer = await self.viewer(request)
            if viewer is None:
                return RedirectResponse(LOGIN, 303)
            try:
                return await change(viewer, request, await self.form(request, viewer.token))
            except RoxelsError as fault:
                return self._desk.pages.fault(viewer, fault)

        return endpoint

    async def viewer(self, request: Request) -> Viewer | None:
        """Who asks, if they are signed in."""
        token = request.cookies.get(SESSION, "")
        operator = await self._desk.services.store.read_across(operators.by_token, token) if token else None
        if operator is None:
            return None
        return Viewer(operator=operator, environment=environment_of(request), token=token, csrf=csrf_of(token))

    async def form(self, request: Request, secret: str) -> FormData:
        """The form of this request. Raises `Forbidden` where it is not one of ours."""
        form = await request.form()
        if not _is_ours(request, self._desk.services.origin):
            raise Forbidden("This form was sent from another site.")
        if not secret or not hmac.compare_digest(typed_of(form, "csrf").encode(), csrf_of(secret).encode()):
            raise Forbidden("This form is out of date. Go back, load the page again, and send it once more.")
        return form

    async def sign_in(self, email: str, password: str, address: str) -> str:
        """A new session's token. Raises `Unauthorized`, the same for every reason, and `RateLimited`."""
        self._count(operators.cleaned(email), address)
        store = self._desk.services.store
        found = await store.read_across(operators.by_email, email[:320])
        password_hash = None if found is None else found[1]
        fits = await store.run(lambda: operators.fits(password_hash, password[: operators.MAX_PASSWORD]))
        if found is None or not fits:
            who = Actor("operator", found[0].id if found else None)
            await store.write_across(self._desk.services.audit.note_entry, who, "operator.refused")
            raise Unauthorized("This e-mail and password do not fit together.")
        return await self._let_in(found[0])

    async def welcome(self, code: str, email: str, password: str, address: str) -> str:
        """Choose a password with a code from the server; a new session's token.

        Raises `Invalid`, `RateLimited`, and `Unauthorized`, the same for every reason.
        """
        self._count(operators.cleaned(email), address)
        operators.check(email, password)
        store, audit = self._desk.services.store, self._desk.services.audit
        password_hash = await store.run(lambda: operators.protected(password))
        ids = self._desk.services.ids
        operator = await store.write_across(operators.redeem, code, email, password_hash, ids)
        if operator is None:
            await store.write_across(audit.note_entry, Actor("operator", None), "operator.refused")
            raise Unauthorized(
                "This code opens nothing for this e-mail: it works once, for a quarter of an hour. "
                "Run `roxels login` on the server for another."
            )
        await store.write_across(audit.note_entry, Actor("operator", operator.id), "operator.password_chosen")
        return await self._let_in(operator)

    async def sign_out_everywhere(self, viewer: Viewer) -> None:
        """End all sessions of this operator, this one among them."""
        services = self._desk.services
        await services.store.write_across(operators.end_all_sessions, viewer.operator.id)
        await services.store.write_across(services.audit.note_entry, viewer.actor, "operator.signed_out_everywhere")

    async def _let_in(self, operator: Operator) -> str:
        store = self._desk.services.store
        token = self._desk.services.ids.secret("ops")
        await store.write_across(operators.open_session, operator.id, token)
        await store.write_across(
            self._desk.services.audit.note_entry, Actor("operator", operator.id), "operator.signed_in"
        )
        return token

    async def sign_out(self, viewer: Viewer) -> None:
        """End the session: its token opens nothing any more."""
        services = self._desk.services
        await services.store.write_across(operators.end_session, viewer.token)
        await services.store.write_across(services.audit.note_entry, viewer.actor, "operator.signed_out")

    def keep(self, response: Response, name: str, value: str, *, seconds: int | None = None) -> Response:
        """The response with a cookie of ours."""
        response.set_cookie(
            name,
            value,
            max_age=seconds,
            path="/dashboard",
            secure=self._desk.services.origin.startswith("https:"),
            httponly=True,
            samesite="lax",
        )
        return response

    def _count(self, email: str, address: str) -> None:
        try:
            self._tries_of_address.take(address)
            self._tries.take(f"{hashlib.sha256(email.encode('utf-8', 'replace')).hexdigest()} {address}")
        except RateLimited as fault:
            raise RateLimited(
                f"Too many tries to sign in. Wait {fault.retry_after} seconds, then try again.",
                retry_after=fault.retry_after,
            ) from None


def csrf_of(secret: str) -> str:
    """What a form carries that was made for the holder of this cookie."""
    return hmac.new(secret.encode(), b"roxels dashboard form", hashlib.sha256).hexdigest()


def environment_of(request: Request) -> Environment:
    """Which environment this browser looks at: `test` unless it chose."""
    chosen: Any = request.cookies.get(ENVIRONMENT)
    return chosen if chosen in get_args(Environment) else "test"


def text_of(form: FormData, name: str) -> str:
    """A text field of a form; empty where there is none. Raises `Invalid` for what cannot be kept."""
    given = form.get(name)
    text = given if isinstance(given, str) else ""
    texts.check(text, f"`{name}`", name)
    return text


def typed_of(form: FormData, name: str) -> str:
    """The same to be shown again, or to be found wrong: whatever it holds, it can be written."""
    given = form.get(name)
    return str(texts.mended(given)) if isinstance(given, str) else ""


def path_within(given: str) -> str:
    """A path of the dashboard to go on to; its home where the given one leads anywhere else."""
    plain = given.startswith(HOME) and given.isprintable() and not any(each in given for each in ("\\", "//", ".."))
    return given if plain else HOME


def _wanted(request: Request) -> str:
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def _is_ours(request: Request, origin: str) -> bool:
    given = request.headers.get("origin")
    return given is None or given == origin or urlsplit(given).netloc == request.headers.get("host")
