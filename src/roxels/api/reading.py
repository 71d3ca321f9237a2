"""The bodies of requests, read strictly; see `domain.strict_json`. The framework lets no other refusal through."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import Response

from roxels.domain import strict_json
from roxels.domain.errors import Invalid


class Unreadable(HTTPException):
    """The body cannot be read."""

    code = "validation_error"

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(400, message)
        self.message = message
        self.field = field


class StrictRequest(Request):
    """A request whose JSON is read strictly."""

    async def json(self) -> Any:
        """The body. Raises `Unreadable`."""
        if not hasattr(self, "_json"):
            self._json = read_json(await self.body())
        return self._json


class StrictRoute(APIRoute):
    """A route whose requests are read strictly. Lists have no `offset`: passed over, it would answer the first page."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, behind a strict request."""
        handler = super().get_route_handler()
        known = {each.alias for each in self.dependant.query_params}
        way_on = "cursor" if "cursor" in known else "after"

        async def strictly(request: Request) -> Response:
            if "limit" in known and "offset" in request.query_params:
                raise Unreadable(f"Lists have no `offset`; use `{way_on}`, which the page before names.", "offset")
            return await handler(StrictRequest(request.scope, request.receive))

        return strictly


def read_json(body: bytes) -> Any:
    """The value of a JSON text. Raises `Unreadable`."""
    try:
        return strict_json.read_json(body)
    except Invalid as fault:
        raise Unreadable(fault.message, fault.field) from None
