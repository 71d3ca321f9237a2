"""The pages about deliveries: all of them, one with what it sends and every attempt, and sending again."""

from urllib.parse import quote

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from roxels.actions import browse, inspect, manage
from roxels.actions.browse import Origin
from roxels.actions.inspect import Sent
from roxels.api import outgoing, paging, views
from roxels.dashboard import words
from roxels.dashboard.desk import Desk
from roxels.dashboard.gate import text_of
from roxels.dashboard.people import span_of
from roxels.dashboard.viewer import Viewer
from roxels.domain.occasions import destination
from roxels.storage import deliveries
from roxels.storage.deliveries import Delivery, DeliveryFilter
from roxels.storage.pages import Page
from roxels.storage.transaction import Reading

DELIVERIES_OF_A_PAGE = 50
PLACE = "/dashboard/deliveries"


class Deliveries:
    """The pages about what is sent."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def all(self, viewer: Viewer, request: Request) -> Response:
        """Every delivery, newest first; `status` shows only those."""
        given = request.query_params.get("status")
        status = given if given in words.DELIVERIES else None
        span = span_of(request, DELIVERIES_OF_A_PAGE)

        def work(tx: Reading) -> tuple[Page[Delivery], dict[str, Origin]]:
            found = deliveries.listed(tx, DeliveryFilter(status=status), span)
            return found, browse.origins(tx, found.items)

        found, origins = await self._desk.services.store.read(viewer.environment, work)
        return self._desk.pages.fresh(
            request,
            viewer,
            "deliveries.html",
            deliveries=[views.delivery(each) for each in found.items],
            origins=origins,
            wanted=status,
            next=paging.written(found.next) if found.next else None,
            is_first="cursor" not in request.query_params,
        )

    async def one(self, viewer: Viewer, request: Request) -> Response:
        """A delivery: what is sent, where to, and what came of it."""
        delivery_id = request.path_params["delivery_id"]

        def work(tx: Reading) -> tuple[Sent, dict[str, Origin]]:
            found = inspect.delivery(tx, delivery_id)
            return found, browse.origins(tx, [found.delivery])

        found, origins = await self._desk.services.store.read(viewer.environment, work)
        return self._desk.pages.fresh(
            request,
            viewer,
            "delivery.html",
            delivery=outgoing.sent(found),
            origin=origins.get(found.delivery.conversation_id or ""),
            receiver=destination(found.delivery.url),
        )

    async def send_again(self, viewer: Viewer, request: Request, form: FormData) -> Response:
        """Owe a delivery once more, and go back to where that was asked for."""
        delivery = await self._desk.services.store.write(
            viewer.environment, manage.send_again, request.path_params["delivery_id"]
        )
        if delivery.conversation_id is None or text_of(form, "from") != "conversation":
            return RedirectResponse(f"{PLACE}/{quote(delivery.id, safe='')}", 303)
        return RedirectResponse(f"/dashboard/conversations/{quote(delivery.conversation_id, safe='')}#outputs", 303)

    async def send_all_again(self, viewer: Viewer, _request: Request, form: FormData) -> Response:
        """Owe once more all that failed on the way to one receiver."""
        await self._desk.services.store.write(viewer.environment, manage.send_all_again, text_of(form, "destination"))
        return RedirectResponse(PLACE, 303)
