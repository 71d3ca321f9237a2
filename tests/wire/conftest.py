"""Rooms on a real database, with a speaker whose lines are known and whose pace a test decides."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from roxels.actions.open import Opened, VisitRequest, open_visit
from roxels.agent.ports import Speaker
from roxels.domain.proof import Proof
from roxels.storage import templates
from roxels.storage.store import Store
from roxels.testing import CountedIds, FakeClock, LineSpeaker
from roxels.wire.attendance import Attendance
from roxels.wire.awake import Ports
from roxels.wire.link import Link
from roxels.wire.rooms import Rooms
from roxels.wire.view import ClientView
from tests.cluster import BOTH, at_hand, open_in
from tests.storage.conftest import TEMPLATE

LINES = ["Hello, and welcome to the tour.", "Thank you, that is good to know.", "And what comes next?"]


class Listener:
    """A connection without a network: frames go in as text, come out into a view."""

    def __init__(self, rooms: Rooms, token: str, view: ClientView | None = None) -> None:
        self.changed = asyncio.Event()
        self.link = Link(self.changed.set)
        self.attendance = Attendance(rooms, self.link)
        self.view = view or ClientView()
        self.frames: list[dict[str, Any]] = []
        self._token = token

    async def hello(self, *, after: int | None = None, rendered: Any = "view") -> None:
        """Join at the view's place."""
        await self.send(
            frame="hello",
            v=1,
            token=self._token,
            after=self.view.after if after is None else after,
            rendered=self.view.rendered if rendered == "view" else rendered,
        )

    async def send(self, **frame: Any) -> None:
        """Send a frame."""
        await self.attendance.receive(msgspec.json.encode(frame))

    def pull(self, limit: int | None = None) -> list[dict[str, Any]]:
        """Take what waits, at most `limit` frames of it (the rest is lost, as when a line breaks)."""
        self.changed.clear()
        messages = [msgspec.json.decode(text) for text in self.link.pull(self.attendance.room)]
        for frame in messages[:limit]:
            self.view.apply(frame)
        self.frames += messages[:limit]
        return messages[:limit]

    async def until(self, condition: Callable[[ClientView], object]) -> None:
        """Take what comes until the view is as wanted."""
        async with asyncio.timeout(10):
            while True:
                while self.pull():
                    pass
                if condition(self.view):
                    return
                await self.changed.wait()

    async def leave(self) -> None:
        """The connection is gone."""
        await self.attendance.leave()


class House:
    """One process: a store, rooms, and visits to open."""

    def __init__(self, folder: Path, speaker: Speaker, *, name: str = "one", clock: Any = None) -> None:
        self.clock = clock or FakeClock()
        self.ids = CountedIds(f"{name}_")
        self.database = open_in(folder)
        self.store = Store(self.database, self.clock)
        self.processes = self.database.join(name)
        self.rooms = Rooms(Ports(store=self.store, speaker=speaker, clock=self.clock, ids=self.ids), self.processes)
        self.template_id = ""

    async def make_template(self, raw: dict[str, Any] = TEMPLATE) -> None:
        """A template to talk about."""
        self.template_id = await self.store.write("test", templates.create, raw, self.ids)

    async def open(
        self,
        external_id: str | None = "ada",
        *,
        resume: bool = True,
        browser: str | None = None,
        proof: Proof = Proof.claimed,
    ) -> Opened:
        """A visit of somebody."""
        wish = VisitRequest(
            template_id=self.template_id,
            external_id=external_id,
            name=None,
            source="browser",
            proof=proof if external_id else Proof.anonymous,
            method="external_id",
            context={},
            resume=resume,
            browser=browser,
        )
        return await self.store.write("test", open_visit, wish, self.ids)

    async def listen(self, opened: Opened, view: ClientView | None = None) -> Listener:
        """A connection of that visit that has said hello."""
        assert opened.token is not None
        listener = Listener(self.rooms, opened.token, view)
        await listener.hello()
        return listener

    async def close(self) -> None:
        """End the process in good order."""
        await self.rooms.drain()
        self.processes.close()
        await asyncio.get_running_loop().run_in_executor(None, self.store.close)


@pytest.fixture(params=BOTH)
def tmp_path(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A folder that stands for a database: every test that has one runs on both."""
    with at_hand(request, tmp_path):
        yield tmp_path


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """One process with a speaker that says its lines at once."""
    house = House(tmp_path, LineSpeaker(LINES))
    await house.make_template()
    yield house
    await house.close()
