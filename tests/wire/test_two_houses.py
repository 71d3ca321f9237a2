"""Two processes share a conversation: one speaks for it, the other listens, hears, and takes over."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from roxels.agent.speakers.scripted import ScriptedSpeaker
from roxels.domain.conversation import Conversation
from roxels.storage import log
from roxels.testing import FakeClock, LineSpeaker
from roxels.wire.attendance import act
from roxels.wire.protocol import Say
from tests.storage.conftest import TEMPLATE
from tests.wire.conftest import LINES, House, Listener
from tests.wire.test_reading_on import ANSWER, Writer, begun
from tests.wire.test_rooms import finished, showing, texts
from tests.wire.test_visits import waiting

Pair = tuple[House, House]


async def paired(folder: Path, **settings: object) -> Pair:
    """Two processes with the scripted speaker, at 60 characters a second, on one database and one clock."""
    clock = FakeClock()
    one, two = [House(folder, ScriptedSpeaker(clock, 60), name=name, clock=clock) for name in ("one", "two")]
    await one.make_template({**TEMPLATE, "settings": {**TEMPLATE["settings"], **settings}})
    two.template_id = one.template_id
    return one, two


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    one, two = await paired(tmp_path, max_session_duration_minutes=5)
    watching = [asyncio.create_task(house.rooms.watch_others()) for house in (one, two)]
    yield one, two
    for task in watching:
        task.cancel()
    await one.close()
    await two.close()


async def goes_by(clock: FakeClock, seconds: float, *listeners: Listener, step: float = 0.05) -> None:
    """Time goes by for both, step by step, and listeners take what comes."""
    for _ in range(round(seconds / step)):
        clock.advance(step)
        await asyncio.sleep(0.004)
        for listener in listeners:
            while listener.pull():
                pass


async def until_closed(listener: Listener, clock: FakeClock, *others: Listener) -> None:
    """Time goes by until this one is left."""
    async with asyncio.timeout(10):
        while listener.link.close_code is None:
            await goes_by(clock, 1, listener, *others)


async def kept(house: House, conversation_id: str) -> Conversation:
    return (await house.store.read("test", log.read, conversation_id)).state


async def test_words_said_to_the_other_one_end_the_answer_and_are_answered(pair: Pair) -> None:
    """The stream comes from the one, the words go to the other, as a balancer may send them."""
    one, two = pair
    listener = await one.listen(opened := await one.open())
    await goes_by(one.clock, 0.8, listener)
    shown = texts(listener.view)[0]
    assert shown
    visit = await two.rooms.visit_of(opened.token or "")
    async with two.rooms.attended(visit) as room:
        await act(two.rooms, room, visit, Say(id="m1", text="Acme"))
    await goes_by(one.clock, 6, listener)
    state = await kept(one, opened.conversation_id)
    cut, words, answer = state.transcript[:3]
    assert (cut.interrupted, words.text) == (True, "Acme")
    assert cut.text.startswith(shown)
    assert state.goal("g1").data == {"company": "Acme"}
    assert "What is the name" not in answer.text, "it is not asked again"
    assert texts(listener.view)[:2] == [cut.text, "Acme"]


async def test_words_said_twice_to_both_are_kept_once(pair: Pair) -> None:
    one, two = pair
    here = await one.listen(opened := await one.open())
    there = await two.listen(opened)
    await goes_by(one.clock, 3, here, there)
    for listener in (there, here, there):
        await listener.send(frame="say", id="m1", text="Acme")
    await goes_by(one.clock, 4, here, there)
    state = await kept(one, opened.conversation_id)
    assert [message.text for message in state.transcript if message.role == "user"] == ["Acme"]
    assert here.view.as_json() == there.view.as_json()


async def test_who_takes_over_decides_upon_all_that_was_said(tmp_path: Path) -> None:
    """Words move no head: what the dead one said last is read before anything is decided."""
    gate = asyncio.Semaphore(0)
    one = House(tmp_path, LineSpeaker(LINES, gate=gate))
    await one.make_template()
    two = House(tmp_path, LineSpeaker(LINES), name="two", clock=one.clock)
    two.template_id = one.template_id
    here = await one.listen(await one.open())
    gate.release()
    gate.release()
    await here.until(showing(3))
    there = await two.listen(await two.open())
    await there.until(showing(3))
    one.rooms._hinted(next(iter(one.rooms._rooms)))  # there came somebody
    await waiting(one)
    for _ in range(3):
        gate.release()
    await here.until(showing(9))
    one.processes.close()  # as `kill -9` does
    room = two.rooms._all()[0]
    await asyncio.gather(two.rooms._take(room), there.send(frame="say", id="m1", text="Wait"))
    back = await two.listen(await two.open(), here.view)
    await back.until(finished(3))
    assert texts(back.view)[:2] == [LINES[0][: len(texts(here.view)[0])], "Wait"]
    await two.close()


async def test_a_visit_ends_where_nobody_speaks_too(pair: Pair) -> None:
    one, two = pair
    here = await one.listen(await one.open())
    await goes_by(one.clock, 3, here)
    there = await two.listen(opened := await two.open())
    await goes_by(one.clock, 200, here, there, step=5)
    await here.leave()
    late = await one.listen(await one.open())  # the one goes on speaking
    await goes_by(one.clock, 100, late, there, step=5)
    await until_closed(there, one.clock, late)
    assert there.link.close_code == 1000
    assert any(frame["frame"] == "bye" and frame["code"] == "time" for frame in there.frames)
    assert late.link.close_code is None
    assert (await kept(one, opened.conversation_id)).sessions[opened.session_id].ended_at is not None


async def test_who_has_nothing_to_show_any_more_hears_nothing_from_the_other_one(tmp_path: Path) -> None:
    """What a session proved runs out while it listens where nobody speaks."""
    one, two = await paired(tmp_path)
    watching = [asyncio.create_task(house.rooms.watch_others()) for house in (one, two)]
    early = await one.open()
    await goes_by(one.clock, 12 * 3600, step=3600)
    here = await one.listen(await one.open())
    await goes_by(one.clock, 3, here)
    there = await two.listen(early)
    await goes_by(one.clock, 12 * 3600 + 60, here, there, step=600)
    await until_closed(there, one.clock, here)
    assert there.link.close_code == 4001
    await here.send(frame="say", id="m9", text="a secret")
    await goes_by(one.clock, 5, here, there)
    assert "a secret" not in str(there.frames)
    for task in watching:
        task.cancel()
    await one.close()
    await two.close()


async def test_a_models_answer_goes_on_when_somebody_comes_elsewhere(tmp_path: Path) -> None:
    """What another process writes may not concern it: the model is not asked a second time."""
    writer = Writer()
    one = await begun(tmp_path, writer)
    two = House(tmp_path, writer, name="two", clock=one.clock)
    two.template_id = one.template_id
    here = await one.listen(await one.open())
    writer.write(6)
    await here.until(showing(5))
    there = await two.listen(await two.open())
    writer.write(1000)
    await here.until(finished(1))
    assert texts(here.view) == [ANSWER]
    assert writer.asked == 1
    await there.leave()
    await one.close()
    await two.close()
