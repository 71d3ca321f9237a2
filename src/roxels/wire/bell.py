"""What a listener waits for: `asyncio.Event` without the queue that each of those holds from birth.

Every open connection and every awake conversation has one, and nearly always nobody waits or one does. The queue of an
`asyncio.Event` takes 700 bytes; at two thousand idle sessions that is more than the conversations themselves.
"""

import asyncio


class Bell:
    """Rung or not; who waits goes on when it is rung. For one event loop."""

    __slots__ = ("_is_rung", "_waiters")

    def __init__(self) -> None:
        self._is_rung = False
        self._waiters: list[asyncio.Future[None]] | None = None

    def is_set(self) -> bool:
        """Whether it is rung."""
        return self._is_rung

    def set(self) -> None:
        """Ring: whoever waits goes on, and whoever comes now does not wait."""
        self._is_rung = True
        waiters, self._waiters = self._waiters, None
        for waiter in waiters or ():
            if not waiter.done():
                waiter.set_result(None)

    def clear(self) -> None:
        """Whoever comes now waits."""
        self._is_rung = False

    async def wait(self) -> None:
        """Go on as soon as it is rung."""
        if self._is_rung:
            return
        waiter = asyncio.get_running_loop().create_future()
        if self._waiters is None:
            self._waiters = []
        self._waiters.append(waiter)
        try:
            await waiter
        finally:
            if self._waiters and waiter in self._waiters:  # who gave up waiting is not kept until it rings
                self._waiters.remove(waiter)
