"""The two things that nobody can pass in from outside: the time and chance. Read here, handed on as arguments.

A leaf: only the composition root, the command line and `roxels.testing` import it.
"""

import asyncio
import os
import secrets
import time
from collections import deque
from datetime import UTC, datetime

from roxels.domain.ids import Kind, SecretKind

#: So many names are drawn for.
AT_ONCE = 256


def chance() -> float:
    """A number from 0 up to 1, from the system's randomness: for jitter."""
    return secrets.SystemRandom().random()


class SystemClock:
    """The machine's clock, as `roxels.domain.clock.Clock`."""

    def now(self) -> datetime:
        """The time, aware, UTC."""
        return datetime.fromtimestamp(time.time_ns() / 1e9, UTC)

    def monotonic(self) -> float:
        """Seconds since some moment, never going back."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Let that much time pass."""
        await asyncio.sleep(seconds)


class RandomIds:
    """Names and secrets from the system's randomness, as `roxels.domain.ids.Ids`. Any thread may ask.

    What names are made of is drawn for many at once: to ask the system is to let go of the interpreter, and on a busy
    server to wait in line for it, at every name. Secrets are drawn one by one, and never lie about.
    """

    def __init__(self) -> None:
        self._drawn: deque[str] = deque()
        os.register_at_fork(after_in_child=self._drawn.clear)  # two processes must not go on with the same

    def new(self, kind: Kind) -> str:
        """`<kind>_` and 32 hexadecimal digits (128 bits)."""
        while True:
            try:
                return f"{kind}_{self._drawn.pop()}"
            except IndexError:
                drawn = secrets.token_hex(16 * AT_ONCE)
                self._drawn.extend(drawn[n : n + 32] for n in range(0, len(drawn), 32))

    def secret(self, kind: SecretKind) -> str:
        """`<kind>_` and 43 characters (256 bits)."""
        return f"{kind}_{secrets.token_urlsafe(32)}"

    def key(self, size: int) -> bytes:
        """Raw key material."""
        return secrets.token_bytes(size)
