"""The pages about people: all of them, one of them, and what it takes to erase one."""

from datetime import timedelta
from urllib.parse import quote

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from roxels.actions import browse, forget_line, revoke
from roxels.api import paging
from roxels.dashboard.desk import Desk
from roxels.dashboard.erased import told
from roxels.dashboard.gate import text_of
from roxels.dashboard.viewer import Viewer
from roxels.storage.conversations import Outline
from roxels.storage.pages import Span
from roxels.storage.transaction import Writing

PEOPLE_OF_A_PAGE = 50
CONVERSATIONS_OF_A_PAGE = 25
#: Sentences of a person that stand on the page at first; the page says how many there are, and shows all when asked.
LINES = 12
#: A page that stays open is looked at anew after so long.
SAME_VIEW = timedelta(hours=1)


class People:
    """The pages about people."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def everyone(self, viewer: Viewer, request: Request) -> Response:
        """Everybody, the latest seen first; `q` searches, and leads straight to what has that id."""
        words = request.query_params.get("q", "").strip()[:255]
        named = await self._desk.services.store.read(viewer.environment, browse.place_of, words) if words else None
        if named is not None:
            kind, found_id = named
            return RedirectResponse(f"/dashboard/{kind}/{quote(found_id)}", 303)
        page = await self._desk.services.store.read(
            viewer.environment, browse.people, words, span_of(request, PEOPLE_OF_A_PAGE)
        )
        return self._desk.pages.fresh(
            request,
            viewer,
            "people.html",
            entries=page.items,
            q=words,
            next=paging.written(page.next) if page.next else None,
            is_first="cursor" not in request.query_params,
        )

    async def one(self, viewer: Viewer, request: Request) -> Response:
        """One person: who she is, what she talked about, what is remembered."""
        portrait = await self._portrait(viewer, request)
        is_redrawn = request.headers.get("sec-fetch-dest") == "empty"  # by `refresh.js`, while it stays open
        await self._desk.note_view(
            viewer, "person.viewed", ("person", portrait.person.id), since=SAME_VIEW if is_redrawn else None
        )
        page, said = portrait.conversations, portrait.memory.lines[::-1]
        has_all = request.query_params.get("lines") == "all"
        return self._desk.pages.fresh(
            request,
            viewer,
            "person.html",
            person=portrait.person,
            proven=[each for each in page.items if _is_certain(each)],
            unproven=[each for each in page.items if not _is_certain(each)],
            devices=portrait.devices,
            adopters=portrait.adopters,
            later=portrait.later,
            next=paging.written(page.next) if page.next else None,
            is_first="cursor" not in request.query_params,
            template_names=portrait.template_names,
            memory=portrait.memory,
            lines=said if has_all else said[:LINES],
            line_count=len(said),
            has_all=has_all,
            cursor=request.query_params.get("cursor", ""),
            line_id=forget_line.line_id,
        )

    async def ask_to_erase(self, viewer: Viewer, request: Request) -> Response:
        """What erasing her would mean, and the one button."""
        portrait = await self._portrait(viewer, request)
        return self._desk.pages.page(viewer, "erase_person.html", person=portrait.person)

    async def erase(self, viewer: Viewer, request: Request, _form: FormData) -> Response:
        """Erase her with everything that leads to her."""
        done = await self._desk.services.eraser.person(
            viewer.environment, request.path_params["person_id"], "dashboard", viewer.actor
        )
        return told(self._desk.pages, viewer, request, done)

    async def forget_line(self, viewer: Viewer, request: Request, form: FormData) -> Response:
        """Delete a line of what is remembered."""
        person_id, line = request.path_params["person_id"], text_of(form, "line")
        services = self._desk.services

        def work(tx: Writing) -> None:
            forget_line.forget_line(tx, person_id, line)
            services.audit.note(tx, viewer.actor, "memory.forgotten", ("person", person_id))

        await services.store.write(viewer.environment, work)
        return RedirectResponse(f"/dashboard/people/{quote(person_id, safe='')}", 303)

    async def revoke_device(self, viewer: Viewer, request: Request, _form: FormData) -> Response:
        """Make a browser a stranger to her, at once."""
        person_id, device_id = request.path_params["person_id"], request.path_params["device_id"]
        services = self._desk.services

        def work(tx: Writing) -> None:
            revoke.revoke_device(tx, person_id, device_id)
            services.audit.note(tx, viewer.actor, "device.revoked", ("person", person_id))

        await services.store.write(viewer.environment, work)
        return RedirectResponse(f"/dashboard/people/{quote(person_id, safe='')}#devices", 303)

    async def _portrait(self, viewer: Viewer, request: Request) -> browse.Portrait:
        return await self._desk.services.store.read(
            viewer.environment,
            browse.portrait,
            request.path_params["person_id"],
            span_of(request, CONVERSATIONS_OF_A_PAGE),
        )


def _is_certain(outline: Outline) -> bool:
    """Whether it was she who talked: somebody was verified, or an adoption speaks for it."""
    return outline.is_proven or outline.is_vouched


def span_of(request: Request, limit: int) -> Span:
    """Which page of a list is asked for. Raises `Invalid`."""
    return paging.span(request.query_params.get("cursor"), limit)


def home(_request: Request) -> Response:
    """`/dashboard` without its slash."""
    return RedirectResponse("/dashboard/", 308)
