"""Answer on the beat: a request that names somebody takes a whole number of beats, whatever it found.

Making a person writes rows that finding one does not, and a tenth of a millisecond, looked at often enough, tells who
is a customer. On a beat that difference is gone, unless the work ends just beside one (predictive mitigation of timing
channels: Askarov, Zhang, Myers, CCS 2010).
"""

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from roxels.domain.clock import Clock

#: Seconds. Several times what a start takes, and nothing that a person would notice.
BEAT = 0.015
#: An event loop's timers come up to so many seconds early or late, by when they were set: the last bit is looked for.
COARSE = 0.002


@asynccontextmanager
async def on_the_beat(clock: Clock, *, matters: bool) -> AsyncIterator[None]:
    """What is done inside, refused or not, is over at the next beat after it began. It `matters` where somebody is
    claimed to be there who is not proven.
    """
    began = clock.monotonic()
    try:
        yield
    finally:
        if matters:
            beats = math.ceil((clock.monotonic() - began) / BEAT)
            await _until(clock, began + beats * BEAT)


async def _until(clock: Clock, due: float) -> None:
    await clock.sleep(max(0.0, due - clock.monotonic() - COARSE))
    while clock.monotonic() < due:
        await clock.sleep(0)
