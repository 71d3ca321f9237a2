"""A bell is an `asyncio.Event`: the same steps have the same outcome."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from roxels.wire.bell import Bell


async def outcome(event: Bell | asyncio.Event, steps: str) -> tuple[list[int], bool]:
    """Who went on, in order, after these steps: wait, set, clear, a turn of the loop, the last one gives up (x)."""
    went_on: list[int] = []
    waiting: list[asyncio.Task[None]] = []

    async def wait(number: int) -> None:
        await event.wait()
        went_on.append(number)

    for number, step in enumerate(steps):
        match step:
            case "w":
                waiting.append(asyncio.create_task(wait(number)))
            case "s":
                event.set()
            case "c":
                event.clear()
            case "x" if waiting:
                waiting[-1].cancel()
            case _:
                await asyncio.sleep(0)
    await asyncio.sleep(0)
    is_set = event.is_set()
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    return went_on, is_set


@given(st.text(alphabet="wsctx", max_size=20))
async def test_it_is_an_event(steps: str) -> None:
    assert await outcome(Bell(), steps) == await outcome(asyncio.Event(), steps)


async def test_who_gave_up_waiting_is_not_kept() -> None:
    bell = Bell()
    for _ in range(100):
        waiting = asyncio.create_task(bell.wait())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    assert not bell._waiters
