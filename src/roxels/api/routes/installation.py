"""What this installation runs with, as far as it is no secret."""

from fastapi import APIRouter
from starlette.responses import Response

from roxels.api import shapes, views
from roxels.api.answers import Answer, reply
from roxels.api.auth import Secret
from roxels.api.reading import StrictRoute

router = APIRouter(prefix="/v1/installation", route_class=StrictRoute, tags=["Installation"])


@router.get("", response_model=shapes.Installation)
async def get_installation(key: Secret) -> Response:
    """Read where browsers reach this server, and what it keeps, speaks and sends with. No secret stands in it."""
    return reply(Answer(body=views.installation(key.services.runs_with, key.services.origin)))
