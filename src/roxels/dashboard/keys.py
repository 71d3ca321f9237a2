"""The pages about API keys, webhook secrets and identity secrets: one shape, as in `api.issued`.

A value stands on the one page that answers the form which made it, and never again.
"""

from collections.abc import Callable
from typing import Any, Generic, Literal
from urllib.parse import quote

import msgspec
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from roxels.actions import identify, manage
from roxels.api import paging
from roxels.api.issued import API_KEYS, IDENTITY_SECRETS, WEBHOOK_SECRETS, Issued, K
from roxels.api.services import Services
from roxels.dashboard import fields
from roxels.dashboard.desk import Desk
from roxels.dashboard.gate import text_of, typed_of
from roxels.dashboard.people import span_of
from roxels.dashboard.viewer import Viewer
from roxels.domain.errors import RoxelsError
from roxels.storage.identities import IdentitySecret
from roxels.storage.keys import ApiKey, WebhookSecret
from roxels.storage.pages import Span
from roxels.storage.transaction import Writing

AT_ONCE = 50
MAX_NAME, MAX_KEY = 200, 2000

Make = Callable[[Writing, FormData, Services], tuple[K, str | None]]


class Kind(msgspec.Struct, Generic[K], frozen=True, kw_only=True):
    """One of the three, and the words for it."""

    #: Of its place in the navigation, and of what its page says (`templates/keys/<place>.html`).
    place: str
    title: str
    #: One of them, e.g. `API key`.
    one: str
    #: What revoking one means.
    revoking: str
    issued: Issued[K]
    make: Make[K]


class Keys(Generic[K]):
    """The pages about one of the three."""

    def __init__(self, desk: Desk, kind: Kind[K]) -> None:
        self._desk = desk
        self._kind = kind

    async def all(self, viewer: Viewer, request: Request) -> Response:
        """Those that there are, newest first, and the form for a new one."""
        is_first = "cursor" not in request.query_params
        return await self._page(viewer, span_of(request, AT_ONCE), is_first=is_first)

    async def create(self, viewer: Viewer, _request: Request, form: FormData) -> Response:
        """Make one; its value stands on the page that this answers with."""
        kind, services = self._kind, self._desk.services

        def work(tx: Writing) -> tuple[K, str | None]:
            return kind.issued.make(tx, lambda within: kind.make(within, form, services), services.audit, viewer.actor)

        try:
            kept, value = await services.store.write(viewer.environment, work)
        except RoxelsError as fault:
            typed = {name: typed_of(form, name) for name in ("name", "alg", "public_key")}
            return await self._page(viewer, status=fault.status, fault=fault, typed=typed)
        if value is None:
            return RedirectResponse(f"/dashboard/{kind.place}", 303)
        return await self._page(viewer, status=201, made=kind.issued.shown(kept, value))

    async def revoke(self, viewer: Viewer, request: Request, _form: FormData) -> Response:
        """Revoke one, at once."""
        services = self._desk.services
        await services.store.write(
            viewer.environment, self._kind.issued.revoke, request.path_params["id"], services.audit, viewer.actor
        )
        return RedirectResponse(f"/dashboard/{quote(self._kind.place)}", 303)

    async def _page(
        self,
        viewer: Viewer,
        span: Span | None = None,
        *,
        status: int = 200,
        is_first: bool = True,
        fault: RoxelsError | None = None,
        typed: dict[str, str] | None = None,
        made: Any = None,
    ) -> Response:
        issued = self._kind.issued
        found = await self._desk.services.store.read(viewer.environment, issued.listed, span or Span(limit=AT_ONCE))
        return self._desk.pages.page(
            viewer,
            "keys.html",
            status=status,
            kind=self._kind,
            items=[issued.shown(each, None) for each in found.items],
            next=paging.written(found.next) if found.next else None,
            is_first=is_first,
            fault=fault,
            typed=typed or {"name": "", "alg": "HS256", "public_key": ""},
            made=made,
        )


def _name(form: FormData) -> str:
    return fields.line(form, "name", longest=MAX_NAME) or "unnamed"


def _api_key(tx: Writing, form: FormData, services: Services) -> tuple[ApiKey, str | None]:
    return manage.create_api_key(tx, _name(form), services.ids)


def _webhook_secret(tx: Writing, form: FormData, services: Services) -> tuple[WebhookSecret, str | None]:
    return manage.create_webhook_secret(tx, _name(form), services.ids, services.sealer)


def _identity_secret(tx: Writing, form: FormData, services: Services) -> tuple[IdentitySecret, str | None]:
    alg: Literal["HS256", "EdDSA"] = "EdDSA" if text_of(form, "alg") == "EdDSA" else "HS256"
    # A key that was pasted before HS256 was chosen after all is not meant.
    public_key = fields.line(form, "public_key", longest=MAX_KEY) if alg == "EdDSA" else None
    return identify.create_secret(tx, _name(form), alg, public_key, services.ids, services.sealer)


KEYS: Kind[ApiKey] = Kind(
    place="keys",
    title="API keys",
    one="API key",
    revoking="Programs that use it are refused at once.",
    issued=API_KEYS,
    make=_api_key,
)
WEBHOOKS: Kind[WebhookSecret] = Kind(
    place="webhook-secrets",
    title="Webhook secrets",
    one="webhook secret",
    revoking="Nothing is signed with it any more. Receivers that know only this one refuse what comes.",
    issued=WEBHOOK_SECRETS,
    make=_webhook_secret,
)
IDENTITIES: Kind[IdentitySecret] = Kind(
    place="identity-secrets",
    title="Identity secrets",
    one="identity secret",
    revoking="No token that it signed is taken any more, and the visits that it let in end at once. "
    "Pages that have a token of another secret go on.",
    issued=IDENTITY_SECRETS,
    make=_identity_secret,
)
