"""A WebSocket client that costs next to nothing, so that what is measured is the server and not the load.

It knows what the measured servers send: whole, unmasked text frames, pings and a close (RFC 6455, section 5).
"""

import asyncio
import base64
import json
import os
import struct
from typing import Any, Self
from urllib.parse import urlsplit

FIN_TEXT, FIN_PING, FIN_PONG, MASKED = 0x81, 0x89, 0x8A, 0x80
#: A mask of zeros leaves the payload as it is.
NO_MASK = bytes(4)


class Socket(asyncio.Protocol):
    """One connection; `messages` holds what came and was not taken yet, empty bytes where the connection ended."""

    def __init__(self) -> None:
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.messages: asyncio.Queue[bytes] = asyncio.Queue()
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._is_open = False

    @classmethod
    async def connect(cls, url: str, path: str = "/") -> Self:
        """Open a connection to a server on this machine."""
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or 80
        _, socket = await asyncio.get_running_loop().create_connection(cls, host, port)
        key = base64.b64encode(os.urandom(16)).decode()
        socket._write(
            f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        await socket.opened
        return socket

    def send(self, frame: dict[str, Any]) -> None:
        """Send one message."""
        self._send(FIN_TEXT, json.dumps(frame).encode())

    def _send(self, kind: int, payload: bytes) -> None:
        size = len(payload)
        head = bytes((kind, MASKED | size)) if size < 126 else struct.pack("!BBH", kind, MASKED | 126, size)
        self._write(head + NO_MASK + payload)

    async def until(self, mark: bytes) -> bytes:
        """Take messages in until one holds this; returns it."""
        while mark not in (message := await self.messages.get()):
            if not message:
                raise ConnectionError("the server hung up")
        return message

    def close(self) -> None:
        """Leave without a word."""
        if self._transport is not None:
            self._transport.abort()

    def _write(self, data: bytes) -> None:
        assert self._transport is not None
        self._transport.write(data)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, _fault: Exception | None) -> None:
        """Whoever waits is told."""
        self.messages.put_nowait(b"")

    def data_received(self, data: bytes) -> None:
        """Bytes came: hand on every message that is whole."""
        buffer = self._buffer + data if self._buffer else data
        place = 0
        if not self._is_open:
            end = buffer.find(b"\r\n\r\n")
            if end < 0:
                self._buffer = buffer
                return
            place, self._is_open = end + 4, True
            self.opened.set_result(None)
        size = len(buffer)
        while size - place >= 2:
            length, head = buffer[place + 1], 2
            if length == 126:
                length, head = int.from_bytes(buffer[place + 2 : place + 4]), 4
            elif length == 127:
                length, head = int.from_bytes(buffer[place + 2 : place + 10]), 10
            if size - place < head + length:
                break
            payload = buffer[place + head : place + head + length]
            if buffer[place] == FIN_TEXT:
                self.messages.put_nowait(payload)
            elif buffer[place] == FIN_PING:
                self._send(FIN_PONG, payload)
            place += head + length
        self._buffer = buffer[place:]
