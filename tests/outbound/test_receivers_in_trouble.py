"""Receivers that misbehave in every way, at the socket: each delivery arrives in the end, the same to the byte."""

import asyncio
import time
from collections.abc import Sequence

import pytest

from roxels.outbound import guard
from roxels.outbound.attempt import Outcome
from roxels.outbound.http import Caller, Request
from roxels.outbound.worker import Pace
from roxels.storage import checkup
from roxels.storage.checkup import LATE
from roxels.storage.transaction import Rows
from tests.outbound.conftest import Office
from tests.outbound.receiver import Behaviour, answering, endless, receiving, saying
from tests.outbound.test_worker import are_settled

#: Seconds for one attempt.
BRIEF = 0.3


async def silent(writer: asyncio.StreamWriter) -> None:
    """Takes the request, and says nothing."""
    await asyncio.sleep(3600)


async def dead(writer: asyncio.StreamWriter) -> None:
    """Takes the request, and is gone: the connection is reset."""
    writer.transport.abort()


#: What it does at first, and how that reads in the attempt: status and error.
TROUBLES: dict[str, tuple[Behaviour, int | None, str | None]] = {
    "dies": (dead, None, "cut_off"),
    "stalls": (silent, None, "timeout"),
    "did the work, says 500": (answering(500, b"done, but"), 500, None),
    "closes before a word": (saying(b""), None, "cut_off"),
    "closes within the status line": (saying(b"HTTP/1.1 2"), None, "cut_off"),
    "closes within the headers": (saying(b"HTTP/1.1 200 OK\r\nContent-Le"), None, "cut_off"),
    "closes within a 503": (saying(b"HTTP/1.1 503 X\r\nContent-Length: 99\r\n\r\nover"), 503, "cut_off"),
    "drips": (endless(b"HTTP/1.1 500 X\r\n\r\n", b".", 0.01), 500, "timeout"),
    "is no web server": (saying(b"SSH-2.0-OpenSSH_9\r\n\r\n"), None, "not_http"),
}


def in_turn(behaviours: Sequence[Behaviour]) -> Behaviour:
    """One after the other, for one request each; the last one stays."""
    left = list(behaviours)

    async def behaviour(writer: asyncio.StreamWriter) -> None:
        await (left.pop(0) if len(left) > 1 else left[0])(writer)

    return behaviour


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_it_arrives_in_the_end_the_same_to_the_byte(office: Office, trouble: str) -> None:
    behaviour, status, error = TROUBLES[trouble]
    caller = Caller(permits=guard.anywhere, monotonic=time.monotonic, time_limit=BRIEF)
    async with caller, receiving(in_turn([behaviour, behaviour, answering(200)])) as receiver:
        talk = await office.talk("ada", [f"http://127.0.0.1:{receiver.port}/hook"])
        await talk.commit()
        await talk.commit()
        worker = office.worker(pace=Pace(time_limit=BRIEF), call=caller.call, own_time=False)
        await office.until(worker, are_settled, time_passes=True)
    first, second, third, other = receiver.received
    assert first.body == second.body == third.body != other.body
    for name in ("idempotency-key", "webhook-id"):
        assert first.headers[name] == second.headers[name] == third.headers[name] != other.headers[name]
    tries = [
        (each.status_code, each.error)
        for each in await office.tries()
        if each.delivery_id == first.headers["webhook-id"]
    ]
    assert tries == [(status, error), (status, error), (200, None)]
    assert await office.statuses() == {"delivered"}


async def test_who_said_200_has_it_even_if_it_broke_off_behind_that(office: Office) -> None:
    broken = saying(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf")
    caller = Caller(permits=guard.anywhere, monotonic=time.monotonic, time_limit=BRIEF)
    async with caller, receiving(broken) as receiver:
        talk = await office.talk("ada", [f"http://127.0.0.1:{receiver.port}/hook"])
        await talk.commit()
        await office.until(office.worker(call=caller.call, own_time=False), are_settled)
    assert len(receiver.received) == 1
    assert [(each.status_code, each.error, each.response_excerpt) for each in await office.tries()] == [
        (200, "cut_off", "half")
    ]


async def test_what_waits_behind_a_receiver_in_trouble_is_not_late_while_somebody_delivers(office: Office) -> None:
    async def down(_request: Request) -> Outcome:
        return Outcome(status_code=503, duration_ms=1)

    def old(rows: list[Rows]) -> int:
        at = office.clock.now() - LATE
        return sum(row.status == "due" and row.claimed_by is None and row.due_at < at for row in rows)

    for n in range(24):
        await (await office.talk(f"person {n}", ["https://down.example/hook"])).commit()
    worker = office.worker(call=down, own_time=False)
    async with asyncio.timeout(20):
        while not old(rows := await office.rows()):
            worker.wake()
            office.clock.advance(1)
            await asyncio.sleep(0.005)
    await worker.stop(5)
    assert checkup.examine(office.store.database, office.clock.now()).late_deliveries == 0
    office.clock.advance(LATE.total_seconds() + 40)
    waiting = checkup.examine(office.store.database, office.clock.now()).late_deliveries
    assert waiting >= old(rows) > 0, "now nobody delivers"
