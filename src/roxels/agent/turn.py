"""One turn: what the speaker decides becomes facts, pieces and signals, in the order in which they must be kept.

Both speakers pass through here, so captures lead to commits, and an answer to its end, in one way only.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from typing import assert_never

import msgspec

from roxels.agent.ports import Ending, Facts, Opening, Scene, Signal, Speaker, SpeakerStep, Words
from roxels.domain import goals
from roxels.domain.events import AgentSaid, AgentStarted, AnyEvent, ConversationEnded
from roxels.domain.ids import Ids


class Together(msgspec.Struct, frozen=True):
    """Facts to keep together, in one transaction."""

    events: tuple[AnyEvent, ...]


class Piece(msgspec.Struct, frozen=True):
    """The next words of an answer, from code point `start` on."""

    utterance_id: str
    start: int
    text: str


TurnStep = Together | Piece | Signal


async def turn(scene: Scene, speaker: Speaker, ids: Ids) -> AsyncIterator[TurnStep]:
    """Play one turn. It may be left at any step and played again from what was kept: nothing is said twice."""
    played = _Played(scene, ids)
    async with aclosing(_steps(speaker, scene)) as steps:
        async for step in steps:
            match step:
                case Facts() if played.is_open:
                    yield Together(played.settled(step.events))
                case Facts():
                    played.pending += step.events
                case Opening():
                    yield played.begin(step)
                case Words():
                    yield played.grow(step.text)
                case Ending():
                    played.ends = step.ends
                case Signal():
                    yield step
                case _:
                    assert_never(step)
    yield played.close()


class _Played:
    """An answer while it is played. `state` is the conversation as it will be once all steps so far are kept."""

    def __init__(self, scene: Scene, ids: Ids) -> None:
        unfinished = scene.state.unfinished
        self.scene = scene
        self.ids = ids
        self.state = scene.state
        self.is_open = unfinished is not None
        self.utterance_id = unfinished.utterance_id if unfinished else ids.new("utt")
        self.ends = unfinished.ends if unfinished else None
        self.said = scene.said_so_far
        self.pending: list[AnyEvent] = []

    def begin(self, opening: Opening) -> Together:
        self.is_open, self.ends = True, opening.ends
        started = AgentStarted(
            utterance_id=self.utterance_id,
            speaker=opening.speaker,
            plan=opening.plan,
            asks=opening.asks,
            ends=opening.ends,
            request=opening.request,
            nudge=self.scene.silence,
        )
        return Together((*self.settled(self.pending), started))

    def grow(self, text: str) -> Piece:
        start = len(self.said)
        self.said += text
        return Piece(self.utterance_id, start, text)

    def settled(self, events: Sequence[AnyEvent]) -> tuple[AnyEvent, ...]:
        """These events and the commits that they make due, after those of the steps before."""
        kept = settled(msgspec.structs.replace(self.scene, state=self.state), list(events), self.ids)
        self.state = goals.after(self.state, kept)
        return tuple(kept)

    def close(self) -> Together:
        said: list[AnyEvent] = [AgentSaid(utterance_id=self.utterance_id, text=self.said)]
        return Together((*said, ConversationEnded(ended_by=self.ends)) if self.ends is not None else tuple(said))


async def _steps(speaker: Speaker, scene: Scene) -> AsyncGenerator[SpeakerStep, None]:
    """The speaker's steps; whoever leaves the turn leaves the speaker too, at once."""
    steps = speaker.speak(scene)
    try:
        async for step in steps:
            yield step
    finally:
        if isinstance(steps, AsyncGenerator):
            await steps.aclose()


def settled(scene: Scene, events: list[AnyEvent], ids: Ids) -> list[AnyEvent]:
    """These events and the commits that they make due."""
    state = goals.after(scene.state, events)
    proof = scene.state.proof_of(scene.session_id)
    return events + goals.commits(scene.template, state, proof=proof, new_id=lambda: ids.new("commit"))
