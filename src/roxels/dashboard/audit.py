"""The page of the audit log: who did what of consequence, by what was done, by whom, or about whom."""

from starlette.requests import Request
from starlette.responses import Response

from roxels.actions.audit import ACTIONS
from roxels.api import paging, views
from roxels.dashboard.desk import Desk
from roxels.dashboard.people import span_of
from roxels.dashboard.viewer import Viewer
from roxels.storage import audit
from roxels.storage.audit import AuditFilter

LINES_OF_A_PAGE = 50
MAX_ID = 300


class AuditLog:
    """The page of the audit log."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def all(self, viewer: Viewer, request: Request) -> Response:
        """Its lines, newest first."""
        given = {name: request.query_params.get(name, "").strip()[:MAX_ID] for name in ("action", "actor", "about")}
        action = given["action"] if given["action"] in ACTIONS else ""
        wanted = AuditFilter(
            action=action or None,
            actor_id=given["actor"] or None,
            subjects=self._desk.services.eraser.subjects(given["about"]) if given["about"] else None,
        )
        found = await self._desk.services.store.read(
            viewer.environment, audit.listed, wanted, span_of(request, LINES_OF_A_PAGE)
        )
        return self._desk.pages.page(
            viewer,
            "audit.html",
            entries=[views.audit_entry(each) for each in found.items],
            actions=ACTIONS,
            given=given | {"action": action},
            next=paging.written(found.next) if found.next else None,
            is_first="cursor" not in request.query_params,
        )
