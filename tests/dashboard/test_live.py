"""A conversation's page as it goes on: word by word, without letting the agent speak on, until it is over."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from roxels.actions import finish, inspect
from roxels.actions.open import Opened
from roxels.ambient import SystemClock
from roxels.dashboard.conversations import panels
from roxels.dashboard.desk import Desk
from roxels.dashboard.live import Watch
from roxels.dashboard.pages import Pages
from roxels.dashboard.viewer import Viewer
from roxels.domain.events import AgentSaid, AgentStarted, PersonSaid, SessionJoined
from roxels.storage import operators
from roxels.storage.operators import Operator
from roxels.storage.schema import conversations
from roxels.testing import CountedIds, LineSpeaker
from tests.dashboard import people
from tests.dashboard.markup import Markup
from tests.dashboard.office import Office
from tests.wire.conftest import Listener

LINE = "Hello! What is the name of your company?"


@pytest.fixture
def gate() -> asyncio.Semaphore:
    """Lets the agent say one piece for each time it is released."""
    return asyncio.Semaphore(0)


@pytest.fixture
async def office(tmp_path: Path, gate: asyncio.Semaphore) -> AsyncIterator[Office]:
    """An office whose clock goes by itself, since a page looks again and again."""
    office = Office(tmp_path, SystemClock(), CountedIds(), speaker=LineSpeaker([LINE], gate=gate))
    await office.open()
    yield office
    await office.close()


class Page:
    """A page that watches a conversation."""

    def __init__(self, stream: AsyncIterator[str]) -> None:
        self._stream = stream
        self.names: list[str] = []

    async def next(self) -> dict[str, Any]:
        """The next message."""
        async with asyncio.timeout(20):
            while (text := await anext(self._stream)).startswith(":"):
                pass
        lines = dict(line.split(": ", 1) for line in text.splitlines() if line)
        self.names.append(lines.get("event", "message"))
        message: dict[str, Any] = msgspec.json.decode(lines["data"])
        assert lines.get("id", str(message.get("head"))) == str(message.get("head"))
        return message

    async def ends(self) -> str:
        """The name of the last message, after which nothing comes."""
        while True:
            try:
                await self.next()
            except StopAsyncIteration:
                return self.names[-1]


async def watch(office: Office, opened: Opened, after: int = 0) -> Page:
    """Open a page of an operator who is signed in."""
    known = await office.store.read_across(operators.by_email, "ops@example.com")
    assert known is not None
    token = office.ids.secret("ops")
    await office.store.write_across(operators.open_session, known[0].id, token)
    viewer = Viewer(operator=Operator(id="op_1", email="ops@example.com"), environment="test", token=token, csrf="c")
    whole = await office.store.read("test", inspect.conversation, opened.conversation_id)
    desk = Desk(services=office.services, pages=Pages(office.clock))
    return Page(Watch(desk, viewer, whole, panels).stream(after))


async def speaker_of(office: Office, opened: Opened) -> str | None:
    """The process that speaks for this conversation."""
    query = select(conversations.c.speaker).where(conversations.c.id == opened.conversation_id)
    speaker: str | None = await office.store.read("test", lambda tx: tx.value(query))
    return speaker


async def test_words_come_as_they_are_said(office: Office, gate: asyncio.Semaphore) -> None:
    opened = await office.visit()
    page = await watch(office, opened)
    assert (await page.next())["said"] is None
    listener = Listener(office.rooms, str(opened.token))
    await listener.hello()
    said: list[str] = []
    while not said or said[-1] != LINE[:9]:
        gate.release() if len(said) < 3 else None
        message = await page.next()
        if message["said"] is not None and message["said"]["text"]:
            said.append(message["said"]["text"])
    assert all(later.startswith(earlier) for earlier, later in pairwise(said))
    for _ in range(len(LINE)):
        gate.release()
    while "words agent" not in (message := await page.next())["entries"]:
        pass
    assert LINE in Markup(message["entries"]).text
    await listener.leave()


async def test_who_watches_is_no_listener(office: Office, gate: asyncio.Semaphore) -> None:
    opened = await office.visit()
    listener = Listener(office.rooms, str(opened.token))
    await listener.hello()
    gate.release()
    await listener.until(lambda view: any(message.text for message in view.messages.values()))
    await listener.leave()
    for _ in range(20):
        gate.release()
    page = await watch(office, opened)
    first = await page.next()
    assert first["said"]["text"] == LINE[:3]
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(page.next(), 1)
    assert await speaker_of(office, opened) is None


async def test_a_page_gets_only_what_it_has_not(office: Office) -> None:
    opened = await office.visit()
    await people.talk(office, opened)
    whole = Markup((await (await watch(office, opened)).next())["entries"])
    head = (await (await watch(office, opened)).next())["head"]
    late = await (await watch(office, opened, after=head)).next()
    assert "We are Analytical Engines." in whole.text
    assert late["entries"].strip() == ""
    assert "Analytical Engines" in Markup(late["panels"]).text
    page = await watch(office, opened, after=head)
    await page.next()
    await office.record(opened, PersonSaid(id="new", text="One more thing."))
    added = Markup((await page.next())["entries"])
    assert "One more thing." in added.text
    assert "Analytical" not in added.text


async def test_what_is_said_is_text_on_its_way_too(office: Office) -> None:
    opened = await office.visit()
    hostile = "<img src=x onerror=alert(1)>"
    await office.record(
        opened,
        SessionJoined(),
        AgentStarted(utterance_id="utt_a", plan=hostile),
        AgentSaid(utterance_id="utt_a", text=hostile),
        *people.heard("m1", hostile, "company", hostile),
    )
    message = await (await watch(office, opened)).next()
    for part in ("entries", "panels"):
        made = Markup(message[part])
        assert hostile in made.text
        assert ("img", "") not in made.parts


async def test_it_ends_when_the_conversation_is_over(office: Office) -> None:
    opened = await office.visit()
    page = await watch(office, opened)
    await page.next()
    await office.store.write("test", finish.end_conversation, opened.conversation_id, "api")
    assert await page.ends() == "over"


async def test_it_waits_for_what_is_still_owed(office: Office) -> None:
    opened = await office.visit()
    await people.talk(office, opened)
    await people.finish(office, opened)
    page = await watch(office, opened)
    assert "on its way" in Markup((await page.next())["panels"]).text
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(page.next(), 1)


async def test_it_ends_when_the_conversation_is_erased(office: Office) -> None:
    opened = await office.visit()
    page = await watch(office, opened)
    await page.next()
    await office.services.eraser.conversation("test", opened.conversation_id, "dashboard")
    assert await page.ends() == "gone"


async def test_it_ends_when_the_server_stops(office: Office) -> None:
    opened = await office.visit()
    page = await watch(office, opened)
    await page.next()
    await office.rooms.drain()
    assert await page.ends() == "message"
