"""What was erased: to the receipt, or a page that waits for it; all receipts, and how to check them."""

from typing import assert_never
from urllib.parse import quote

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from roxels.actions.eraser import Erased, Sweeping
from roxels.api import paging, views
from roxels.dashboard.desk import Desk
from roxels.dashboard.pages import HEADERS, Pages
from roxels.dashboard.viewer import Viewer
from roxels.domain.errors import NotFound
from roxels.domain.receipts import Receipt, canonical
from roxels.storage import receipts

RECEIPTS_OF_A_PAGE = 50
MAX_ID = 300


def told(pages: Pages, viewer: Viewer, request: Request, done: Erased | Sweeping) -> Response:
    """What came of erasing; asking again, at the same address, brings the same receipt."""
    match done:
        case Erased(receipt=receipt):
            return RedirectResponse(f"/dashboard/receipts/{quote(receipt.id)}", 303)
        case Sweeping():
            return pages.page(viewer, "sweeping.html", status=202, again=request.url.path)
        case _:
            assert_never(done)


class Receipts:
    """The pages about what was erased."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def all(self, viewer: Viewer, request: Request) -> Response:
        """Every receipt, newest first; `about` an id that was erased, only those about it."""
        services, about = self._desk.services, request.query_params.get("about", "").strip()[:MAX_ID]
        before = paging.place(request.query_params.get("cursor"), viewer.environment)
        found = await services.store.read(
            viewer.environment,
            receipts.newest,
            before=before,
            limit=RECEIPTS_OF_A_PAGE + 1,
            subjects=services.eraser.subjects(about) if about else None,
        )
        page = views.receipts(found, RECEIPTS_OF_A_PAGE, viewer.environment)
        return self._desk.pages.page(
            viewer,
            "receipts.html",
            receipts=page["items"],
            next=page["next_cursor"],
            is_first=before is None,
            about=about,
            origin=services.origin,
        )

    async def one(self, viewer: Viewer, request: Request) -> Response:
        """A receipt, to be read and to be kept."""
        receipt = await self._read(viewer, request)
        return self._desk.pages.page(
            viewer,
            "receipt.html",
            receipt=receipt,
            receipt_json=_written(receipt).decode(),
            origin=self._desk.services.origin,
        )

    async def file(self, viewer: Viewer, request: Request) -> Response:
        """A receipt as a file, as `roxels receipt verify` reads it."""
        headers = HEADERS | {"Content-Disposition": 'attachment; filename="receipt.json"'}
        receipt = await self._read(viewer, request)
        return Response(_written(receipt), headers=headers, media_type="application/json")

    async def _read(self, viewer: Viewer, request: Request) -> Receipt:
        receipt = await self._desk.services.store.read(
            viewer.environment, receipts.get, request.path_params["receipt_id"]
        )
        if receipt is None:
            raise NotFound("There is no such receipt in this environment.")
        return receipt


def _written(receipt: Receipt) -> bytes:
    """The receipt to the byte, as it is checked."""
    return canonical(msgspec.structs.asdict(receipt))
