"""The pages about templates: all of them, one as it is written, its versions, and a talk to try it out.

A template is edited as the JSON that it is, so nothing is lost that a newer version wrote. What is wrong with it is
told at once, each fault with its path, and what was typed stays. A version that somebody else published meanwhile is
never written over.

What is tried is what stands in the editor. A version never changes, so a talk that tries one out stays on just what it
began with, whatever is written, kept or published meanwhile.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from roxels.actions import author, open
from roxels.actions.author import ADDED, Faulty
from roxels.actions.open import Opened, VisitRequest
from roxels.api import paging, views
from roxels.api.reading import Unreadable, read_json
from roxels.dashboard.desk import Desk
from roxels.dashboard.gate import text_of, typed_of
from roxels.dashboard.people import span_of
from roxels.dashboard.viewer import Viewer
from roxels.domain.errors import Conflict, Invalid, NotFound, RoxelsError
from roxels.domain.persons import external_id
from roxels.domain.proof import Proof
from roxels.storage import templates
from roxels.storage.templates import StoredTemplate
from roxels.storage.transaction import Reading, Writing

STARTS = Path(__file__).resolve().parent / "starts"
TEMPLATES_OF_A_PAGE = 50
#: A template is text of this length at most.
LONGEST = 250_000
PLACE = "/dashboard/templates"


class Start(msgspec.Struct, frozen=True):
    """Something to begin with."""

    name: str
    about: str
    text: str


#: What each is for, by its file.
ABOUT = {
    "onboarding": "Two goals: fields that a program uses, and an open question.",
    "support": "Free words, then data that is read out and confirmed. Only proven visits see the past.",
}


class Designs:
    """The pages about templates."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def all(self, viewer: Viewer, request: Request) -> Response:
        """Every template, newest first."""
        found = await self._desk.services.store.read(
            viewer.environment, templates.listed, span_of(request, TEMPLATES_OF_A_PAGE)
        )
        return self._desk.pages.page(
            viewer,
            "designs.html",
            templates=found.items,
            next=paging.written(found.next) if found.next else None,
            is_first="cursor" not in request.query_params,
        )

    async def begin(self, viewer: Viewer, request: Request) -> Response:
        """A new template, from something to begin with."""
        starts = _starts()
        chosen = request.query_params.get("from", "")
        text = next((start.text for start in starts if start.name == chosen), starts[0].text)
        return self._page(viewer, text, None, starts=starts)

    async def create(self, viewer: Viewer, _request: Request, form: FormData) -> Response:
        """Keep a new template, published."""
        services, text = self._desk.services, _text(form)
        try:
            made = await services.store.write(viewer.environment, author.create, _parsed(form), services.ids)
        except RoxelsError as fault:
            return self._again(viewer, text, None, fault, starts=_starts())
        return RedirectResponse(f"{PLACE}/{quote(made.id)}?saved=published", 303)

    async def one(self, viewer: Viewer, request: Request) -> Response:
        """A template as it is written, or one of its versions."""
        kept, history = await self._read(viewer, request)
        number = request.query_params.get("version", "")
        shown = kept
        if number.isdecimal() and len(number) < 9:
            shown = await self._desk.services.store.read(viewer.environment, author.version, kept.id, int(number))
        missing = await self._desk.services.store.read(viewer.environment, author.missing_secrets, shown)
        values = {"shown": shown, "history": history, "warnings": views.template(shown, missing)["warnings"]}
        return self._page(viewer, _written(shown), kept, saved=request.query_params.get("saved", ""), **values)

    async def save(self, viewer: Viewer, request: Request, form: FormData) -> Response:
        """Keep what was written as a new version, published, as a draft, or as one to be tried at once."""
        services, text = self._desk.services, _text(form)
        kept, history = await self._read(viewer, request)
        wanted = text_of(form, "as")
        publish = wanted not in ("draft", "trial")
        try:
            raw, expected = _parsed(form), _number(text_of(form, "version"))
            made = await services.store.write(
                viewer.environment, author.rewrite, kept.id, raw, publish=publish, expected=expected
            )
        except RoxelsError as fault:
            return self._again(viewer, text, kept, fault, shown=kept, history=history)
        saved = "published" if publish else f"{wanted}&version={made.version}"
        return RedirectResponse(f"{PLACE}/{quote(kept.id)}?saved={saved}", 303)

    async def publish(self, viewer: Viewer, request: Request, form: FormData) -> Response:
        """Make a version the one that new conversations begin with, newer or older."""
        template_id = request.path_params["template_id"]
        await self._desk.services.store.write(
            viewer.environment, author.publish, template_id, _number(text_of(form, "version"))
        )
        return RedirectResponse(f"{PLACE}/{quote(template_id)}?saved=published", 303)

    async def talk(self, viewer: Viewer, request: Request, form: FormData) -> Response:
        """Open a visit to try out the version that the page shows, as whom the operator names or as nobody.

        It stands in a frame beside the form.
        """
        try:
            return RedirectResponse(await self._tried(viewer, request, form), 303)
        except RoxelsError as fault:
            return self._desk.pages.fault_beside(viewer, fault)

    async def _tried(self, viewer: Viewer, request: Request, form: FormData) -> str:
        given, version = text_of(form, "external_id"), _number(text_of(form, "version"))
        services = self._desk.services
        wish = VisitRequest(
            template_id=request.path_params["template_id"],
            external_id=external_id(given, "external_id") if given.strip() else None,
            name=None,
            source="server",
            proof=Proof.verified if given.strip() else Proof.anonymous,
            method="secret_key",
            context={},
            resume=text_of(form, "resume") == "yes",
            template_version=version,
            wants_token=False,
        )

        def work(tx: Writing) -> Opened:
            is_published = version == author.current(tx, wish.template_id).version
            asked = msgspec.structs.replace(wish, template_version=None) if is_published else wish
            opened = open.open_visit(tx, asked, services.ids)
            services.audit.note(tx, viewer.actor, "template.tried", ("person", opened.person.id))
            return opened

        opened = await services.store.write(viewer.environment, work)
        return views.join_url(opened, services.origin)

    async def _read(self, viewer: Viewer, request: Request) -> tuple[StoredTemplate, Sequence[Any]]:
        template_id = request.path_params["template_id"]

        def work(tx: Reading) -> tuple[StoredTemplate, Sequence[Any]]:
            return author.current(tx, template_id), templates.history(tx, template_id)[::-1]

        return await self._desk.services.store.read(viewer.environment, work)

    def _again(
        self, viewer: Viewer, text: str, kept: StoredTemplate | None, fault: RoxelsError, **values: Any
    ) -> Response:
        """The page once more, with what was typed and what is wrong with it."""
        faults = fault.faults if isinstance(fault, Faulty) else []
        told = {"fault": fault.message, "faults": faults, "is_late": isinstance(fault, Conflict)}
        return self._page(viewer, text, kept, status=fault.status, **told, **values)

    def _page(
        self, viewer: Viewer, text: str, kept: StoredTemplate | None, *, status: int = 200, **values: Any
    ) -> Response:
        """A template as `text`; `kept` None: one that is not there yet."""
        nothing = {
            "fault": "",
            "faults": (),
            "is_late": False,
            "saved": "",
            "warnings": (),
            "history": (),
            "starts": (),
        }
        return self._desk.pages.page(
            viewer,
            "design.html",
            status=status,
            text=text,
            kept=kept,
            longest=LONGEST,
            **(nothing | {"shown": kept} | values),
        )


def _starts() -> list[Start]:
    return [Start(name, about, (STARTS / f"{name}.json").read_text(encoding="utf-8")) for name, about in ABOUT.items()]


def _text(form: FormData) -> str:
    return typed_of(form, "text").replace("\r\n", "\n")


def _parsed(form: FormData) -> dict[str, Any]:
    """The template in what was typed. Raises `Invalid`, which says where it is no JSON that can be kept."""
    text = text_of(form, "text").replace("\r\n", "\n")
    if len(text) > LONGEST:
        raise Invalid(f"This is longer than {LONGEST} characters.")
    try:
        raw = read_json(text.encode())
    except Unreadable as fault:
        raise Invalid(fault.message) from None
    if not isinstance(raw, dict):
        raise Invalid("A template is one JSON object: { … }.")
    return {name: value for name, value in raw.items() if name not in ADDED}


def _written(kept: StoredTemplate) -> str:
    return json.dumps(kept.raw, indent=2, ensure_ascii=False)


def _number(given: str) -> int:
    if not given.isdecimal() or len(given) > 9:
        raise NotFound("This template has no version of that number.")
    return int(given)
