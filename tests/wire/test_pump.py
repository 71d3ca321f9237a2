"""Reading ahead: words that come while others are being kept become one piece; nothing is dropped or reordered."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roxels.agent.ports import Signal
from roxels.agent.turn import Piece, Together, TurnStep
from roxels.domain.events import AgentSaid, AgentStarted, FieldCaptured
from roxels.storage import log
from roxels.storage.log import Append
from roxels.storage.store import Store
from roxels.testing import LineSpeaker
from roxels.wire.awake import Ports
from roxels.wire.bell import Bell
from roxels.wire.pump import Ahead, Share
from roxels.wire.rooms import Rooms
from tests.wire.conftest import LINES, House
from tests.wire.test_rooms import finished, showing


def heard() -> Bell:
    """Somebody listens."""
    bell = Bell()
    bell.set()
    return bell


async def played(steps: Sequence[TurnStep], slow: Sequence[bool]) -> AsyncIterator[TurnStep]:
    for step, wait in zip(steps, slow, strict=True):
        if wait:
            await asyncio.sleep(0)
        yield step


@given(st.lists(st.tuples(st.sampled_from("pks"), st.booleans(), st.booleans()), max_size=30))
async def test_the_same_steps_come_out(plan: list[tuple[str, bool, bool]]) -> None:
    steps: list[TurnStep] = []
    said = 0
    for number, (kind, _, _) in enumerate(plan):
        if kind == "p":
            steps.append(Piece("u", said, f"{number} "))
            said += len(f"{number} ")
        else:
            fact = FieldCaptured(goal_id="g", field="f", value=number)
            steps.append(Together((fact,)) if kind == "k" else Signal("typing"))
    out: list[Share | Signal] = []
    pauses = iter([pause for _, _, pause in plan] + [False] * 99)
    async for step in Ahead(played(steps, [slow for _, slow, _ in plan]), heard()):
        out.append(step)
        if next(pauses):
            await asyncio.sleep(0)
    assert _said(out) == _said(steps)
    assert _happened(out) == _happened(steps)
    pieces = [step.piece for step in out if isinstance(step, Share) and step.piece]
    assert [piece.start for piece in pieces] == [sum(len(each.text) for each in pieces[:n]) for n in range(len(pieces))]


def _said(steps: Sequence[TurnStep | Share]) -> str:
    words = [step.piece if isinstance(step, Share) else step for step in steps]
    return "".join(each.text for each in words if isinstance(each, Piece))


def _happened(steps: Sequence[TurnStep | Share]) -> list[object]:
    """Facts and signals, in their order."""
    return [
        each
        for step in steps
        if not isinstance(step, Piece)
        for each in ([step] if isinstance(step, Signal) else step.events)
    ]


async def test_what_comes_at_once_is_kept_at_once() -> None:
    started, said = AgentStarted(utterance_id="u"), AgentSaid(utterance_id="u", text="Hello")
    steps: list[TurnStep] = [Together((started,)), Piece("u", 0, "Hel"), Piece("u", 3, "lo"), Together((said,))]
    assert [step async for step in Ahead(played(steps, [False] * 4), heard())] == [Share((started, said))]


async def test_words_of_an_answer_that_goes_on_stay_beside_its_facts() -> None:
    fact = FieldCaptured(goal_id="g", field="f", value=1)
    steps: list[TurnStep] = [Piece("u", 0, "Hel"), Together((fact,)), Piece("u", 3, "lo")]
    kept = [step async for step in Ahead(played(steps, [False] * 3), heard())]
    assert kept == [Share((fact,), Piece("u", 0, "Hello"))]


async def test_a_fault_comes_after_what_was_said_before_it() -> None:
    async def failing() -> AsyncIterator[TurnStep]:
        yield Piece("u", 0, "Hel")
        yield Piece("u", 3, "lo")
        raise ConnectionError

    out: list[Share | Signal] = []

    async def collect() -> None:
        async for step in Ahead(failing(), heard()):
            out.extend([step])

    with pytest.raises(ConnectionError):
        await collect()
    assert _said(out) == "Hello"


async def test_who_leaves_ends_the_speaker_at_once() -> None:
    ended = asyncio.Event()

    async def endless() -> AsyncIterator[TurnStep]:
        try:
            for n in range(10**9):
                yield Piece("u", n, "x")
                await asyncio.sleep(0)
        finally:
            ended.set()

    async with aclosing(Ahead(endless(), heard())) as steps:
        async for _ in steps:
            break
    assert ended.is_set()


class CountingStore(Store):
    """Counts the appends."""

    def __init__(self, store: Store) -> None:
        vars(self).update(vars(store))
        self.appends = 0

    async def append(self, append: Append) -> None:
        self.appends += 1
        await super().append(append)


async def test_a_fast_answer_costs_few_commits(tmp_path: Path) -> None:
    house = House(tmp_path, LineSpeaker(["word " * 200], size=5))
    await house.make_template()
    store = CountingStore(house.store)
    speaker = LineSpeaker(["word " * 200], size=5)
    house.rooms = Rooms(Ports(store=store, speaker=speaker, clock=house.clock, ids=house.ids), house.processes)
    listener = await house.listen(await house.open())
    await listener.until(finished(1))
    assert 0 < store.appends < 20
    await house.close()


async def test_a_correction_during_an_answer_is_committed_once_per_revision(tmp_path: Path) -> None:
    gate = asyncio.Semaphore(4)
    house = House(tmp_path, LineSpeaker(LINES, size=1, gate=gate))
    await house.make_template()
    opened = await house.open()
    listener = await house.listen(opened)
    await listener.until(showing(4))
    await listener.send(frame="correct", goal_id="g1", field="company", value="Babbage & Co")
    for _ in range(200):
        gate.release()
    await listener.until(finished(1))
    stored = await house.store.read("test", log.read, opened.conversation_id)
    assert stored.state.goal("g1").data["company"] == "Babbage & Co"
    assert [message.text for message in stored.state.transcript] == [LINES[0]]
    await house.close()
