"""The page about secrets that outputs name. A value goes in, and no page shows it."""

from typing import Any

import msgspec
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from roxels.actions import secrets as keeping
from roxels.actions.audit import Action
from roxels.api import paging, views
from roxels.dashboard import fields
from roxels.dashboard.desk import Desk
from roxels.dashboard.gate import typed_of
from roxels.dashboard.people import span_of
from roxels.dashboard.viewer import Viewer
from roxels.domain.errors import Invalid, NotFound, RoxelsError
from roxels.storage import secrets
from roxels.storage.pages import Span
from roxels.storage.secrets import Secret
from roxels.storage.transaction import Writing

AT_ONCE = 50
MAX_NAME, MAX_VALUE, MAX_DESCRIPTION = 200, 16384, 1000
PLACE = "/dashboard/secrets"


class RefusedSecret(msgspec.Struct, frozen=True, kw_only=True):
    """A form that was not taken: whose (None: of a new secret), what was typed but for the value, and why not."""

    fault: RoxelsError
    id: str | None = None
    name: str = ""
    description: str = ""


class Secrets:
    """The page about secrets."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def all(self, viewer: Viewer, request: Request) -> Response:
        """Those that there are, newest first, and the form for a new one."""
        is_first = "cursor" not in request.query_params
        return await self._page(viewer, span_of(request, AT_ONCE), is_first=is_first)

    async def create(self, viewer: Viewer, _request: Request, form: FormData) -> Response:
        """Keep a new one."""
        services = self._desk.services

        def work(tx: Writing) -> Secret:
            name = fields.line(form, "name", longest=MAX_NAME)
            description = fields.line(form, "description", longest=MAX_DESCRIPTION)
            return keeping.create(tx, name, _value(form), description, services.ids, services.sealer)

        return await self._changed(viewer, form, None, "secret.created", work)

    async def describe(self, viewer: Viewer, request: Request, form: FormData) -> Response:
        """Give one another name or description."""
        secret_id = request.path_params["secret_id"]

        def work(tx: Writing) -> Secret:
            name = fields.line(form, "name", longest=MAX_NAME)
            return keeping.change(tx, secret_id, name, fields.line(form, "description", longest=MAX_DESCRIPTION))

        return await self._changed(viewer, form, secret_id, "secret.changed", work)

    async def set_value(self, viewer: Viewer, request: Request, form: FormData) -> Response:
        """Give one another value: whatever is sent from now on has it."""
        secret_id = request.path_params["secret_id"]

        def work(tx: Writing) -> Secret:
            return keeping.set_value(tx, secret_id, _value(form), self._desk.services.sealer)

        return await self._changed(viewer, form, secret_id, "secret.changed", work)

    async def remove(self, viewer: Viewer, request: Request, form: FormData) -> Response:
        """Forget one. Refused while a template names it."""
        secret_id = request.path_params["secret_id"]
        return await self._changed(viewer, form, secret_id, "secret.deleted", lambda tx: keeping.remove(tx, secret_id))

    async def _changed(
        self, viewer: Viewer, form: FormData, secret_id: str | None, action: Action, work: Any
    ) -> Response:
        services = self._desk.services

        def noted(tx: Writing) -> None:
            done: Secret = work(tx)
            services.audit.note(tx, viewer.actor, action, id=done.id)

        try:
            await services.store.write(viewer.environment, noted)
        except NotFound:
            raise
        except RoxelsError as fault:
            typed = {name: typed_of(form, name) for name in ("name", "description")}
            return await self._page(viewer, refused=RefusedSecret(fault=fault, id=secret_id, **typed))
        return RedirectResponse(PLACE, 303)

    async def _page(
        self, viewer: Viewer, span: Span | None = None, *, is_first: bool = True, refused: RefusedSecret | None = None
    ) -> Response:
        found = await self._desk.services.store.read(viewer.environment, secrets.listed, span or Span(limit=AT_ONCE))
        return self._desk.pages.page(
            viewer,
            "secrets.html",
            status=refused.fault.status if refused else 200,
            secrets=[views.output_secret(each) for each in found.items],
            next=paging.written(found.next) if found.next else None,
            is_first=is_first,
            refused=refused,
        )


def _value(form: FormData) -> str:
    value = fields.whole(form, "value", longest=MAX_VALUE)
    if not value:
        raise Invalid("Write the value that is to be kept.", field="value")
    return value
