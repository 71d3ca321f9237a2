"""The speaker that needs no model: deterministic, without network; the demo, the test double, the fallback.

`agent.dialogue` decides the whole answer; here it is only said, at its pace. The plan is kept before a word of it is
shown, so whoever goes on after a cut says exactly the rest.
"""

from collections.abc import AsyncIterator

from roxels.agent.dialogue.planning import plan
from roxels.agent.ports import Facts, Opening, Scene, SpeakerStep, Words
from roxels.agent.speakers.pace import paced
from roxels.domain.clock import Clock


class ScriptedSpeaker:
    """Says what `plan` decided. `cps`: code points per second, 0 for all at once."""

    def __init__(self, clock: Clock, cps: float) -> None:
        self._clock = clock
        self._cps = cps

    async def speak(self, scene: Scene) -> AsyncIterator[SpeakerStep]:
        """Answer the scene, or say the rest of the answer that it has begun."""
        unfinished = scene.state.unfinished
        if unfinished is not None:
            rest = (unfinished.plan or "")[len(scene.said_so_far) :]
        else:
            answer = plan(scene)
            rest = answer.text
            if answer.events:
                yield Facts(answer.events)
            yield Opening(plan=answer.text, asks=answer.asks, ends=answer.ends)
        async for words in paced(rest, self._cps, self._clock):
            yield Words(words)
