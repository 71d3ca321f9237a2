"""Receivers that hang do not slow the others: from the commit to its arrival, p99 stays within 1.5 times.

Two workers on a database each are measured in turn, so that whatever else the machine does falls on both.
"""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from roxels.ambient import SystemClock
from roxels.outbound import guard
from roxels.outbound.circuits import OPENS_AFTER
from roxels.outbound.http import Caller
from roxels.outbound.worker import Pace, Worker
from roxels.storage.database import Database
from roxels.storage.store import Store
from tests.outbound.conftest import Office, Talk
from tests.outbound.receiver import Receiver, receiving
from tests.outbound.sink import Answer, Got, sinking
from tests.outbound.test_receivers_in_trouble import silent

#: As many as would fill every place that the worker has, were they not asked less often.
HANGING, WAITING = 8, 30
PACE = Pace(time_limit=0.25)
#: Commits in a round, and rounds of each at most: it ends with the first in which what is claimed is seen.
COMMITS, ROUNDS = 80, 12
FACTOR = 1.5


class Place(msgspec.Struct):
    """A database, the worker that delivers from it in real time, and people whose commits go to a good receiver."""

    office: Office
    worker: Worker
    talks: list[Talk]

    async def p99(self, arrived: dict[str, float]) -> float:
        """Seconds from a commit to its arrival, of one round."""
        began: dict[str, float] = {}
        for number in range(COMMITS):
            commit_id = await self.talks[number % len(self.talks)].commit()
            began[commit_id] = time.monotonic()
            self.worker.wake()
            await asyncio.sleep(0.003)
        async with asyncio.timeout(30):
            while not began.keys() <= arrived.keys():
                await asyncio.sleep(0.01)
        return statistics.quantiles((arrived[each] - at for each, at in began.items()), n=100)[98]


@asynccontextmanager
async def place(folder: Path, url: str) -> AsyncIterator[Place]:
    folder.mkdir()
    office, clock = Office(folder), SystemClock()
    await office.open()
    await office.new_secret()
    store = Store(Database(office.path), clock)
    async with Caller(permits=guard.anywhere, monotonic=time.monotonic, time_limit=PACE.time_limit) as caller:
        worker = Worker(msgspec.structs.replace(office.deps("one"), store=store, clock=clock, call=caller.call), PACE)
        worker.start()
        yield Place(office, worker, [await office.talk(f"good {number}", [url]) for number in range(20)])
        await worker.stop(0.0)
    await asyncio.to_thread(store.close)
    await office.close()


async def trouble(one: Place, hanging: list[Receiver]) -> None:
    """Owe a lot to all of these, and wait until they are asked less often."""
    for number in range(WAITING):
        urls = [f"http://127.0.0.1:{receiver.port}/" for receiver in hanging]
        await (await one.office.talk(f"bad {number}", urls)).commit()
    async with asyncio.timeout(60):
        while any(len(receiver.received) < OPENS_AFTER for receiver in hanging):
            one.worker.wake()
            await asyncio.sleep(0.05)
    await asyncio.sleep(2 * PACE.time_limit)  # what had begun before that has run out


@pytest.mark.alone
async def test_eight_receivers_that_hang_slow_nobody_else(tmp_path: Path) -> None:
    arrived: dict[str, float] = {}

    def note(got: Got, _n: int) -> Answer:
        arrived.setdefault(got.headers["idempotency-key"], time.monotonic())
        return Answer()

    async with AsyncExitStack() as stack:
        sink = await stack.enter_async_context(sinking(note))
        calm = await stack.enter_async_context(place(tmp_path / "calm", sink.url))
        troubled = await stack.enter_async_context(place(tmp_path / "troubled", sink.url))
        hanging = [await stack.enter_async_context(receiving(silent)) for _ in range(HANGING)]
        await trouble(troubled, hanging)
        asked = sum(len(receiver.received) for receiver in hanging)
        without, beside = [await calm.p99(arrived)], [await troubled.p99(arrived)]
        while min(beside) > FACTOR * min(without) and len(beside) < ROUNDS:
            without.append(await calm.p99(arrived))
            beside.append(await troubled.p99(arrived))
        probes = sum(len(receiver.received) for receiver in hanging) - asked
        waiting = sum(row.status in ("due", "waiting") for row in await troubled.office.rows())
    assert probes <= 2 * HANGING, "one each per 30 s"
    assert waiting >= HANGING * WAITING * 0.9, "they still wait, and lose no attempt"
    print(f"p99 {min(without) * 1000:.1f} ms without, {min(beside) * 1000:.1f} ms beside {HANGING} that hang")
    assert min(beside) <= FACTOR * min(without)
