"""Who listens to a conversation that is erased is told so and let go; nothing is written into it afterwards."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from roxels.actions.eraser import Erased, Eraser
from roxels.actions.forget_line import forget_line, line_id
from roxels.actions.recollect import recollect_all
from roxels.agent.speakers.scripted import ScriptedSpeaker
from roxels.storage.vault import Keyring
from roxels.testing import FakeClock, LineSpeaker
from tests.wire.conftest import LINES, House, Listener
from tests.wire.test_rooms import finished, showing, texts
from tests.wire.test_visits import scripted, waiting


@pytest.fixture
async def gate() -> asyncio.Semaphore:
    return asyncio.Semaphore(5)


@pytest.fixture
async def talking(tmp_path: Path, gate: asyncio.Semaphore) -> AsyncIterator[House]:
    """A house whose agent stops after five characters, until the gate is opened."""
    house = House(tmp_path, LineSpeaker(LINES, size=1, gate=gate))
    await house.make_template()
    yield house
    await house.close()


def eraser_of(house: House, folder: Path) -> Eraser:
    return Eraser(house.store, house.ids, Keyring.load(folder / "keys", house.ids.key), house.clock)


async def let_go(listener: Listener) -> None:
    """Wait until the connection is closed, as a transport does."""
    async with asyncio.timeout(10):
        while listener.link.close_code is None:
            await listener.changed.wait()
            listener.pull()
    listener.pull()


@pytest.mark.parametrize("whole_person", [False, True])
async def test_in_the_middle_of_an_answer(
    talking: House, gate: asyncio.Semaphore, tmp_path: Path, whole_person: bool
) -> None:
    opened = await talking.open()
    one, two = await talking.listen(opened), await talking.listen(opened)
    await one.until(showing(5))
    eraser = eraser_of(talking, tmp_path)
    if whole_person:
        answer = await eraser.person("test", opened.person.id, "api")
    else:
        answer = await eraser.conversation("test", opened.conversation_id, "api")
    assert isinstance(answer, Erased)
    for listener in (one, two):
        await let_go(listener)
        assert listener.frames[-1] | {"message": ""} == {
            "frame": "error",
            "code": "not_found",
            "message": "",
            "fatal": True,
            "retry_ms": None,
        }
    for _ in range(100):
        gate.release()
    again = await talking.listen(opened)
    assert again.pull()[-1]["code"] == "unauthorized"
    await one.leave()
    await two.leave()

    back = await talking.listen(stranger := await talking.open())
    await back.until(finished(1))
    assert (stranger.person.id == opened.person.id) != whole_person
    assert stranger.conversation_id != opened.conversation_id


async def test_another_process_tells_its_listeners(talking: House, tmp_path: Path) -> None:
    opened = await talking.open()
    listener = await talking.listen(opened)
    await listener.until(showing(5))
    other = House(tmp_path, LineSpeaker(LINES), name="two", clock=talking.clock)
    watching = asyncio.create_task(talking.rooms.watch_others())
    await eraser_of(other, tmp_path).conversation("test", opened.conversation_id, "api")
    async with asyncio.timeout(10):
        while listener.link.close_code is None:
            talking.clock.advance(0.1)
            listener.pull()
            await asyncio.sleep(0.001)
    assert "not_found" in [frame.get("code") for frame in [*listener.frames, *listener.pull()]]
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    await listener.leave()
    await other.close()


async def test_a_talk_under_way_does_not_quote_what_was_erased_meanwhile(tmp_path: Path) -> None:
    house = await scripted(tmp_path)
    first = await house.listen(earlier := await house.open())
    await first.until(finished(1))
    await first.send(frame="say", id="m1", text="Difference Engines")
    await first.until(finished(3))
    await first.leave()
    second = await house.listen(await house.open(resume=False))
    await second.until(finished(1))
    assert isinstance(await eraser_of(house, tmp_path).conversation("test", earlier.conversation_id, "api"), Erased)
    await waiting(house)
    await second.send(frame="say", id="m2", text="What did I tell you about engines?")
    await second.until(finished(3))
    assert "“Difference Engines”" not in texts(second.view)[2], "its own question it may repeat"
    await house.close()


@pytest.mark.parametrize("what", ["conversation", "line"])
async def test_nor_does_one_in_another_process(tmp_path: Path, what: str) -> None:
    """Its own log does not move: only what is remembered in it goes."""
    clock = FakeClock()
    one, two = [House(tmp_path, ScriptedSpeaker(clock, 0), name=name, clock=clock) for name in ("one", "two")]
    await one.make_template()
    two.template_id = one.template_id
    first = await two.listen(earlier := await two.open())
    await first.until(finished(1))
    await first.send(frame="say", id="m1", text="Difference Engines")
    await first.until(finished(3))
    await first.leave()
    second = await one.listen(await one.open(resume=False))
    await second.until(finished(1))
    await second.send(frame="say", id="m2", text="What did I tell you about engines?")
    await second.until(finished(3))
    assert "“Difference Engines”" in texts(second.view)[2]
    watching = asyncio.create_task(one.rooms.watch_others())
    if what == "conversation":
        await eraser_of(two, tmp_path).conversation("test", earlier.conversation_id, "api")
    else:
        memory = await two.store.read("test", recollect_all, earlier.person.id)
        line = next(line_id(each) for each in memory.lines if each.text == "Difference Engines")
        await two.store.write("test", forget_line, earlier.person.id, line)
    for _ in range(40):
        clock.advance(0.1)
        await asyncio.sleep(0.005)
    await second.send(frame="say", id="m3", text="What did I tell you about engines?")
    await second.until(finished(5))
    assert "“Difference Engines”" not in texts(second.view)[4]
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    await one.close()
    await two.close()
