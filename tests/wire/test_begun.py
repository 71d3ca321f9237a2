"""Words and the answer to them: kept together where that costs no waiting; and whatever is wrong with the answer, the
words are kept."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from starlette.websockets import WebSocket

from roxels.agent.ports import Facts, Opening, Scene, Speaker, SpeakerStep, Words
from roxels.domain.events import AgentStarted, FieldCaptured, PersonSaid
from roxels.storage import log
from roxels.storage.log import Append
from roxels.storage.store import Store
from roxels.testing import LineSpeaker
from roxels.wire.awake import Ports
from roxels.wire.protocol import Bye
from roxels.wire.rooms import Rooms
from roxels.wire.socket import serve
from tests.wire.conftest import LINES, House, Listener
from tests.wire.test_reading_on import FOUND, asleep
from tests.wire.test_rooms import finished, texts


class GatedStore(Store):
    """Keeps what it is given as soon as it is let; refuses what a test says."""

    def __init__(self, store: Store) -> None:
        vars(self).update(vars(store))
        self.gate = asyncio.Event()
        self.gate.set()
        self.waiting = asyncio.Event()
        self.refuses: type[object] | None = None
        self.appends: list[Append] = []

    async def append(self, append: Append) -> None:
        self.waiting.set()
        await self.gate.wait()
        if self.refuses and any(isinstance(fact.event, self.refuses) for fact in append.facts):
            raise TypeError("what the agent found out cannot be written")
        await super().append(append)
        self.appends.append(append)

    def happened(self) -> list[list[str]]:
        """What was kept together, by the names of the events."""
        return [[type(fact.event).__name__ for fact in append.facts] for append in self.appends]


class Model:
    """Greets at once, and answers to words when it is let."""

    LINE = "Pleased to meet you."

    def __init__(self) -> None:
        self.answers = asyncio.Event()
        self.asked: list[str] = []
        self.listening = 0

    async def speak(self, scene: Scene) -> AsyncIterator[SpeakerStep]:
        """One line, without a plan; or the rest of what was planned."""
        if scene.state.unfinished is not None:
            yield Words(self.LINE[len(scene.said_so_far) :])
            return
        words = scene.state.last_words
        self.asked.append(words.text if words else "")
        self.listening += 1
        try:
            if words:
                await self.answers.wait()
            yield Opening(plan=None, speaker="model")
            yield Words(self.LINE)
        finally:
            self.listening -= 1


class Moody(LineSpeaker):
    """Fails while it is told to; may find something out."""

    def __init__(self, lines: list[str], *, captures: bool = False) -> None:
        super().__init__(lines)
        self.is_failing = False
        self._captures = captures

    async def speak(self, scene: Scene) -> AsyncIterator[SpeakerStep]:
        """The next line."""
        if self.is_failing:
            raise ConnectionError
        if self._captures and scene.state.last_words and scene.state.unfinished is None:
            yield Facts((FOUND,))
        async for step in super().speak(scene):
            yield step


async def talking(folder: Path, speaker: Speaker) -> tuple[House, GatedStore, Listener]:
    """Somebody who was greeted, over a store that a test holds."""
    house = House(folder, speaker)
    await house.make_template()
    store = GatedStore(house.store)
    house.rooms = Rooms(Ports(store=store, speaker=speaker, clock=house.clock, ids=house.ids), house.processes)
    listener = await house.listen(await house.open())
    await listener.until(finished(1))
    store.appends.clear()
    store.waiting.clear()
    return house, store, listener


async def being_kept(store: GatedStore, listener: Listener) -> "asyncio.Task[None]":
    """Words that were sent, while the store is still at them."""
    store.gate.clear()
    saying = asyncio.create_task(listener.send(frame="say", id="m1", text="I am Ada."))
    await store.waiting.wait()
    return saying


async def test_a_scripts_answer_is_kept_with_the_words(tmp_path: Path) -> None:
    house, store, listener = await talking(tmp_path, LineSpeaker(LINES))
    await listener.send(frame="say", id="m1", text="I am Ada.")
    await listener.until(finished(3))
    assert store.happened() == [["PersonSaid", "AgentStarted", "AgentSaid"]]
    assert texts(listener.view) == [LINES[0], "I am Ada.", LINES[1]]
    await house.close()


async def test_a_model_is_asked_while_the_words_are_being_kept(tmp_path: Path) -> None:
    model = Model()
    house, store, listener = await talking(tmp_path, model)
    saying = await being_kept(store, listener)
    assert model.asked == ["", "I am Ada."]
    assert "m1" not in listener.view.messages
    assert not any(frame["frame"] == "ack" for frame in listener.pull()), "nothing is shown before it is kept"
    store.gate.set()
    await saying
    model.answers.set()
    await listener.until(finished(3))
    assert model.asked == ["", "I am Ada."], "once"
    assert store.happened()[0] == ["PersonSaid"], "words wait for no model"
    await house.close()


async def test_who_goes_away_right_after_speaking_is_answered(tmp_path: Path) -> None:
    model = Model()
    house, _, listener = await talking(tmp_path, model)
    await listener.send(frame="say", id="m1", text="I am Ada.")
    await listener.leave()
    model.answers.set()
    await asleep(house)
    again = await house.listen(await house.open(), listener.view)
    await again.until(finished(3))
    assert model.asked == ["", "I am Ada."]
    await house.close()


async def test_who_goes_away_while_the_words_are_being_kept_is_answered_on_return(tmp_path: Path) -> None:
    model = Model()
    house, store, listener = await talking(tmp_path, model)
    saying = await being_kept(store, listener)
    leaving = asyncio.create_task(listener.leave())
    await asyncio.sleep(0)
    store.gate.set()
    await asyncio.gather(saying, leaving)
    await asleep(house)
    assert model.listening == 0
    model.answers.set()
    again = await house.listen(await house.open(), listener.view)
    await again.until(finished(3))
    assert texts(again.view) == [Model.LINE, "I am Ada.", Model.LINE]
    await house.close()


@pytest.mark.parametrize("fault", ["asked", "keeping"])
async def test_words_are_kept_whatever_is_wrong_with_the_answer(tmp_path: Path, fault: str) -> None:
    speaker = Moody(LINES)
    house, store, listener = await talking(tmp_path, speaker)
    speaker.is_failing = fault == "asked"
    store.refuses = AgentStarted if fault == "keeping" else None
    await listener.send(frame="say", id="m1", text="I am Ada.")
    await listener.until(lambda view: "m1" in view.messages)
    assert any(frame["frame"] == "ack" for frame in listener.frames)
    speaker.is_failing, store.refuses = False, None
    house.clock.advance(60)
    async with asyncio.timeout(10):
        while not finished(3)(listener.view):
            house.clock.advance(60)  # until it is tried again
            listener.pull()
            await asyncio.sleep(0.01)
    assert texts(listener.view) == [LINES[0], "I am Ada.", LINES[1]]
    await house.close()


async def test_two_messages_at_once_are_both_kept_and_the_second_is_answered(tmp_path: Path) -> None:
    model = Model()
    house, store, listener = await talking(tmp_path, model)
    other = await house.listen(await house.open())
    store.gate.clear()
    saying = [
        asyncio.create_task(each.send(frame="say", id=f"m{n}", text=f"word {n}"))
        for n, each in enumerate((listener, other), 1)
    ]
    await store.waiting.wait()
    store.gate.set()
    await asyncio.gather(*saying)
    model.answers.set()
    await listener.until(finished(4))
    assert texts(listener.view) == [Model.LINE, "word 1", "word 2", Model.LINE]
    assert model.listening == 0, "whoever is not answered any more is not listened to either"
    await house.close()


async def test_words_reach_the_log_where_another_process_took_the_conversation_over(tmp_path: Path) -> None:
    house, _, listener = await talking(tmp_path, LineSpeaker(LINES))
    house.processes.close()  # the others take it for dead
    other = House(tmp_path, LineSpeaker(LINES), name="two", clock=house.clock)
    there = await other.listen(opened := await house.open())
    await listener.send(frame="say", id="m1", text="I am Ada.")
    assert not any(frame["frame"] == "error" for frame in listener.pull())
    stored = await house.store.read("test", log.read, opened.conversation_id)
    assert [message.text for message in stored.state.transcript][-1] == "I am Ada."
    await there.leave()
    await other.close()
    await house.close()


async def test_what_a_script_finds_out_in_words_is_kept_with_them(tmp_path: Path) -> None:
    house, store, listener = await talking(tmp_path, Moody(LINES, captures=True))
    await listener.send(frame="say", id="m1", text="Acme")
    await listener.until(finished(3))
    events = [fact.event for fact in store.appends[0].facts]
    assert [type(event) for event in events[:2]] == [PersonSaid, FieldCaptured]
    assert store.appends[0].state is not None
    assert store.appends[0].state.goal("g1").data == {"company": "Acme"}
    await house.close()


async def test_words_that_were_being_kept_when_their_line_broke_are_seen_and_answered(tmp_path: Path) -> None:
    """Another tab shows them at once, and does not wait for whatever happens next."""
    house, store, listener = await talking(tmp_path, LineSpeaker(LINES))
    opened = await house.open()
    inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    is_broken = asyncio.Event()

    async def send(_message: Any) -> None:
        if is_broken.is_set():
            raise OSError

    scope = {"type": "websocket", "path": "/v1/wire", "headers": [], "query_string": b"", "client": ("127.0.0.1", 1)}
    serving = asyncio.create_task(serve(WebSocket(scope, inbox.get, send), house.rooms))
    await inbox.put({"type": "websocket.connect"})
    hello = {"frame": "hello", "v": 1, "token": opened.token, "after": 0, "rendered": None}
    await inbox.put({"type": "websocket.receive", "text": msgspec.json.encode(hello).decode()})
    while house.rooms.counts["listeners"] < 2:
        await asyncio.sleep(0.005)
    store.gate.clear()
    store.waiting.clear()
    await inbox.put({"type": "websocket.receive", "text": '{"frame":"say","id":"m1","text":"I am Ada."}'})
    await store.waiting.wait()
    is_broken.set()
    room = listener.attendance.room
    assert room is not None
    next(link for link in room.links if link is not listener.link).send(Bye(code="draining", retry_ms=None))
    await asyncio.sleep(0.05)
    store.gate.set()
    await serving
    await listener.until(finished(3))
    assert texts(listener.view)[1] == "I am Ada."
    await house.close()
