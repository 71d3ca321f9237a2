"""The wire's addresses: one for both transports, and the POSTs of the HTTP twin."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from roxels.wire import socket, sse
from roxels.wire.rooms import Rooms


def wire_routes(rooms: Rooms) -> list[BaseRoute]:
    """`/v1/wire` as WebSocket and as event stream, `/v1/wire/{say|correct|heard|bye}`."""

    async def listen(websocket: WebSocket) -> None:
        await socket.serve(websocket, rooms)

    async def stream(request: Request) -> Response:
        return await sse.stream(request, rooms)

    async def post(request: Request) -> Response:
        return await sse.post(request, rooms)

    return [
        WebSocketRoute("/v1/wire", listen),
        Route("/v1/wire", stream, methods=["GET"]),
        Route("/v1/wire/{name}", post, methods=["POST"]),
    ]
