"""A speaker of no latency: so many pieces, as fast as they go or at a pace. What is measured is the server alone."""

import asyncio
from collections.abc import AsyncIterator

from roxels.agent.ports import Opening, Scene, SpeakerStep, Words

#: One piece of an answer.
PIECE = "words "


class PiecesSpeaker:
    """Answers everything with `count` pieces, `pause` seconds apart; the greeting has one."""

    def __init__(self, count: int, pause: float = 0.0) -> None:
        self._count = count
        self._pause = pause

    async def speak(self, scene: Scene) -> AsyncIterator[SpeakerStep]:
        """Answer, or say the rest."""
        if scene.state.unfinished is None:
            count = self._count if scene.state.last_words else 1
            yield Opening(plan=PIECE * count)
        else:
            count = len(scene.state.unfinished.plan or "") // len(PIECE)
        for _ in range(len(scene.said_so_far) // len(PIECE), count):
            yield Words(PIECE)
            if self._pause:
                await asyncio.sleep(self._pause)
