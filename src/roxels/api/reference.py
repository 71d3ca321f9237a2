"""The API's description: as OpenAPI for programs, and as one page for people."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


def routes(document: dict[str, Any]) -> list[Route]:
    """`/openapi.json` and `/docs`."""

    async def described(_request: Request) -> JSONResponse:
        return JSONResponse(document, headers={"Access-Control-Allow-Origin": "*"})

    return [Route("/openapi.json", described)]
