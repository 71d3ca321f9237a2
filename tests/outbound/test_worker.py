"""The delivery worker: nothing lost, order kept, same bytes on every attempt, whatever dies in between."""

import asyncio
import logging
from collections import defaultdict
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from sqlalchemy import delete
from standardwebhooks.webhooks import Webhook

from roxels import webhooks
from roxels.outbound.attempt import Outcome
from roxels.outbound.http import USER_AGENT, Request
from roxels.outbound.worker import MARGIN, Pace, Worker
from roxels.storage import keys, outbox
from roxels.storage.schema import deliveries
from roxels.storage.transaction import AcrossWriting, Rows
from tests.outbound.conftest import Call, Office
from tests.outbound.sink import Answer, Answering, Got, always, sinking

#: Longer than any claim.
LAPSE = Pace().time_limit + MARGIN + 1


def failing(times: int, status: int = 503) -> Answering:
    """Fails so often, then takes everything."""
    return lambda _got, n: Answer(status=status if n <= times else 200)


async def once(office: Office, name: str = "one") -> None:
    """A worker's life: it sends what is due now, settles it, and stops."""
    worker = office.worker(name)
    await office.until(worker, lambda rows: not any(office.is_at_hand(row) for row in rows))
    await worker.stop(5)


def are_settled(rows: list[Rows]) -> bool:
    """Whether nothing is owed any more."""
    return not any(row.status in outbox.UNSETTLED for row in rows)


async def test_a_commit_reaches_its_receiver_at_once_signed_twice(office: Office) -> None:
    _, value = await office.new_secret()
    async with sinking() as sink:
        worker = office.worker()
        office.store.wake.listen_due(worker.wake)
        talk = await office.talk("ada", [f"{sink.url}/hook?a=%20b"])
        commit_id = await talk.commit("Zoë & Co")
        await sink.until(1)
        await worker.stop(5)
    (got,) = sink.got
    row = await office.row()
    assert got.path == "/hook?a=%20b"
    assert got.body == row.body.encode()
    assert got.data == {"company": "Zoë & Co"}
    assert got.headers["content-type"] == "application/json"
    assert got.headers["user-agent"] == USER_AGENT == "Roxels-Webhook/1"
    assert got.headers["idempotency-key"] == commit_id
    assert webhooks.verify(got.headers, got.body, value, now=office.clock.now()).id == row.id
    assert Webhook(value).verify(got.body, got.headers)["commit_id"] == commit_id
    assert got.headers["x-roxels-signature"].count("v1=") == 2, "one signature for each valid secret"
    (attempt,) = await office.tries()
    assert (row.status, row.tries, row.claimed_by) == ("delivered", 1, None)
    assert (attempt.n, attempt.status_code, attempt.error, attempt.response_excerpt) == (1, 200, None, "noted")


async def test_without_a_hint_the_worker_looks_twice_a_second(office: Office) -> None:
    async with sinking() as sink:
        worker = office.worker()
        await (await office.talk("ada", [sink.url])).commit()
        while not sink.got:
            office.clock.advance(0.5)
            await asyncio.sleep(0.001)
        await worker.stop(5)
    assert await office.statuses() == {"delivered"}


@pytest.mark.parametrize(
    ("status", "becomes"),
    [
        *((each, "delivered") for each in (200, 201, 204)),
        *((each, "failed") for each in (301, 307, 400, 401, 404, 410, 422)),
        *((each, "waiting") for each in (408, 429, 500, 503)),
    ],
)
async def test_what_follows_from_an_answer(office: Office, status: int, becomes: str) -> None:
    async with sinking(always(status)) as sink:
        await (await office.talk("ada", [sink.url])).commit()
        await once(office)
    row = await office.row()
    assert (row.status, row.tries, row.claimed_by) == (becomes, 1, None)
    assert [attempt.status_code for attempt in await office.tries()] == [status]
    if becomes == "waiting":
        assert timedelta(seconds=0.8) <= row.due_at - office.clock.now() <= timedelta(seconds=1.2)


async def test_retry_after_makes_the_wait_longer(office: Office) -> None:
    async with sinking(always(429, Retry_After="60")) as sink:
        await (await office.talk("ada", [sink.url])).commit()
        await once(office)
    assert timedelta(seconds=60) <= (await office.row()).due_at - office.clock.now() <= timedelta(seconds=72)


async def test_every_attempt_has_the_same_bytes_and_keys_and_the_last_one_gives_up(office: Office) -> None:
    async with sinking(always(500)) as sink:
        await (await office.talk("ada", [sink.url])).commit()
        for _ in range(10):
            await once(office)
            office.clock.advance(400)
    row = await office.row()
    assert (row.status, row.tries, len(sink.got)) == ("failed", 8, 8)
    assert [attempt.n for attempt in await office.tries()] == [1, 2, 3, 4, 5, 6, 7, 8]
    for name in ("idempotency-key", "webhook-id"):
        assert len({got.headers[name] for got in sink.got}) == 1
    assert len({got.body for got in sink.got}) == 1
    assert len({got.headers["webhook-timestamp"] for got in sink.got}) == 8, "each attempt is signed at its own time"


async def test_a_failed_one_can_be_sent_again(office: Office) -> None:
    async with sinking(failing(1, 400)) as sink:
        await (await office.talk("ada", [sink.url])).commit()
        await once(office)
        row = await office.row()
        assert row.status == "failed"
        assert not await office.store.write("live", outbox.send_again, row.id)
        assert await office.store.write("test", outbox.send_again, row.id)
        await once(office)
    assert [attempt.status_code for attempt in await office.tries()] == [400, 200]
    assert sink.got[0].body == sink.got[1].body
    assert await office.statuses() == {"delivered"}


async def test_a_later_one_waits_for_an_earlier_one_of_its_person_and_destination(office: Office) -> None:
    async with sinking(failing(1)) as sink, sinking() as elsewhere:
        ada = await office.talk("ada", [f"{sink.url}/first", f"{elsewhere.url}/other"])
        await ada.commit("one")
        await ada.commit("two")
        await (await office.talk("ada", [f"{sink.url}/another/path"])).commit("three")
        await once(office)
        assert [got.data["company"] for got in sink.got] == ["one"], "the first one failed and holds the others back"
        assert [got.data["company"] for got in elsewhere.got] == ["one", "two"], "but not to another destination"
        assert await office.statuses() == {"waiting", "delivered"}
        await (await office.talk("bob", [sink.url])).commit("bob")
        await once(office)
        assert [got.data["company"] for got in sink.got] == ["one", "bob"], "nor anybody else's"
        worker = office.worker()
        await office.until(worker, are_settled, time_passes=True)
    assert [got.data["company"] for got in sink.got] == ["one", "bob", "one", "two", "three"]


async def test_a_failed_one_no_longer_blocks(office: Office) -> None:
    async with sinking(failing(1, 410)) as sink:
        ada = await office.talk("ada", [sink.url])
        await ada.commit("one")
        await ada.commit("two")
        await once(office)
    assert [(row.status, row.tries) for row in await office.rows()] == [("failed", 1), ("delivered", 1)]


async def test_two_workers_lose_nothing_double_nothing_and_keep_order(office: Office) -> None:
    """Receivers fail by turns; every delivery is settled once per attempt, and per person in the order of commits."""
    async with sinking(lambda _got, n: Answer(status=503 if n % 3 == 0 else 200)) as sink:
        talks = [await office.talk(f"person {n}", [f"{sink.url}/{n}"]) for n in range(6)]
        for n in range(5):
            for talk in talks:
                await talk.commit(str(n))
        one, _two = office.worker("one", own_store=True), office.worker("two", own_store=True)
        await office.until(one, are_settled, time_passes=True)
    assert await office.statuses() == {"delivered"}
    assert len(sink.got) == len(await office.tries())
    arrived = defaultdict(list)
    for got, attempt in zip(sink.got, range(1, len(sink.got) + 1), strict=True):
        arrived[got.path].append((got.data["company"], attempt % 3 != 0))
    for story in arrived.values():
        assert [company for company, taken in story if taken] == ["0", "1", "2", "3", "4"]
        assert [company for company, _ in story] == sorted(company for company, _ in story)


class Dying:
    """The call of a process that dies at one point of it: nothing ever comes back."""

    def __init__(self, call: Call, *, sends: bool) -> None:
        self._call = call
        self._sends = sends
        self.died = asyncio.Event()

    async def __call__(self, request: Request) -> Outcome:
        """Make the call, or not even that, and be no more."""
        if self._sends:
            await self._call(request)
        self.died.set()
        await asyncio.Event().wait()
        raise AssertionError("the dead do not come back")


@pytest.mark.parametrize(("sends", "arrivals"), [(False, 1), (True, 2)])
@pytest.mark.parametrize("seen_dead", [True, False])
async def test_what_a_dead_process_had_in_hand_is_delivered_by_another(
    office: Office, sends: bool, arrivals: int, seen_dead: bool
) -> None:
    """Killed between claim and send, or between send and settle. A starting worker sees it, or the claim runs out."""
    dying = Dying(office.call, sends=sends)
    async with sinking() as sink, sinking() as elsewhere:
        await (await office.talk("ada", [sink.url])).commit()
        office.worker("dying", call=dying)
        await dying.died.wait()
        if seen_dead:
            office.dead.add("dying")
        else:
            await (await office.talk("bob", [elsewhere.url])).commit()
            await office.until(office.worker("other"), lambda rows: any(row.status == "delivered" for row in rows))
            assert len(sink.got) == arrivals - 1, "a claim that has not run out is respected"
            office.clock.advance(LAPSE)
        await office.until(office.worker("heir"), are_settled)
    assert len(sink.got) == arrivals
    assert len({(got.body, got.headers["idempotency-key"], got.headers["webhook-id"]) for got in sink.got}) == 1
    assert await office.statuses() == {"delivered"}
    assert {attempt.n for attempt in await office.tries()} == {1}, "settled once"


@pytest.mark.parametrize("comes_back", [True, False])
async def test_a_process_that_was_only_slow_settles_nothing_any_more(
    office: Office, caplog: pytest.LogCaptureFixture, comes_back: bool
) -> None:
    """Whether it brings an answer after all, or breaks off: its claim is void."""
    let_go = asyncio.Event()
    started = asyncio.Event()

    async def slow(request: Request) -> Outcome:
        started.set()
        await let_go.wait()
        return Outcome(status_code=400, duration_ms=1)

    async with sinking() as sink:
        await (await office.talk("ada", [sink.url])).commit()
        slow_one = office.worker("slow", call=slow)
        await started.wait()
        office.clock.advance(LAPSE)
        await office.until(office.worker("heir"), are_settled)
        if comes_back:
            let_go.set()
        await slow_one.stop(5 if comes_back else 0)
    assert (await office.row()).status == "delivered"
    assert [attempt.status_code for attempt in await office.tries()] == [200]
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_stopping_finishes_what_is_under_way_and_gives_back_what_takes_too_long(office: Office) -> None:
    quick, never = asyncio.Event(), asyncio.Event()

    def answering(got: Got, _n: int) -> Answer:
        return Answer(gate=quick if "quick" in got.path else never)

    async with sinking(answering) as sink:
        await (await office.talk("ada", [f"{sink.url}/quick"])).commit()
        await (await office.talk("bob", [f"{sink.url}/never"])).commit()
        worker = office.worker()
        await sink.until(2)
        stopping = asyncio.create_task(worker.stop(0.3))
        await asyncio.sleep(0)
        await (await office.talk("cy", [f"{sink.url}/later"])).commit()
        quick.set()
        await stopping
        rows = {urlsplit(row.url).path: (row.status, row.claimed_by) for row in await office.rows()}
        assert rows == {"/quick": ("delivered", None), "/never": ("due", None), "/later": ("due", None)}
        never.set()
        await once(office, "next")
    assert await office.statuses() == {"delivered"}


async def test_nothing_is_sent_unsigned(office: Office) -> None:
    async with sinking() as sink:
        talk = await office.talk("ada", [sink.url], environment="live")
        await talk.commit()
        await once(office)
        row = await office.row()
        assert (row.status, sink.got) == ("waiting", [])
        assert [attempt.error for attempt in await office.tries()] == ["unsigned"]
        _, value = await office.new_secret("live")
        office.clock.advance(2)
        await once(office)
    assert webhooks.verify(sink.got[0].headers, sink.got[0].body, value, now=office.clock.now())


async def test_a_revoked_secret_signs_nothing_more(office: Office) -> None:
    old_id, old = await office.new_secret("live")
    _, new = await office.new_secret("live")
    async with sinking() as sink:
        talk = await office.talk("ada", [sink.url], environment="live")
        for _ in range(2):
            await talk.commit()
            await once(office)
            await office.store.write("live", keys.revoke_webhook_secret, old_id)
    both, one = sink.got
    now = office.clock.now()
    assert webhooks.verify(both.headers, both.body, old, now=now)
    assert webhooks.verify(one.headers, one.body, new, now=now)
    with pytest.raises(webhooks.WrongSignature):
        webhooks.verify(one.headers, one.body, old, now=now)


async def test_a_receiver_that_hangs_leaves_room_for_the_others(office: Office) -> None:
    async with sinking(lambda _got, _n: Answer(gate=asyncio.Event())) as hanging, sinking() as sink:
        for n in range(8):
            await (await office.talk(f"person {n}", [hanging.url])).commit()
        await (await office.talk("ada", [sink.url])).commit()
        office.worker(pace=Pace(at_once=4, per_destination=2))
        await sink.until(1)
        assert len(hanging.got) <= 2


async def test_what_is_erased_while_it_is_sent_leaves_no_trace(office: Office) -> None:
    gate = asyncio.Event()

    def erase(tx: AcrossWriting) -> None:
        tx.run(delete(deliveries))

    async with sinking(lambda _got, _n: Answer(gate=gate)) as sink:
        await (await office.talk("ada", [sink.url])).commit()
        worker = office.worker()
        await sink.until(1)
        await office.store.write_across(erase)
        gate.set()
        await worker.stop(5)
    assert (await office.rows(), await office.tries()) == ([], [])


async def test_a_database_in_trouble_is_waited_for(office: Office) -> None:
    troubles = [OSError(), OSError()]

    def is_alive(_process_id: str) -> bool:
        if troubles:
            raise troubles.pop()
        return False

    dying = Dying(office.call, sends=False)
    async with sinking() as sink:
        await (await office.talk("ada", [sink.url])).commit()
        office.worker("dying", call=dying)
        await dying.died.wait()
        deps = office.deps("heir", is_alive=is_alive)
        worker = Worker(deps)
        worker.start()
        while str((await office.row()).claimed_by).startswith("dying"):
            office.clock.advance(0.5)
            await asyncio.sleep(0.001)
        await office.until(worker, are_settled)
        await worker.stop(5)
    assert not troubles


async def test_no_secret_no_address_and_no_words_in_a_log_line(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    _, value = await office.new_secret()
    for answering in (always(200), always(503), always(404)):
        async with sinking(answering) as sink:
            await (await office.talk("canary-ada", [f"{sink.url}/?token=canary-token"])).commit("canary-words")
            await once(office)
    ours = [record for record in caplog.records if record.name.startswith("roxels")]
    told = "\n".join(f"{record.getMessage()} {vars(record)}" for record in ours)
    assert len(ours) >= 3
    assert "canary" not in told
    assert value.removeprefix("whsec_") not in told
    assert "127.0.0.1" not in told


async def test_a_crowd_is_delivered_quickly(office: Office) -> None:
    """No measurement, only sanity: `make bench` measures."""
    async with sinking() as sink:
        talks = [await office.talk(f"person {n}", [sink.url]) for n in range(50)]
        for _ in range(4):
            for talk in talks:
                await talk.commit()
        began = asyncio.get_running_loop().time()
        office.worker()
        await sink.until(200)
        took = asyncio.get_running_loop().time() - began
    print(f"{200 / took:.0f} deliveries per second")
    assert took < 8
