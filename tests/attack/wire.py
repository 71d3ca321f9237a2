"""Connections without a network: the application's own WebSocket and event stream, as ASGI carries them."""

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from starlette.types import ASGIApp, Message, Scope

#: Seconds to wait for something that ought to come at once.
PATIENCE = 5.0


def scope_of(kind: str, path: str, headers: Mapping[str, str], query: str = "") -> Scope:
    """What a server hands to the application for a connection to this address."""
    return {
        "type": kind,
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "ws" if kind == "websocket" else "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 4000),
        "server": ("127.0.0.1", 8000),
        "subprotocols": [],
    }


class Line:
    """One connection: `sent` is every message that came, as text; it is closed when the application hangs up."""

    def __init__(self, app: ASGIApp, scope: Scope) -> None:
        self.sent: list[str] = []
        self.is_over = False
        self._inbox: asyncio.Queue[Message] = asyncio.Queue()
        self._news = asyncio.Event()
        if scope["type"] == "websocket":
            self._inbox.put_nowait({"type": "websocket.connect"})
        else:
            self._inbox.put_nowait({"type": "http.request", "body": b"", "more_body": False})
        self._task = asyncio.create_task(self._run(app, scope))

    async def send(self, frame: Any) -> None:
        """Send a frame, or text as it stands."""
        text = frame if isinstance(frame, str) else json.dumps(frame)
        await self._inbox.put({"type": "websocket.receive", "text": text})

    async def until(self, *marks: str, after: int = 0) -> None:
        """Wait for a message with one of these marks behind the first `after`, or for the end."""
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while not self.is_over and not any(mark in text for text in self.sent[after:] for mark in marks):
                    self._news.clear()
                    await self._news.wait()

    async def close(self) -> None:
        """Hang up."""
        gone = "websocket.disconnect" if not self.is_over else "http.disconnect"
        await self._inbox.put({"type": gone, "code": 1001})
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self, app: ASGIApp, scope: Scope) -> None:
        try:
            await app(scope, self._inbox.get, self._take)
        finally:
            self.is_over = True
            self._news.set()

    async def _take(self, message: Message) -> None:
        text = message.get("text") or (message.get("body") or b"").decode()
        self.sent.append(text or str({name: value for name, value in message.items() if name != "type"}))
        if message["type"] == "websocket.close":
            self.is_over = True
        self._news.set()
