"""The page for whoever puts a conversation into a web page: embed keys by template, and what to paste."""

from collections.abc import Sequence
from functools import reduce
from pathlib import Path

import msgspec
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from roxels.actions import manage
from roxels.api import paging, shapes, views
from roxels.dashboard.desk import Desk
from roxels.dashboard.gate import text_of
from roxels.dashboard.people import span_of
from roxels.dashboard.viewer import Viewer
from roxels.domain.errors import Conflict, Invalid, NotFound, RoxelsError
from roxels.storage import keys, templates
from roxels.storage.pages import Page, Span
from roxels.storage.templates import StoredTemplate
from roxels.storage.transaction import Reading, Writing

#: What is pasted, with the placeholders of the documentation in it.
SNIPPETS = Path(__file__).parent / "snippets"

#: Templates that stand on one page, and keys of each.
AT_ONCE, KEYS = 25, 100


class Snippets(msgspec.Struct, frozen=True, kw_only=True):
    """What to paste, with a key that holds."""

    script: str
    manual: str
    server: str
    python: str
    node: str
    page: str


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A template with its keys, newest first; snippets where one of them holds."""

    id: str
    name: str
    keys: Sequence[shapes.EmbedKey]
    snippets: Snippets | None


class RefusedKey(msgspec.Struct, frozen=True, kw_only=True):
    """A form that was not taken: of which template, what was typed, and why not."""

    fault: RoxelsError
    template_id: str
    domains: str


class Embeds:
    """The page about embed keys."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def page(self, viewer: Viewer, request: Request) -> Response:
        """The keys of every template, and snippets."""
        is_first = "cursor" not in request.query_params
        return await self._page(viewer, span_of(request, AT_ONCE), is_first=is_first)

    async def create(self, viewer: Viewer, _request: Request, form: FormData) -> Response:
        """Make a key."""
        template_id = text_of(form, "template_id")
        typed = text_of(form, "allowed_domains")
        domains = typed.replace(",", " ").split()
        services = self._desk.services
        try:
            await services.store.write(viewer.environment, self._create, viewer, template_id, domains)
        except (Conflict, Invalid, NotFound) as fault:
            return await self._page(viewer, refused=RefusedKey(fault=fault, template_id=template_id, domains=typed))
        return RedirectResponse("/dashboard/embed", 303)

    async def revoke(self, viewer: Viewer, request: Request, _form: FormData) -> Response:
        """Revoke a key, at once."""
        await self._desk.services.store.write(viewer.environment, self._revoke, viewer, request.path_params["key_id"])
        return RedirectResponse("/dashboard/embed", 303)

    def _create(self, tx: Writing, viewer: Viewer, template_id: str, domains: Sequence[str]) -> None:
        services = self._desk.services
        made = manage.create_embed_key(tx, template_id, domains, services.ids)
        services.audit.note(tx, viewer.actor, "embed_key.created", id=made.id)

    def _revoke(self, tx: Writing, viewer: Viewer, key_id: str) -> None:
        manage.revoke_embed_key(tx, key_id)
        self._desk.services.audit.note(tx, viewer.actor, "embed_key.revoked", id=key_id)

    async def _page(
        self, viewer: Viewer, span: Span | None = None, *, is_first: bool = True, refused: RefusedKey | None = None
    ) -> Response:
        services = self._desk.services
        found = await services.store.read(viewer.environment, _rows, services.origin, span or Span(limit=AT_ONCE))
        return self._desk.pages.page(
            viewer,
            "embed.html",
            status=refused.fault.status if refused else 200,
            rows=found.items,
            next=paging.written(found.next) if found.next else None,
            is_first=is_first,
            refused=refused,
        )


def snippets(origin: str, key: str, template_id: str) -> Snippets:
    """What to paste for this key."""
    filled = {"$ROXELS_URL": origin, "$EMBED_KEY": key, "$TEMPLATE_ID": template_id}

    def text(file: str) -> str:
        written = (SNIPPETS / file).read_text(encoding="utf-8").rstrip()
        return reduce(lambda made, name: made.replace(name, filled[name]), filled, written)

    return Snippets(
        script=text("script.html.txt"),
        manual=text("manual.html.txt"),
        server=text("visit.sh.txt"),
        python=text("visit.py.txt"),
        node=text("visit.mjs.txt"),
        page=text("page.html.txt"),
    )


def _rows(tx: Reading, origin: str, span: Span) -> Page[Row]:
    found = templates.listed(tx, span)
    return Page(items=[_row(tx, origin, kept) for kept in found.items], next=found.next)


def _row(tx: Reading, origin: str, kept: StoredTemplate) -> Row:
    made = keys.embed_keys_of(tx, kept.id, Span(limit=KEYS)).items
    newest = next((key for key in made if key.revoked_at is None), None)
    paste = snippets(origin, newest.key, kept.id) if newest else None
    return Row(id=kept.id, name=kept.raw["name"], keys=[views.embed_key(key) for key in made], snippets=paste)
