"""A model's answer is read to its end when the last listener has left: unshown, asked for once, there on return."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from roxels.agent.ports import Ending, Facts, Opening, Scene, SpeakerStep, Words
from roxels.domain.events import AgentPlanned, AgentSaid, ConversationEnded, FieldCaptured
from roxels.storage import log
from tests.wire.conftest import House
from tests.wire.test_rooms import finished, showing, texts

ANSWER = "That is a fine name for a company. How many people work there?"
FOUND = FieldCaptured(goal_id="g1", field="company", value="Acme")


class Writer:
    """Writes as a model does: no plan, a character whenever the gate lets one through. Counts how often it is asked."""

    def __init__(self, *, ends: bool = False) -> None:
        self.gate = asyncio.Semaphore(0)
        self.asked = 0
        self._ends = ends

    async def speak(self, scene: Scene) -> AsyncIterator[SpeakerStep]:
        """The answer, or the rest of what was planned."""
        unfinished = scene.state.unfinished
        if unfinished is not None and unfinished.plan is not None:
            yield Words(unfinished.plan[len(scene.said_so_far) :])
            return
        self.asked += 1
        if unfinished is None:
            await self.gate.acquire()
            yield Opening(plan=None, speaker="model")
        for character in ANSWER[len(scene.said_so_far) :]:
            await self.gate.acquire()
            yield Words(character)
        yield Facts((FOUND,))
        if self._ends:
            yield Ending("agent")

    def write(self, characters: int) -> None:
        """Let so many through."""
        for _ in range(characters):
            self.gate.release()


async def begun(folder: Path, writer: Writer) -> House:
    house = House(folder, writer)
    await house.make_template()
    return house


async def asleep(house: House) -> None:
    """Wait until no conversation is awake any more."""
    async with asyncio.timeout(10):
        while house.rooms.counts["conversations_awake"]:
            await asyncio.sleep(0.005)


async def stored(house: House, conversation_id: str) -> log.Stored:
    return await house.store.read("test", log.read, conversation_id)


async def test_what_comes_when_nobody_is_there_waits_unshown(tmp_path: Path) -> None:
    writer = Writer()
    house = await begun(tmp_path, writer)
    listener = await house.listen(opened := await house.open())
    writer.write(6)
    await listener.until(showing(5))
    await listener.leave()
    writer.write(1000)
    await asleep(house)
    found = await stored(house, opened.conversation_id)
    assert found.said_so_far == ANSWER[:5]
    assert found.state.goal("g1").data == {"company": "Acme"}, "what it found out counts"
    assert found.state.unfinished is not None
    assert found.state.unfinished.plan == ANSWER
    again = await house.listen(await house.open(), listener.view)
    assert (again.view.rendered or {})["chars"] == 5
    await again.until(finished(1))
    assert next(frame["from"] for frame in again.frames if frame["frame"] == "piece") == 5
    assert texts(again.view) == [ANSWER]
    assert writer.asked == 1
    assert not any("agent.planned" in str(frame) for frame in again.frames), "a plan is nobody's but the server's"
    await house.close()


async def test_who_is_back_in_time_gets_what_came_meanwhile_and_then_the_rest(tmp_path: Path) -> None:
    writer = Writer()
    house = await begun(tmp_path, writer)
    listener = await house.listen(opened := await house.open())
    writer.write(6)
    await listener.until(showing(5))
    await listener.leave()
    writer.write(10)
    async with asyncio.timeout(10):
        while not writer.gate.locked():
            await asyncio.sleep(0.005)
    again = await house.listen(await house.open(), listener.view)
    await again.until(showing(15))
    writer.write(1000)
    await again.until(finished(1))
    assert texts(again.view) == [ANSWER]
    assert writer.asked == 1
    facts = (await stored(house, opened.conversation_id)).facts
    assert not any(isinstance(fact.event, AgentPlanned) for fact in facts)
    await house.close()


async def test_an_answer_that_had_not_begun_is_there_on_return(tmp_path: Path) -> None:
    writer = Writer()
    house = await begun(tmp_path, writer)
    listener = await house.listen(await house.open())
    writer.write(1000)
    await listener.until(finished(1))
    writer.gate = asyncio.Semaphore(0)
    await listener.send(frame="say", id="m1", text="Acme")
    async with asyncio.timeout(10):
        while writer.asked < 2:
            await asyncio.sleep(0.005)
    await listener.leave()
    writer.write(1000)
    await asleep(house)
    again = await house.listen(await house.open(), listener.view)
    await again.until(finished(3))
    assert texts(again.view) == [ANSWER, "Acme", ANSWER]
    assert writer.asked == 2
    await house.close()


async def test_the_last_answer_ends_the_conversation_when_it_was_shown(tmp_path: Path) -> None:
    writer = Writer(ends=True)
    house = await begun(tmp_path, writer)
    listener = await house.listen(opened := await house.open())
    writer.write(6)
    await listener.until(showing(5))
    await listener.leave()
    writer.write(1000)
    await asleep(house)
    assert (await stored(house, opened.conversation_id)).state.is_open
    again = await house.listen(opened, listener.view)
    await again.until(finished(1))
    async with asyncio.timeout(10):
        while (await stored(house, opened.conversation_id)).state.is_open:
            await asyncio.sleep(0.005)
    events = [fact.event for fact in (await stored(house, opened.conversation_id)).facts]
    said = next(place for place, event in enumerate(events) if isinstance(event, AgentSaid))
    ended = next(place for place, event in enumerate(events) if isinstance(event, ConversationEnded))
    assert said < ended
    assert writer.asked == 1
    await house.close()


async def test_a_server_that_stops_drops_what_nobody_heard_and_asks_again(tmp_path: Path) -> None:
    writer = Writer()
    house = await begun(tmp_path, writer)
    listener = await house.listen(opened := await house.open())
    writer.write(6)
    await listener.until(showing(5))
    await listener.leave()
    await house.rooms.drain()
    found = await stored(house, opened.conversation_id)
    assert found.said_so_far == ANSWER[:5]
    house.rooms.is_draining = False
    again = await house.listen(opened, listener.view)
    writer.write(1000)
    await again.until(finished(1))
    assert texts(again.view) == [ANSWER]
    assert writer.asked == 2
    await house.close()
