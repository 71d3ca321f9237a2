"""The page of the audit log: who did what of consequence, by what was done, by whom, or about whom."""

import re

from starlette.requests import Request
from starlette.responses import Response

from roxels.api import paging
from roxels.dashboard import deeds
from roxels.dashboard.desk import Desk
from roxels.dashboard.people import span_of
from roxels.dashboard.viewer import Viewer
from roxels.storage import audit, persons
from roxels.storage.audit import AuditFilter
from roxels.storage.pages import Page, Span
from roxels.storage.transaction import Reading

LINES_OF_A_PAGE = 50
MAX_ID = 300
#: What `about` is where a line leads to the others about the same: what the log itself has of them.
HASH = re.compile(r"[0-9a-f]{64}")


class AuditLog:
    """The page of the audit log."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def all(self, viewer: Viewer, request: Request) -> Response:
        """Its lines, newest first."""
        given = {name: request.query_params.get(name, "").strip()[:MAX_ID] for name in ("action", "actor", "about")}
        choices = deeds.choices()
        given["action"] = given["action"] if given["action"] in choices else ""
        span = span_of(request, LINES_OF_A_PAGE)
        found, doers = await self._desk.services.store.read(viewer.environment, self._read, viewer, given, span)
        return self._desk.pages.page(
            viewer,
            "audit.html",
            lines=found.items,
            choices=choices,
            doers=doers,
            given=given,
            next=paging.written(found.next) if found.next else None,
            is_first="cursor" not in request.query_params,
        )

    def _read(
        self, tx: Reading, viewer: Viewer, given: dict[str, str], span: Span
    ) -> tuple[Page[deeds.Line], dict[str, str]]:
        wanted = AuditFilter(
            action=given["action"] or None,
            actor_id=given["actor"] or None,
            subjects=self._subjects(tx, given["about"]) if given["about"] else None,
        )
        found, hashes = audit.listed(tx, wanted, span), self._desk.services.eraser.subjects
        return Page(items=deeds.told(tx, found.items, viewer, hashes), next=found.next), deeds.doers(tx)

    def _subjects(self, tx: Reading, about: str) -> tuple[str, ...]:
        """Under what the log speaks of whom somebody names, by either id."""
        if HASH.fullmatch(about):
            return (about,)
        person = persons.find(tx, about)
        return self._desk.services.eraser.subjects(about) + (
            self._desk.services.eraser.subjects(person.id) if person else ()
        )
