"""Too often is refused: one token bucket per (key, address), in memory, forgotten when it has been full for long."""

from math import ceil

from roxels.domain.clock import Clock
from roxels.domain.errors import RateLimited

#: Requests a second that one key from one address may make for good, and at once after a pause.
PER_SECOND = 500.0
BURST = 1000.0
#: Buckets kept at most; beyond it the full ones go, and if none is full, all.
KEPT = 20_000


class Buckets:
    """Who asked how often, lately."""

    def __init__(self, clock: Clock, *, per_second: float = PER_SECOND, burst: float = BURST) -> None:
        self._clock = clock
        self._per_second = per_second
        self._burst = burst
        #: Tokens left, and when that was.
        self._left: dict[tuple[str, str], tuple[float, float]] = {}

    def take(self, key: str, address: str) -> None:
        """Count one request. Raises `RateLimited` with the seconds until the next may come."""
        now = self._clock.monotonic()
        if len(self._left) >= KEPT:
            self._forget(now)
        left = self._now_left(self._left.get((key, address)), now)
        if left < 1:
            raise RateLimited(retry_after=max(1, ceil((1 - left) / self._per_second)))
        self._left[key, address] = (left - 1, now)

    def _now_left(self, bucket: tuple[float, float] | None, now: float) -> float:
        if bucket is None:
            return self._burst
        left, at = bucket
        return min(self._burst, left + (now - at) * self._per_second)

    def _forget(self, now: float) -> None:
        self._left = {who: bucket for who, bucket in self._left.items() if self._now_left(bucket, now) < self._burst}
        if len(self._left) >= KEPT:
            self._left.clear()
