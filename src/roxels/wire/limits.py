"""Too often is refused: a table of token buckets, in memory; where they grow many, those that are full are forgotten.

    what        by               a second     at once
    requests    key, address     500          1,000       anything that is asked of the API
    starts      key, address     200          1,000       visits begun or entered
    starts      device           20           200
    starts      person           50           500         by the id that is claimed, whether it is known or not
    messages    person           100          2,000       words and corrections, on either transport
    messages    device           100          2,000
    messages    address          500          10,000
    bytes       person           512 KB       16 MB       of these messages
    bytes       device           512 KB       16 MB
    bytes       address          4 MB         64 MB

Each process counts for itself. Who is refused learns when the next may come, and loses nothing. Verified visits have a
share of their own, so that nobody uses it up by claiming a name.
"""

from collections.abc import Mapping
from math import ceil
from typing import Final, Literal

import msgspec

from roxels.domain.clock import Clock
from roxels.domain.errors import RateLimited
from roxels.domain.proof import Proof
from roxels.storage.sessions import Visit

What = Literal["requests", "starts", "messages", "bytes"]
By = Literal["key", "person", "device", "address"]

KB = 1024.0
MB = 1024 * KB
#: Buckets kept at most of each kind; beyond it the full ones go, and if none is full, all.
KEPT = 20_000


class Rate(msgspec.Struct, frozen=True):
    """How many a second for good, and how many at once after a pause."""

    per_second: float
    burst: float


RATES: Final[dict[tuple[What, By], Rate]] = {
    ("requests", "key"): Rate(500, 1_000),
    ("starts", "key"): Rate(200, 1_000),
    ("starts", "device"): Rate(20, 200),
    ("starts", "person"): Rate(50, 500),
    ("messages", "person"): Rate(100, 2_000),
    ("messages", "device"): Rate(100, 2_000),
    ("messages", "address"): Rate(500, 10_000),
    ("bytes", "person"): Rate(512 * KB, 16 * MB),
    ("bytes", "device"): Rate(512 * KB, 16 * MB),
    ("bytes", "address"): Rate(4 * MB, 64 * MB),
}


class Allowance:
    """Who asked how often, lately. `scale` multiplies the table; `rates` takes its place."""

    def __init__(self, clock: Clock, *, scale: float = 1, rates: Mapping[tuple[What, By], Rate] | None = None) -> None:
        self._buckets = {
            kind: Buckets(clock, per_second=rate.per_second * scale, burst=max(1, rate.burst * scale))
            for kind, rate in (RATES if rates is None else rates).items()
        }

    def request(self, key: str, address: str) -> None:
        """Count one request. Raises `RateLimited`."""
        self._take("requests", 1, {"key": f"{key} {address}"})

    def start(self, key: str, address: str, device: str | None, person: str | None) -> None:
        """Count a visit that is begun or entered. Raises `RateLimited`."""
        self._take("starts", 1, {"key": f"{key} {address}", "device": device, "person": person})

    def message(self, visit: Visit, address: str, size: int) -> None:
        """Count a message of so many bytes. Raises `RateLimited`."""
        person = f"{visit.person_id} {visit.proof is Proof.verified}"
        by: dict[By, str | None] = {"person": person, "device": visit.browser, "address": address}
        self._take("messages", 1, by)
        self._take("bytes", size, by)

    def _take(self, what: What, count: float, by: Mapping[By, str | None]) -> None:
        for kind, who in by.items():
            bucket = self._buckets.get((what, kind))
            if who is not None and bucket is not None:
                bucket.take(who, count)


class Buckets:
    """One line of the table."""

    def __init__(self, clock: Clock, *, per_second: float, burst: float) -> None:
        self._clock = clock
        self._per_second = per_second
        self._burst = burst
        #: Tokens left, and when that was.
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, who: str, count: float = 1) -> None:
        """Count so many. Raises `RateLimited` with the seconds until the next may come."""
        now = self._clock.monotonic()
        if len(self._left) >= KEPT:
            self._forget(now)
        left, wanted = self._now_left(self._left.get(who), now), min(count, self._burst)
        if left < wanted:
            raise RateLimited(retry_after=max(1, ceil((wanted - left) / self._per_second)))
        self._left[who] = (left - wanted, now)

    def _now_left(self, bucket: tuple[float, float] | None, now: float) -> float:
        if bucket is None:
            return self._burst
        left, at = bucket
        return min(self._burst, left + (now - at) * self._per_second)

    def _forget(self, now: float) -> None:
        self._left = {who: bucket for who, bucket in self._left.items() if self._now_left(bucket, now) < self._burst}
        if len(self._left) >= KEPT:
            self._left.clear()
