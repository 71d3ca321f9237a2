"""A request that names somebody is answered on the beat."""

import asyncio

import pytest

from roxels.api.beat import BEAT, on_the_beat
from roxels.testing import FakeClock


async def taking(clock: FakeClock, seconds: float, *, matters: bool = True, fails: bool = False) -> None:
    """Work that takes so long."""
    async with on_the_beat(clock, matters=matters):
        clock.advance(seconds)
        if fails:
            raise ValueError


async def ends_after(seconds: float, **kwargs: bool) -> float:
    """Seconds until work that takes so long is answered, in steps of a millisecond."""
    clock = FakeClock()
    work = asyncio.create_task(taking(clock, seconds, **kwargs))
    await asyncio.sleep(0)
    while not work.done():
        clock.advance(0.001)
        for _ in range(3):
            await asyncio.sleep(0)
    assert isinstance(work.exception(), ValueError if kwargs.get("fails") else type(None))
    return clock.monotonic()


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize(("takes", "beats"), [(0.001, 1), (0.004, 1), (BEAT + 0.001, 2), (2 * BEAT + 0.002, 3)])
async def test_it_is_over_on_the_next_beat_also_when_it_is_refused(takes: float, beats: int, fails: bool) -> None:
    assert await ends_after(takes, fails=fails) == pytest.approx(beats * BEAT, abs=0.0015)


async def test_where_nobody_is_claimed_nothing_waits() -> None:
    assert await ends_after(0.004, matters=False) == pytest.approx(0.004, abs=0.0015)
