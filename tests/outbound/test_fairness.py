"""Receivers that hang do not slow the others: from the commit to its arrival, p99 stays within 1.5 times."""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

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
COMMITS, ROUNDS = 80, 3


@pytest.fixture
async def worker(office: Office) -> AsyncIterator[Worker]:
    """One in real time."""
    clock = SystemClock()
    store = Store(Database(office.path), clock)
    async with Caller(permits=guard.anywhere, monotonic=time.monotonic, time_limit=PACE.time_limit) as caller:
        worker = Worker(msgspec.structs.replace(office.deps("one"), store=store, clock=clock, call=caller.call), PACE)
        store.wake.listen_due(worker.wake)
        worker.start()
        yield worker
        await worker.stop(0.0)
    await asyncio.to_thread(store.close)


async def p99(office: Office, worker: Worker, talks: list[Talk], arrived: dict[str, float]) -> float:
    """Seconds from a commit to its arrival, of one round."""
    began: dict[str, float] = {}
    for number in range(COMMITS):
        commit_id = await talks[number % len(talks)].commit()
        began[commit_id] = time.monotonic()
        worker.wake()
        await asyncio.sleep(0.003)
    async with asyncio.timeout(30):
        while not began.keys() <= arrived.keys():
            await asyncio.sleep(0.01)
    return statistics.quantiles((arrived[each] - at for each, at in began.items()), n=100)[98]


@pytest.mark.alone
async def test_eight_receivers_that_hang_slow_nobody_else(office: Office, worker: Worker) -> None:
    arrived: dict[str, float] = {}

    def note(got: Got, _n: int) -> Answer:
        arrived.setdefault(got.headers["idempotency-key"], time.monotonic())
        return Answer()

    async with AsyncExitStack() as stack:
        sink = await stack.enter_async_context(sinking(note))
        hanging: list[Receiver] = [await stack.enter_async_context(receiving(silent)) for _ in range(HANGING)]
        talks = [await office.talk(f"good {number}", [sink.url]) for number in range(20)]
        before = [await p99(office, worker, talks, arrived) for _ in range(ROUNDS)]
        for number in range(WAITING):
            urls = [f"http://127.0.0.1:{receiver.port}/" for receiver in hanging]
            await (await office.talk(f"bad {number}", urls)).commit()
        async with asyncio.timeout(60):
            while any(len(receiver.received) < OPENS_AFTER for receiver in hanging):
                worker.wake()
                await asyncio.sleep(0.05)
        await asyncio.sleep(2 * PACE.time_limit)  # what had begun before that has run out
        asked = sum(len(receiver.received) for receiver in hanging)
        during = [await p99(office, worker, talks, arrived) for _ in range(ROUNDS)]
        assert sum(len(receiver.received) for receiver in hanging) - asked <= 2 * HANGING, "one probe each per 30 s"
        waiting = sum(row.status in ("due", "waiting") for row in await office.rows())
    assert waiting >= HANGING * WAITING * 0.9, "they still wait, and lose no attempt"
    print(f"p99 {min(before) * 1000:.1f} ms without, {min(during) * 1000:.1f} ms beside {HANGING} that hang")
    assert min(during) <= 1.5 * min(before)
