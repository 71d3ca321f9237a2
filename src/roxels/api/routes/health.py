"""How the server is: for load balancers and monitoring. No key, nothing about anybody."""

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import Response

from roxels.api import shapes
from roxels.api.answers import Answer, reply
from roxels.api.auth import Public
from roxels.domain.errors import Unavailable
from roxels.storage import installation

router = APIRouter(tags=["Health"])


@router.get("/healthz", response_model=shapes.Health)
@router.head("/healthz", include_in_schema=False)
async def health() -> Response:
    """The process answers."""
    return reply(Answer(body={"status": "ok"}))


@router.get(
    "/readyz",
    response_model=shapes.Health,
    responses={
        503: {"model": shapes.Error, "description": "The process is stopping, or its database does not answer."}
    },
)
@router.head("/readyz", include_in_schema=False)
async def ready(caller: Public) -> Response:
    """The process can do its work: the database answers, and nobody told it to stop. Else 503."""
    services = caller.services
    if services.is_draining():
        raise Unavailable
    try:
        await services.store.read_across(installation.answers)
    except Exception:
        raise Unavailable("The database does not answer.") from None
    return reply(Answer(body={"status": "ready"}))


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def metrics(caller: Public) -> Response:
    """Numbers in Prometheus' text format."""
    return Response(generate_latest(caller.services.registry), media_type=CONTENT_TYPE_LATEST)
