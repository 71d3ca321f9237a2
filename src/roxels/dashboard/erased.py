"""After erasing: to the receipt, or a page that waits for it."""

from typing import assert_never
from urllib.parse import quote

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from roxels.actions.eraser import Erased, Sweeping
from roxels.dashboard.desk import Desk
from roxels.dashboard.pages import Pages
from roxels.dashboard.viewer import Viewer
from roxels.dashboard.words import as_json
from roxels.domain.errors import NotFound
from roxels.storage import receipts


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

    async def one(self, viewer: Viewer, request: Request) -> Response:
        """A receipt, to be read and to be kept."""
        receipt = await self._desk.services.store.read(
            viewer.environment, receipts.get, request.path_params["receipt_id"]
        )
        if receipt is None:
            raise NotFound("There is no such receipt in this environment.")
        return self._desk.pages.page(
            viewer, "receipt.html", receipt=receipt, receipt_json=as_json(msgspec.structs.asdict(receipt))
        )
