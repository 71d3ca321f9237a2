"""Real fakes for tests, ours and yours: time that is moved by hand, counted ids, and a speaker with known lines.

They go through the same doors as the real things (`server.build` takes them as arguments); nothing is patched.
"""

import asyncio
import heapq
import itertools
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta

from roxels.agent.ports import Opening, Scene, SpeakerStep, Words
from roxels.domain.ids import Kind, SecretKind

#: When time begins in tests.
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class FakeClock:
    """Time that moves only when told to (`advance`), as `roxels.domain.clock.Clock`."""

    def __init__(self, start: datetime = START) -> None:
        self._now = start
        self._started = start
        self._order = itertools.count()
        self._sleepers: list[tuple[datetime, int, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        """The time that it was moved to."""
        return self._now

    def monotonic(self) -> float:
        """Seconds since it began."""
        return (self._now - self._started).total_seconds()

    async def sleep(self, seconds: float) -> None:
        """Wait until somebody advances the clock that far."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        sleeper = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + timedelta(seconds=seconds), next(self._order), sleeper))
        await sleeper

    def advance(self, seconds: float) -> None:
        """Let time pass; wakes those whose time has come, in order."""
        self._now += timedelta(seconds=seconds)
        while self._sleepers and self._sleepers[0][0] <= self._now:
            _, _, sleeper = heapq.heappop(self._sleepers)
            if not sleeper.done():
                sleeper.set_result(None)


class CountedIds:
    """Ids that count: `utt_1`, `utt_2` ... and secrets that say what they are, as `roxels.domain.ids.Ids`."""

    def __init__(self, prefix: str = "") -> None:
        self._prefix = prefix
        self._counts: dict[str, int] = {}

    def new(self, kind: Kind) -> str:
        """`<kind>_<n>`."""
        return f"{kind}_{self._prefix}{self._next(kind)}"

    def secret(self, kind: SecretKind) -> str:
        """`<kind>_secret<n>`."""
        return f"{kind}_secret{self._prefix}{self._next(kind)}"

    def key(self, size: int) -> bytes:
        """Bytes that differ from call to call."""
        return self._next("key").to_bytes(size, "big")

    def _next(self, kind: str) -> int:
        self._counts[kind] = self._counts.get(kind, 0) + 1
        return self._counts[kind]


class LineSpeaker:
    """Says the given lines one after the other, whatever is asked, a few characters at a time.

    `gate`, when given, is awaited before every piece: a test that holds it decides how far an answer gets.
    """

    def __init__(self, lines: Sequence[str], *, size: int = 3, gate: asyncio.Semaphore | None = None) -> None:
        self._lines = lines
        self._size = size
        self._gate = gate

    async def speak(self, scene: Scene) -> AsyncIterator[SpeakerStep]:
        """The line that follows those already said, or what is left of it."""
        unfinished = scene.state.unfinished
        plan = unfinished.plan if unfinished else self._line(scene)
        if unfinished is None:
            yield Opening(plan=plan)
        rest = (plan or "")[len(scene.said_so_far) :]
        for start in range(0, len(rest), self._size):
            if self._gate is not None:
                await self._gate.acquire()
            yield Words(rest[start : start + self._size])

    def _line(self, scene: Scene) -> str:
        spoken = sum(message.role == "agent" for message in scene.state.transcript)
        return self._lines[spoken % len(self._lines)]
