"""Signing in and out, and choosing which environment to look at."""

from typing import get_args

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from roxels.dashboard.desk import Desk
from roxels.dashboard.gate import (
    ENVIRONMENT,
    HOME,
    SESSION,
    VISITOR,
    Gate,
    csrf_of,
    path_within,
    text_of,
)
from roxels.dashboard.viewer import Viewer
from roxels.domain.errors import Forbidden, Invalid, RateLimited, RoxelsError, Unauthorized
from roxels.storage import operators
from roxels.storage.transaction import Environment


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
            message = "This page was open for too long, or cookies are off. Please sign in once more."
            return await self._form(request, HOME, fault=Forbidden(message))
        email, wanted = text_of(form, "email"), path_within(text_of(form, "next"))
        address = request.client.host if request.client else ""
        try:
            token = await self._gate.sign_in(email, text_of(form, "password"), address)
        except (Unauthorized, RateLimited) as fault:
            return await self._form(request, wanted, email=email, fault=fault)
        response = RedirectResponse(wanted, 303)
        response.delete_cookie(VISITOR, path="/dashboard")
        return self._gate.keep(response, SESSION, token, seconds=int(operators.SESSION_LIFE.total_seconds()))

    async def sign_out(self, viewer: Viewer, _request: Request, _form: FormData) -> Response:
        """End the session."""
        await self._gate.sign_out(viewer)
        response = RedirectResponse("/dashboard/login", 303)
        response.delete_cookie(SESSION, path="/dashboard")
        return response

    async def choose(self, _viewer: Viewer, _request: Request, form: FormData) -> Response:
        """Look at the other environment, from its beginning: ids of one mean nothing in the other."""
        chosen = text_of(form, "environment")
        if chosen not in get_args(Environment):
            raise Invalid("`environment` must be `test` or `live`.", field="environment")
        wanted = text_of(form, "next")
        return self._gate.keep(
            RedirectResponse(wanted if wanted == "/dashboard/embed" else HOME, 303), ENVIRONMENT, chosen
        )

    async def _form(
        self, request: Request, wanted: str, *, email: str = "", fault: RoxelsError | None = None
    ) -> Response:
        known = request.cookies.get(VISITOR, "")
        secret = known or self._desk.services.ids.secret("ops")
        response = self._desk.pages.page(
            None,
            "login.html",
            status=fault.status if fault else 200,
            csrf=csrf_of(secret),
            next=wanted,
            email=email,
            fault=fault.message if fault else None,
            has_operators=await self._desk.services.store.read_across(operators.count) > 0,
        )
        if isinstance(fault, RateLimited):
            response.headers["Retry-After"] = str(fault.retry_after)
        return response if known else self._gate.keep(response, VISITOR, secret)
