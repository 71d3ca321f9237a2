"""How fast an answer is shown: so many code points a second, in steps that the eye takes for a stream."""

from collections.abc import AsyncIterator

from roxels.domain.clock import Clock

#: Seconds between two steps; at a pace below one code point per step the steps are longer.
STEP = 0.05


async def paced(text: str, cps: float, clock: Clock) -> AsyncIterator[str]:
    """The text in its pieces, each when its time has come; at 0 code points per second all at once."""
    size = max(1, round(cps * STEP)) if cps > 0 else max(1, len(text))
    for start in range(0, len(text), size):
        if start:
            await clock.sleep(size / cps)
        yield text[start : start + size]
