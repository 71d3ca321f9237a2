"""The API's description: as OpenAPI for programs, and as one page for people."""

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

#: The description in OpenAPI; made when somebody first asks, since making it takes a while.
Document = Callable[[], dict[str, Any]]


def routes(document: Document) -> list[Route]:
    """`/openapi.json` and `/docs`."""

    async def described(_request: Request) -> JSONResponse:
        return JSONResponse(document(), headers={"Access-Control-Allow-Origin": "*"})

    return [Route("/openapi.json", described)]
