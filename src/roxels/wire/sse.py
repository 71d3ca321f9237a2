"""The HTTP twin: the same frames as server-sent events, and one POST per client frame. For curl, tests, back ends and
proxies that eat WebSockets.

Each frame is one `data:` line; facts carry `id: <seq>`, so a browser's `Last-Event-ID` counts as `after`.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse

from roxels.domain.errors import Invalid, NotFound, TooLarge, Unauthorized
from roxels.domain.strict_json import read_json
from roxels.storage.sessions import Visit
from roxels.wire import protocol
from roxels.wire.attendance import Attendance, act
from roxels.wire.bell import Bell
from roxels.wire.link import Link
from roxels.wire.protocol import Hello, Rendered
from roxels.wire.rooms import Rooms

#: Seconds between two comments that keep proxies from giving up.
HEARTBEAT = 15.0
#: Bytes of a POST at most.
MAX_BODY = 256 * 1024


async def stream(request: Request, rooms: Rooms) -> StreamingResponse:
    """`GET /v1/wire?after=N&rendered=<utterance_id>:<chars>`: everything after N, then live."""
    visit = await rooms.visit_of(_bearer(request))
    hello = Hello(v=protocol.VERSION, token="", after=_after(request), rendered=_rendered(request))
    return StreamingResponse(
        _frames(rooms, visit, hello),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def post(request: Request, rooms: Rooms) -> JSONResponse:
    """`POST /v1/wire/{say|correct|heard|bye}`: one client frame; its fields are the body."""
    visit = await rooms.visit_of(_bearer(request))
    body = await _body(request)
    frame = protocol.posted(request.path_params["name"], _fields(body))
    if frame is None:
        raise NotFound
    rooms.count(visit, frame, request.client.host if request.client else "", len(body))
    async with rooms.attended(visit) as room:
        ack = await act(rooms, room, visit, frame)
    return JSONResponse({"ok": True} if ack is None else {"id": ack.id, "seq": ack.seq})


async def _frames(rooms: Rooms, visit: Visit, hello: Hello) -> AsyncIterator[str]:
    changed = Bell()
    attendance = Attendance(rooms, Link(changed.set))
    await attendance.enter(visit, hello)
    try:
        while True:
            changed.clear()
            while messages := attendance.link.pull(attendance.room):
                yield "".join(_line(message) for message in messages)
            if attendance.link.close_code is not None:
                return
            try:
                await asyncio.wait_for(changed.wait(), HEARTBEAT)
            except TimeoutError:
                yield ": still here\n\n"
    finally:
        await attendance.leave()


class _Numbered(msgspec.Struct):
    frame: str
    seq: int = 0


_numbered = msgspec.json.Decoder(_Numbered)


def _line(message: str) -> str:
    numbered = _numbered.decode(message)
    number = f"id: {numbered.seq}\n" if numbered.frame == "event" else ""
    return f"{number}data: {message}\n\n"


def _bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthorized("Send the session's token as `Authorization: Bearer <token>`.")
    return token.strip()


def _after(request: Request) -> int:
    given = request.query_params.get("after") or request.headers.get("last-event-id") or "0"
    if not given.isdecimal() or len(given) > 15:
        raise Invalid("`after` must be a whole number, 0 or more.", field="after")
    return int(given)


def _rendered(request: Request) -> Rendered | None:
    given = request.query_params.get("rendered")
    if not given:
        return None
    utterance_id, _, chars = given.rpartition(":")
    if not utterance_id or not chars.isdecimal() or len(chars) > 15:
        raise Invalid("`rendered` must be <utterance_id>:<chars>.", field="rendered")
    return Rendered(utterance_id, int(chars))


async def _body(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise TooLarge(f"The body is larger than {MAX_BODY // 1024} KB. Send less at once.")
    return body


def _fields(body: bytes) -> dict[str, Any]:
    value = read_json(body or b"{}")
    if not isinstance(value, dict):
        raise Invalid("The body must be a JSON object.")
    return value
