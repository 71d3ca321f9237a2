"""Steps of a turn, read ahead: words that come while earlier ones are being kept become one piece.

Keeping is slower than a model's stream. Without this, each token would wait for a commit of its own; with it, one
commit takes all that has come meanwhile. The order stays, nothing is dropped, and nothing is shown before it is kept,
for who reads from here keeps first.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator

from roxels.agent.turn import Piece, TurnStep


async def merged(steps: AsyncIterator[TurnStep]) -> AsyncGenerator[TurnStep, None]:
    """The same steps in the same order, neighbouring pieces joined. What the steps raise is raised at its place."""
    waiting: deque[TurnStep] = deque()
    changed = asyncio.Event()
    reader = asyncio.create_task(_read(steps, waiting, changed))
    try:
        while True:
            while waiting:
                yield waiting.popleft()
            if reader.done():
                await reader
                return
            changed.clear()
            await changed.wait()
    finally:
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)


async def _read(steps: AsyncIterator[TurnStep], waiting: deque[TurnStep], changed: asyncio.Event) -> None:
    try:
        async for step in steps:
            last = waiting[-1] if waiting else None
            if isinstance(step, Piece) and isinstance(last, Piece):
                waiting[-1] = Piece(last.utterance_id, last.start, last.text + step.text)
            else:
                waiting.append(step)
            changed.set()
    finally:
        asyncio.get_running_loop().call_soon(changed.set)
        if isinstance(steps, AsyncGenerator):
            await steps.aclose()
