"""Erasing that is held up, cut off or fails: it always comes to its end, with one receipt."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path
from typing import TypeVar

import pytest

from roxels.actions import forget
from roxels.actions.eraser import PATIENCE, REST, Erased, Eraser, Sweeping
from roxels.domain.receipts import Receipt, broken
from roxels.storage import erasures
from roxels.storage.database import Database
from roxels.storage.erase_list import FILE, EraseList
from roxels.storage.erasures import AT_ONCE
from roxels.storage.receipts import ChainLink
from roxels.storage.store import Store
from roxels.storage.transaction import Environment
from roxels.storage.vault import Keyring, verifiers
from roxels.testing import CountedIds, FakeClock
from tests.actions.planting import found
from tests.actions.test_forget import begin, chain, counts, receipt_of, say, visit

T = TypeVar("T")


async def passing(clock: FakeClock, work: Awaitable[T], step: float = 0.05) -> T:
    """What the work brings, while time passes."""
    task = asyncio.ensure_future(work)
    async with asyncio.timeout(20):
        while not task.done():
            clock.advance(step)
            await asyncio.wait({task}, timeout=0.001)
    return task.result()


class Odd(Database):
    """A database whose compacting takes time, is counted, and fails as often as told."""

    def __init__(self, path: Path, clock: FakeClock) -> None:
        super().__init__(path)
        self.compacted_at: list[float] = []
        self.seconds = 0.0
        self.faults = 0
        self._clock = clock

    def compact(self) -> None:
        """Compact, or fail as when the disk is full."""
        if self.faults:
            self.faults -= 1
            raise OSError("the disk is full")
        self.compacted_at.append(self._clock.monotonic())
        self._clock.advance(self.seconds)
        super().compact()


@pytest.fixture
async def odd(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Odd]:
    database = Odd(tmp_path / "roxels.db", clock)
    database.create_all()
    yield database
    database.close()


@pytest.fixture
async def store(odd: Odd, clock: FakeClock) -> AsyncIterator[Store]:
    store = Store(odd, clock)
    yield store
    await asyncio.get_running_loop().run_in_executor(None, store.close)


async def test_readers_hold_up_the_sweep_and_the_receipt_follows(
    store: Store, odd: Odd, eraser: Eraser, template_id: str, ids: CountedIds, clock: FakeClock, tmp_path: Path
) -> None:
    opened = await visit(store, template_id, ids, "user_canary_adaadaada")
    reader = odd.readers.connect()
    reader.exec_driver_sql("SELECT count(*) FROM persons")
    answer = await passing(clock, eraser.person("test", opened.person.id, "api"))
    assert answer == Sweeping(opened.person.id)
    assert clock.monotonic() >= PATIENCE
    assert await counts(store) == {}
    assert await passing(clock, eraser.person_called("test", "user_canary_adaadaada", "api")) == Sweeping(
        "user_canary_adaadaada"
    )
    assert await chain(store) == []
    assert found(tmp_path, ["user_canary_adaadaada"]), "it is still in the files, and we do not say otherwise"

    reader.close()
    await passing(clock, eraser.settle())
    receipt = receipt_of(await eraser.person("test", opened.person.id, "api"))
    assert await chain(store) == [receipt]
    assert found(tmp_path, ["user_canary_adaadaada"]) == {}


@pytest.mark.parametrize("steps", [0, 1, 2, 3, 4])
async def test_a_new_process_finishes_what_another_began(
    store: Store, keyring: Keyring, template_id: str, ids: CountedIds, clock: FakeClock, steps: int
) -> None:
    opened = await visit(store, template_id, ids)
    await say(store, opened, 2 * AT_ONCE)
    before = await counts(store)
    erasure = await begin(store, keyring, ids, "person", opened.person.id)
    for _ in range(steps):
        erasure = await store.write("test", forget.take_step, erasure.id)
    assert (erasure.state == "sweeping") == (steps > 1)

    eraser = Eraser(store, ids, keyring, clock)
    await eraser.resume_pending()
    await passing(clock, eraser.settle())
    [receipt] = await chain(store)
    assert (receipt.id, receipt.counts) == (erasure.id, before)
    assert await counts(store) == {}
    assert await store.read_across(erasures.pending) == []
    assert broken([receipt], verifiers(keyring.signer.public_keys)) is None
    await eraser.close()


async def test_closed_in_the_middle_and_asked_again(
    store: Store, odd: Odd, keyring: Keyring, template_id: str, ids: CountedIds, clock: FakeClock
) -> None:
    opened = await visit(store, template_id, ids)
    await say(store, opened, 5 * AT_ONCE)
    one = Eraser(store, ids, keyring, clock)
    reader = odd.readers.connect()  # holds up the sweep, so that it cannot end before it is closed
    reader.exec_driver_sql("SELECT count(*) FROM persons")
    asked = asyncio.ensure_future(one.person("test", opened.person.id, "api"))
    while not await store.read_across(erasures.pending):
        await asyncio.sleep(0)
    await one.close()
    await asyncio.gather(asked, return_exceptions=True)
    reader.close()
    assert await chain(store) == []
    two = Eraser(store, ids, keyring, clock)
    await passing(clock, two.person("test", opened.person.id, "api"))
    await passing(clock, two.settle())
    assert isinstance(await two.person("test", opened.person.id, "api"), Erased)
    assert len(await chain(store)) == 1
    await two.close()


async def test_many_share_a_sweep_and_sweeps_rest(
    store: Store, odd: Odd, eraser: Eraser, template_id: str, ids: CountedIds, clock: FakeClock
) -> None:
    visits = [await visit(store, template_id, ids, f"user_{n}") for n in range(10)]
    odd.seconds = 3.0
    answers = await passing(clock, asyncio.gather(*(eraser.person("test", each.person.id, "api") for each in visits)))
    await passing(clock, eraser.settle())
    assert len(answers) == len(await chain(store)) == 10
    assert len(odd.compacted_at) <= 2
    last = await visit(store, template_id, ids)
    assert await passing(clock, eraser.person("test", last.person.id, "api")) == Sweeping(last.person.id)
    await passing(clock, eraser.settle())
    assert odd.compacted_at[-1] - odd.compacted_at[-2] >= (1 + REST) * odd.seconds


async def test_a_sweep_that_fails_is_tried_again(
    store: Store,
    odd: Odd,
    eraser: Eraser,
    template_id: str,
    ids: CountedIds,
    clock: FakeClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    opened = await visit(store, template_id, ids)
    odd.faults = 3
    with caplog.at_level(logging.ERROR):
        assert await passing(clock, eraser.person_called("test", "ada", "api")) == Sweeping("ada")
        await passing(clock, eraser.settle(), step=1)
    assert [record.getMessage() for record in caplog.records] == ["A sweep failed and is tried again."] * 3
    assert isinstance(await eraser.person("test", opened.person.id, "api"), Erased)


class Full(EraseList):
    """A list on a disk that is full just when a receipt is to be written down."""

    def keep(self, environment: Environment, link: ChainLink) -> None:
        """It cannot be written."""
        raise OSError(f"no space left for {link.n} of {environment}")


def listed(erase_list: EraseList) -> list[Receipt]:
    """The receipts on the list, in order."""
    return [line.receipt.receipt for line in erase_list.lines() if line.receipt is not None]


async def test_a_receipt_that_was_not_written_down_reaches_the_list_at_the_next_start(
    store: Store, odd: Odd, keyring: Keyring, template_id: str, ids: CountedIds, clock: FakeClock, tmp_path: Path
) -> None:
    erase_list = EraseList.of(tmp_path, odd, "list")
    for name, kept_on in (("ada", erase_list), ("bob", Full(tmp_path / FILE)), ("cleo", erase_list)):
        await visit(store, template_id, ids, name)
        one = Eraser(store, ids, keyring, clock, erase_list=kept_on)
        await passing(clock, asyncio.gather(one.person_called("test", name, "api"), return_exceptions=True))
        await one.close()
    first, lost, third = await chain(store)
    assert listed(erase_list) == [first, third]
    for _ in range(2):
        again = Eraser(store, ids, keyring, clock, erase_list=erase_list)
        assert await again.replay() == 0
        await again.close()
        assert listed(erase_list) == [first, third, lost], "once"
