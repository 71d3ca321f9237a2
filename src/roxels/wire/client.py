"""A client of the wire in Python: for `roxels talk`, back ends and tests.

It keeps what a browser keeps: its view, and the messages not yet acknowledged. Every connection is a hello with its
place; every break is followed by another, by the table below.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import msgspec

from roxels.domain import texts
from roxels.wire.protocol import DRAINING, SUPERSEDED, UNAUTHORIZED
from roxels.wire.view import ClientView

#: Close codes after which coming back is of no use, and those after which it should be tried at once.
FINAL = frozenset({1000, UNAUTHORIZED})
AT_ONCE = frozenset({SUPERSEDED, DRAINING})
FIRST_WAIT, LONGEST_WAIT, JITTER = 0.5, 30.0, 0.3


class Over(Exception):
    """The server hung up for good: the visit is over or its token opens nothing."""

    code = "over"


class Client:
    """One participant's connection, kept up across breaks."""

    def __init__(self, http: aiohttp.ClientSession, socket_url: str, token: str, chance: Callable[[], float]) -> None:
        self.view = ClientView()
        self._http = http
        self._url = socket_url
        self._token = token
        self._chance = chance
        #: Ids of what was said here, not elsewhere.
        self.own: set[str] = set()
        self._unacknowledged: dict[str, str] = {}
        self._socket: aiohttp.ClientWebSocketResponse | None = None

    async def say(self, message_id: str, text: str) -> None:
        """Say something, once, however often the connection breaks before it is acknowledged.

        Raises `Invalid` for what no server would keep.
        """
        texts.check(text, "`text`", "text")
        self.own.add(message_id)
        self._unacknowledged[message_id] = text
        if self._socket is not None and not self._socket.closed:
            with contextlib.suppress(ConnectionError):
                await self._socket.send_json({"frame": "say", "id": message_id, "text": text})

    async def frames(self) -> AsyncIterator[dict[str, Any]]:
        """All frames, across breaks, already taken into the view. Raises `Over` at the end."""
        wait = 0.0
        while True:
            code: int | None = None
            with contextlib.suppress(aiohttp.ClientError, ConnectionError, TimeoutError):
                async for frame in self._one_connection():
                    wait = 0.0
                    yield frame
                code = self._socket.close_code if self._socket else None
            if code in FINAL:
                raise Over
            wait = 0.0 if code in AT_ONCE and not wait else min(max(wait * 2, FIRST_WAIT), LONGEST_WAIT)
            await asyncio.sleep(wait * (1 + JITTER * (2 * self._chance() - 1)))

    async def _one_connection(self) -> AsyncIterator[dict[str, Any]]:
        async with self._http.ws_connect(self._url, heartbeat=20) as socket:
            self._socket = socket
            await socket.send_json(
                {
                    "frame": "hello",
                    "v": 1,
                    "token": self._token,
                    "after": self.view.after,
                    "rendered": self.view.rendered,
                }
            )
            for message_id, text in list(self._unacknowledged.items()):
                await socket.send_json({"frame": "say", "id": message_id, "text": text})
            async for message in socket:
                if message.type is not aiohttp.WSMsgType.TEXT:
                    break
                frame: dict[str, Any] = msgspec.json.decode(message.data)
                if frame["frame"] == "ack":
                    self._unacknowledged.pop(frame["id"], None)
                self.view.apply(frame)
                yield frame
