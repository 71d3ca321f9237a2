"""A transport that sends together what is written together.

Each message of the wire is a write of its own, and to the system each write is a call: for a long conversation that is
read again, the larger part of the work. Here the writes of one round of the event loop become one. Nothing waits: the
round is over before anything else can happen.
"""

import asyncio
from typing import Any


class Corked(asyncio.Transport):
    """Around another transport; all but writing and closing is the other's."""

    def __init__(self, inner: asyncio.Transport) -> None:
        super().__init__()
        self._inner = inner
        self._waiting: list[bytes] = []
        self._loop = asyncio.get_running_loop()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send at the end of this round of the loop, behind what was written before."""
        if not self._waiting:
            self._loop.call_soon(self._flush)
        self._waiting.append(bytes(data))

    def close(self) -> None:
        """Send what was written, then close."""
        self._flush()
        self._inner.close()

    def abort(self) -> None:
        """Close at once."""
        self._waiting.clear()
        self._inner.abort()

    def is_closing(self) -> bool:
        """Whether it is closed, or about to be."""
        return self._inner.is_closing()

    def pause_reading(self) -> None:
        """Take nothing in for now."""
        self._inner.pause_reading()

    def resume_reading(self) -> None:
        """Take in again."""
        self._inner.resume_reading()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """What is known of the connection, e.g. its addresses."""
        return self._inner.get_extra_info(name, default)

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        if waiting and not self._inner.is_closing():
            self._inner.write(b"".join(waiting))
