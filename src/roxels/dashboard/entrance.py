"""Signing in and out, and choosing which environment to look at."""

from typing import get_args

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from roxels.dashboard.desk import Desk
from roxels.dashboard.gate import (
    ENVIRONMENT,
    HOME,
    LOGIN,
    SESSION,
    VISITOR,
    Gate,
    csrf_of,
    path_within,
    text_of,
    typed_of,
)
from roxels.dashboard.pages import HEADERS
from roxels.dashboard.viewer import Viewer
from roxels.domain.errors import Forbidden, Invalid, RateLimited, RoxelsError, Unauthorized
from roxels.storage import operators
from roxels.storage.transaction import Environment

OUT_OF_DATE = "This page was open for too long, or cookies are off. Please try once more."


class Entrance:
    """The pages for those who are not in yet, and the way out."""

    def __init__(self, desk: Desk, gate: Gate) -> None:
        self._desk = desk
        self._gate = gate

    async def page(self, request: Request) -> Response:
        """The form to sign in; who is signed in goes on."""
        wanted = path_within(request.query_params.get("next", ""))
        if await self._gate.viewer(request) is not None:
            return RedirectResponse(wanted, 303)
        return await self._form(request, wanted)

    async def sign_in(self, request: Request) -> Response:
        """Sign in and go on to where one wanted to be."""
        try:
            form = await self._gate.form(request, request.cookies.get(VISITOR, ""))
        except Forbidden:
            return await self._form(request, HOME, fault=Forbidden(OUT_OF_DATE))
        email, wanted = typed_of(form, "email"), path_within(typed_of(form, "next"))
        address = request.client.host if request.client else ""
        try:
            token = await self._gate.sign_in(email, typed_of(form, "password"), address)
        except (Unauthorized, RateLimited) as fault:
            return await self._form(request, wanted, email=email, fault=fault)
        return self._inside(wanted, token)

    async def welcome_page(self, request: Request) -> Response:
        """The form for whoever has a code."""
        return await self._form(request, HOME, name="welcome.html")

    async def welcome(self, request: Request) -> Response:
        """Choose a password with a code, and go in."""
        try:
            form = await self._gate.form(request, request.cookies.get(VISITOR, ""))
        except Forbidden:
            return await self._form(request, HOME, name="welcome.html", fault=Forbidden(OUT_OF_DATE))
        email, address = typed_of(form, "email"), request.client.host if request.client else ""
        try:
            code, email, password = (text_of(form, name) for name in ("code", "email", "password"))
            token = await self._gate.welcome(code, email, password, address)
        except (Invalid, Unauthorized, RateLimited) as fault:
            return await self._form(request, HOME, name="welcome.html", email=email, fault=fault)
        return self._inside(HOME, token)

    async def here(self, viewer: Viewer, _request: Request) -> Response:
        """Who is signed in, for a page that has stood open for long: what its forms must carry by now."""
        return JSONResponse({"csrf": viewer.csrf, "environment": viewer.environment}, headers=HEADERS)

    async def sign_out(self, viewer: Viewer, _request: Request, _form: FormData) -> Response:
        """End the session."""
        await self._gate.sign_out(viewer)
        return _outside()

    async def sign_out_everywhere(self, viewer: Viewer, _request: Request, _form: FormData) -> Response:
        """End the sessions of this operator on all browsers."""
        await self._gate.sign_out_everywhere(viewer)
        return _outside()

    async def choose(self, _viewer: Viewer, _request: Request, form: FormData) -> Response:
        """Look at the other environment, at the same list: ids of one mean nothing in the other."""
        chosen = text_of(form, "environment")
        if chosen not in get_args(Environment):
            raise Invalid("`environment` must be `test` or `live`.", field="environment")
        return self._gate.keep(RedirectResponse(path_within(text_of(form, "next")), 303), ENVIRONMENT, chosen)

    def _inside(self, wanted: str, token: str) -> Response:
        response = RedirectResponse(wanted, 303)
        response.delete_cookie(VISITOR, path="/dashboard")
        return self._gate.keep(response, SESSION, token, seconds=int(operators.SESSION_LIFE.total_seconds()))

    async def _form(
        self,
        request: Request,
        wanted: str,
        *,
        name: str = "login.html",
        email: str = "",
        fault: RoxelsError | None = None,
    ) -> Response:
        known = request.cookies.get(VISITOR, "")
        secret = known or self._desk.services.ids.secret("ops")
        response = self._desk.pages.page(
            None,
            name,
            status=fault.status if fault else 200,
            csrf=csrf_of(secret),
            next=wanted,
            email=email,
            fault=fault,
            least=operators.MIN_PASSWORD,
            has_operators=await self._desk.services.store.read_across(operators.count) > 0,
        )
        if isinstance(fault, RateLimited):
            response.headers["Retry-After"] = str(fault.retry_after)
        return response if known else self._gate.keep(response, VISITOR, secret)


def _outside() -> Response:
    response = RedirectResponse(LOGIN, 303)
    response.delete_cookie(SESSION, path="/dashboard")
    return response
