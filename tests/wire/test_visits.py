"""How visits go: silence, time limits, hanging up, versions, corrections, and what a second visit remembers."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from roxels.actions import author
from roxels.agent.speakers.scripted import ScriptedSpeaker
from roxels.storage import log
from roxels.testing import FakeClock
from tests.storage.conftest import TEMPLATE
from tests.wire.conftest import House, Listener
from tests.wire.test_rooms import finished, texts


async def scripted(folder: Path, **settings: Any) -> House:
    """A process with the scripted speaker and the least template, with these settings."""
    clock = FakeClock()
    house = House(folder, ScriptedSpeaker(clock, 0), clock=clock)
    await house.make_template({**TEMPLATE, "settings": {**TEMPLATE["settings"], **settings}})
    return house


async def waiting(house: House) -> None:
    """Let everything happen that is due now."""
    for _ in range(20):
        await asyncio.sleep(0.005)


async def passes(house: House, seconds: float) -> None:
    """Time goes by."""
    await waiting(house)
    house.clock.advance(seconds)
    await waiting(house)


async def test_silence_is_broken_once(tmp_path: Path) -> None:
    house = await scripted(tmp_path)
    listener = await house.listen(await house.open())
    await listener.until(finished(1))
    await passes(house, 46)
    await listener.until(finished(2))
    for _ in range(5):
        await passes(house, 60)
    while listener.pull():
        pass
    assert len(listener.view.messages) == 2
    await house.close()


async def test_silence_is_not_broken_again_when_somebody_elses_time_would_have_been_up(tmp_path: Path) -> None:
    house = await scripted(tmp_path, max_session_duration_minutes=30)
    one = await house.listen(await house.open())
    await one.until(finished(1))
    await passes(house, 46)
    await passes(house, 300)
    other = await house.listen(await house.open())
    await other.until(finished(2))
    await passes(house, 60)
    await one.leave()
    for _ in range(26):  # past the end of the one that left, and not to that of the other
        await passes(house, 60)
    while other.pull():
        pass
    assert len(other.view.messages) == 2
    assert other.link.close_code is None
    await house.close()


class Hasty(FakeClock):
    """Wakes whoever sleeps a little too early, as real timers do."""

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds - 0.001 if seconds > 100 else seconds)


async def test_a_timer_that_rings_early_breaks_no_silence(tmp_path: Path) -> None:
    clock = Hasty()
    house = House(tmp_path, ScriptedSpeaker(clock, 0), clock=clock)
    limits = {"max_session_duration_minutes": 5}
    await house.make_template({**TEMPLATE, "settings": {**TEMPLATE["settings"], **limits}})
    listener = await house.listen(await house.open())
    await listener.until(finished(1))
    await passes(house, 46)
    await passes(house, 253.9995)
    await passes(house, 1)
    await listener.until(lambda view: listener.link.close_code == 1000)
    assert len(listener.view.messages) == 3, "the question, one nudge, the goodbye"
    await house.close()


async def test_a_slow_listener_gets_the_goodbye_too_and_once(tmp_path: Path) -> None:
    house = await scripted(tmp_path, max_session_duration_minutes=5)
    listener = await house.listen(opened := await house.open())
    await listener.until(finished(1))
    await passes(house, 46)
    await passes(house, 300)  # it takes nothing meanwhile
    await waiting(house)
    stored = await house.store.read("test", log.read, opened.conversation_id)
    assert sum("time is up" in message.text for message in stored.state.transcript) == 1
    while listener.pull():
        pass
    assert "time is up" in texts(listener.view)[-1]
    assert listener.frames[-1]["frame"] == "bye", "behind everything else"
    await house.close()


@pytest.mark.parametrize(("resumption", "status"), [(True, "joined"), (False, "completed")])
async def test_a_visit_over_time_says_goodbye(tmp_path: Path, resumption: bool, status: str) -> None:
    house = await scripted(tmp_path, max_session_duration_minutes=5, embedded={"resumption": resumption})
    listener = await house.listen(opened := await house.open())
    await listener.until(finished(1))
    await passes(house, 46)
    await passes(house, 300)
    await listener.until(lambda view: listener.link.close_code == 1000)
    assert any(frame["frame"] == "bye" and frame["code"] == "time" for frame in listener.frames)
    await waiting(house)
    stored = await house.store.read("test", log.read, opened.conversation_id)
    assert stored.state.status == status
    assert stored.state.sessions[opened.session_id].ended_at is not None
    late = Listener(house.rooms, opened.token or "")
    await late.hello()
    assert late.pull()[0]["code"] == "unauthorized"
    await house.close()


@pytest.mark.parametrize(("resumption", "status"), [(True, "joined"), (False, "completed")])
async def test_hanging_up_ends_the_visit_and_what_cannot_be_resumed(
    tmp_path: Path, resumption: bool, status: str
) -> None:
    house = await scripted(tmp_path, embedded={"resumption": resumption})
    listener = await house.listen(opened := await house.open())
    await listener.until(finished(1))
    await listener.send(frame="bye")
    await waiting(house)
    assert (await house.store.read("test", log.read, opened.conversation_id)).state.status == status
    assert listener.link.close_code == 1000
    await house.close()


async def test_leaving_ends_nothing(tmp_path: Path) -> None:
    house = await scripted(tmp_path, embedded={"resumption": False})
    listener = await house.listen(opened := await house.open())
    await listener.until(finished(1))
    await listener.leave()
    assert (await house.store.read("test", log.read, opened.conversation_id)).state.status == "joined"
    await house.close()


async def test_a_correction_is_captured_and_committed_anew(tmp_path: Path) -> None:
    house = await scripted(tmp_path)
    await house.store.write("test", author.change, house.template_id, {"goals": two_fields()})
    listener = await house.listen(await house.open())
    await listener.until(finished(1))
    await listener.send(frame="say", id="m1", text="Difference Engines")
    await listener.until(lambda view: view.committed == {"g1": 1})
    await listener.send(frame="correct", goal_id="g1", field="company", value="Analytical Engines")
    await listener.until(lambda view: view.committed == {"g1": 2})
    assert listener.view.data == {"g1": {"company": "Analytical Engines"}}
    await listener.send(frame="correct", goal_id="g1", field="company", value="Analytical Engines")
    listener.pull()
    assert listener.view.committed == {"g1": 2}, "the same value again is no new revision"
    await house.close()


async def test_a_correction_of_what_was_read_out_is_read_out_again(tmp_path: Path) -> None:
    house = await scripted(tmp_path)
    goals = [{**TEMPLATE["goals"][0], "commit_policy": "human_confirm"}]
    await house.store.write("test", author.change, house.template_id, {"goals": goals})
    listener = await house.listen(await house.open())
    await listener.until(finished(1))
    await listener.send(frame="say", id="m1", text="Difference Engines")
    await listener.until(lambda view: ": Difference Engines" in list(view.messages.values())[-1].text)
    await listener.send(frame="correct", goal_id="g1", field="company", value="Analytical Engines")
    await listener.until(lambda view: ": Analytical Engines" in list(view.messages.values())[-1].text)
    assert listener.view.committed == {}
    await listener.send(frame="say", id="m2", text="yes")
    await listener.until(lambda view: view.committed == {"g1": 1})
    assert listener.view.data == {"g1": {"company": "Analytical Engines"}}
    await house.close()


def two_fields() -> list[dict[str, Any]]:
    """A goal that keeps the conversation open after its first commit."""
    goal: dict[str, Any] = dict(TEMPLATE["goals"][0])
    schema = goal["schema"]
    properties = {**schema["properties"], "size": {"type": "integer", "description": "The number of people"}}
    return [{**goal, "schema": {**schema, "properties": properties}}]


async def test_a_conversation_stays_on_the_version_it_began_with(tmp_path: Path) -> None:
    house = await scripted(tmp_path)
    listener = await house.listen(await house.open())
    await listener.until(finished(1))
    await listener.leave()
    settings = {"greeting": "A new greeting!", "embedded": {"resumption": True}}
    await house.store.write("test", author.change, house.template_id, {"settings": settings})
    resumed, fresh = await house.open(), await house.open("bob")
    assert (resumed.state.template_version, fresh.state.template_version) == (1, 2)
    other = await house.listen(fresh)
    await other.until(finished(1))
    assert "A new greeting!" in texts(other.view)[0]
    await house.close()


async def test_the_second_conversation_uses_and_quotes_the_first(tmp_path: Path) -> None:
    house = await scripted(tmp_path)
    first = await house.listen(await house.open())
    await first.until(finished(1))
    await first.send(frame="say", id="m1", text="Difference Engines")
    await first.until(lambda view: view.ended_by == "agent")
    await first.leave()
    opened = await house.open()
    assert opened.reason == "ended"
    second = await house.listen(opened)
    await second.until(finished(1))
    assert "Difference Engines" in texts(second.view)[0]
    await second.send(frame="say", id="m2", text="What did I tell you about engines?")
    await second.until(finished(3))
    assert "“Difference Engines”" in texts(second.view)[2]
    stranger = await house.listen(await house.open("bob"))
    await stranger.until(finished(1))
    assert "Difference" not in texts(stranger.view)[0]
    await house.close()
