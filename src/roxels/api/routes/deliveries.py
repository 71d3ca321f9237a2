"""Deliveries: what commits owe to the outside, every attempt, and sending one again."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from starlette.responses import Response

from roxels.actions import inspect, manage
from roxels.api import bodies, outgoing, paging, shapes, views
from roxels.api.answers import Answer, reply
from roxels.api.auth import Secret
from roxels.api.reading import StrictRoute
from roxels.storage import deliveries
from roxels.storage.deliveries import DeliveryFilter
from roxels.storage.transaction import Writing

router = APIRouter(prefix="/v1/deliveries", route_class=StrictRoute, tags=["Deliveries"])


@router.get("", response_model=shapes.Page[shapes.Delivery])
async def list_deliveries(
    key: Secret,
    status: Annotated[Literal["waiting", "due", "delivered", "failed"] | None, Query()] = None,
    interview_id: str | None = None,
    type: Annotated[
        Literal["webhook", "understanding", "lifecycle"] | None,
        Query(description="`understanding`: of outputs with `streaming`."),
    ] = None,
    cursor: paging.After = None,
    limit: paging.Limit = 50,
) -> Response:
    """List deliveries, newest first."""
    wanted = DeliveryFilter(status=status, conversation_id=interview_id, type=type)
    found = await key.read(deliveries.listed, wanted, paging.span(cursor, limit))
    return reply(Answer(body=views.page(found, views.delivery)))


@router.get("/{delivery_id}", response_model=outgoing.SentDelivery)
async def get_delivery(key: Secret, delivery_id: str) -> Response:
    """Read a delivery with what it sends, and every attempt."""
    return reply(Answer(body=outgoing.sent(await key.read(inspect.delivery, delivery_id))))


@router.post("/send", response_model=shapes.SentAgain)
async def send_deliveries(key: Secret, body: bodies.SendAgain) -> Response:
    """Send again all that failed on the way to one receiver: same bytes, same keys, in their order."""

    def work(tx: Writing) -> Answer:
        where, count = manage.send_all_again(tx, body.destination)
        return Answer(body={"destination": where, "count": count})

    return await key.post(work)


@router.post("/{delivery_id}/send", response_model=shapes.Delivery)
async def send_delivery(key: Secret, delivery_id: str) -> Response:
    """Send a delivery again: same bytes, same `Idempotency-Key`, so that a receiver drops what it has already."""

    def work(tx: Writing) -> Answer:
        sent = manage.send_again(tx, delivery_id)
        return Answer(body=views.delivery(sent), conversation_id=sent.conversation_id)

    return await key.post(work)
