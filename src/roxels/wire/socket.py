"""The WebSocket transport: no decisions, just a reader that feeds the link and a writer that empties it."""

import asyncio
import logging
from contextlib import suppress

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from roxels.wire.attendance import Attendance
from roxels.wire.bell import Bell
from roxels.wire.framing import SEND_TIMEOUT, TOGETHER
from roxels.wire.link import Link
from roxels.wire.rooms import Rooms

logger = logging.getLogger(__name__)


async def serve(socket: WebSocket, rooms: Rooms) -> None:
    """Serve one connection until either side is done."""
    await socket.accept()
    changed = Bell()
    attendance = Attendance(rooms, Link(changed.set), socket.client.host if socket.client else "")
    reader = asyncio.create_task(_read(socket, attendance, changed))
    try:
        await _write(socket, attendance, changed, reader)
    except (WebSocketDisconnect, RuntimeError, TimeoutError, OSError):
        pass  # the connection is gone: whatever it missed is pulled by the next one
    finally:
        attendance.link.state = "closed"
        if not attendance.is_acting:
            reader.cancel()
        (fault,) = await asyncio.gather(reader, return_exceptions=True)
        if isinstance(fault, Exception):
            logger.error("A message could not be acted upon.", exc_info=fault, extra={"action": "frame_failed"})
        await attendance.leave()


async def _read(socket: WebSocket, attendance: Attendance, changed: Bell) -> None:
    try:
        while attendance.link.state != "closed":
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            await attendance.receive(message.get("text") or message.get("bytes") or b"")
    finally:
        changed.set()


async def _write(socket: WebSocket, attendance: Attendance, changed: Bell, reader: "asyncio.Task[None]") -> None:
    link = attendance.link
    while True:
        changed.clear()
        while messages := link.pull(attendance.room):
            await _send(socket, messages)
        if link.close_code is not None:
            with suppress(RuntimeError):
                await socket.close(link.close_code)
            return
        if reader.done() or socket.client_state is WebSocketState.DISCONNECTED:
            return
        await changed.wait()


async def _send(socket: WebSocket, messages: list[str]) -> None:
    """Send them, at one go where the server can; it hangs up on a slow listener by itself."""
    if TOGETHER in socket.scope.get("extensions", {}):
        await socket.send({"type": "websocket.send", TOGETHER: messages})
        return
    async with asyncio.timeout(SEND_TIMEOUT):
        for message in messages:
            await socket.send_text(message)
