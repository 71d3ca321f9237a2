"""Somebody comes while somebody else goes, at any moment: nobody is left in a room that is asleep, or asleep in one."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from roxels.testing import LineSpeaker
from roxels.wire.rooms import AGAIN, POLL, Rooms
from tests.wire.conftest import LINES, House
from tests.wire.test_rooms import finished

#: Milliseconds between the two: more than entering takes.
MOMENTS = [each / 4 for each in range(16)]
EMPTY = {"conversations_awake": 0, "listeners": 0}


@pytest.fixture
async def slow(tmp_path: Path) -> AsyncIterator[House]:
    """A house whose agent says one letter after the other."""
    house = House(tmp_path, LineSpeaker(LINES, size=1))
    await house.make_template()
    yield house
    await house.close()


async def is_empty(house: House) -> None:
    """Wait until nobody is here and nothing is awake."""
    async with asyncio.timeout(10):
        while house.rooms.counts != EMPTY:
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("moment", MOMENTS)
async def test_who_comes_while_the_last_one_goes_is_heard_and_answered(slow: House, moment: float) -> None:
    first = await slow.listen(await slow.open())
    coming = asyncio.create_task(slow.listen(await slow.open()))
    await asyncio.sleep(moment / 1000)
    await first.leave()
    second = await coming
    await second.until(finished(1))
    assert slow.rooms.counts == {"conversations_awake": 1, "listeners": 1}
    await second.send(frame="say", id="m1", text="I am Ada.")
    await second.until(finished(3))


@pytest.mark.parametrize("moment", MOMENTS)
async def test_who_breaks_off_while_coming_leaves_nothing_awake(slow: House, moment: float) -> None:
    coming = asyncio.create_task(slow.listen(await slow.open()))
    await asyncio.sleep(moment / 1000)
    coming.cancel()
    listener = (await asyncio.gather(coming, return_exceptions=True))[0]
    if not isinstance(listener, BaseException):
        await listener.leave()
    await is_empty(slow)


class Unreachable:
    """The other processes, in a database that is away for a while."""

    look_every = 0.0

    def __init__(self) -> None:
        self.asked = 0

    def exchange_hints(self, _wake: Any) -> None:
        """There is nobody to tell."""

    def others(self) -> list[str]:
        """Asked for the first time, it does not answer."""
        self.asked += 1
        if self.asked == 1:
            raise ConnectionError
        return []


async def test_a_database_that_was_away_is_looked_at_again(house: House) -> None:
    listener = await house.listen(await house.open())
    peers: Any = Unreachable()
    rooms = Rooms(house.rooms.ports, peers)
    rooms._rooms = house.rooms._rooms
    watching = asyncio.create_task(rooms.watch_others())
    async with asyncio.timeout(10):
        while peers.asked < 3:
            await asyncio.sleep(0.005)
            house.clock.advance(max(POLL, AGAIN))
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    await listener.leave()
