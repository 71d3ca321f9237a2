"""One turn: what the speaker decides becomes facts, pieces and signals, in the order in which they must be kept.

Both speakers pass through here, so captures lead to commits, and an answer to its end, in one way only.
"""

from collections.abc import AsyncIterator

import msgspec

from roxels.agent.ports import Facts, Opening, Scene, Signal, Speaker, Words
from roxels.domain import goals
from roxels.domain.events import AgentSaid, AgentStarted, AnyEvent, ConversationEnded
from roxels.domain.ids import Ids


class Kept(msgspec.Struct, frozen=True):
    """Facts to keep together, in one transaction."""

    events: tuple[AnyEvent, ...]


class Piece(msgspec.Struct, frozen=True):
    """The next words of an answer, from code point `start` on."""

    utterance_id: str
    start: int
    text: str


TurnStep = Kept | Piece | Signal


async def turn(scene: Scene, speaker: Speaker, ids: Ids) -> AsyncIterator[TurnStep]:
    """Play one turn. It may be left at any step and played again from what was kept: nothing is said twice."""
    unfinished = scene.state.unfinished
    utterance_id = unfinished.utterance_id if unfinished else ids.new("utt")
    ends = unfinished.ends if unfinished else None
    said = scene.said_so_far
    pending: list[AnyEvent] = []
    async for step in speaker.speak(scene):
        match step:
            case Facts():
                pending += step.events
            case Opening():
                ends = step.ends
                opening = AgentStarted(
                    utterance_id=utterance_id, plan=step.plan, asks=step.asks, ends=step.ends, nudge=scene.silence
                )
                yield Kept((*settled(scene, pending, ids), opening))
                pending = []
            case Words():
                yield Piece(utterance_id, len(said), step.text)
                said += step.text
            case Signal():
                yield step
    closing: list[AnyEvent] = [*pending, AgentSaid(utterance_id=utterance_id, text=said)]
    if ends is not None:
        closing.append(ConversationEnded(ended_by=ends))
    yield Kept(tuple(closing))


def settled(scene: Scene, events: list[AnyEvent], ids: Ids) -> list[AnyEvent]:
    """These events and the commits that they make due."""
    state = goals.after(scene.state, events)
    proof = scene.state.proof_of(scene.session_id)
    return events + goals.commits(scene.template, state, proof=proof, new_id=lambda: ids.new("commit"))
