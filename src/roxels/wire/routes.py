"""The wire's addresses: one for both transports, and the POSTs of the HTTP twin."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from roxels.wire import socket, sse
from roxels.wire.rooms import Rooms

#: Where browsers and programs talk: a WebSocket, or its HTTP twin.
WIRE = "/v1/wire"


def wire_sockets(rooms: Rooms) -> ASGIApp:
    """`/v1/wire` as WebSocket."""

    async def listen(scope: Scope, receive: Receive, send: Send) -> None:
        await socket.serve(WebSocket(scope, receive, send), rooms)

    return listen


def wire_routes(rooms: Rooms) -> list[BaseRoute]:
    """`/v1/wire` as event stream, `/v1/wire/{say|correct|heard|bye}`."""

    async def stream(request: Request) -> Response:
        return await sse.stream(request, rooms)

    async def post(request: Request) -> Response:
        return await sse.post(request, rooms)

    return [
        Route(WIRE, stream, methods=["GET"]),
        Route("/v1/wire/{name}", post, methods=["POST"]),
    ]
