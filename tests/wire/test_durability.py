"""Nothing is shown that is not kept: whatever a listener can pull stands in the database at that very moment.

The listener here pulls inside the wake-up call itself and looks for each frame through a connection of its own. The
same check must go red when the store answers before its commit returned, which is planted below.
"""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import text

from roxels.storage.database import Backend
from roxels.storage.log import Append, Piece
from roxels.storage.store import Store
from roxels.testing import LineSpeaker
from roxels.wire.attendance import Attendance
from roxels.wire.awake import Ports
from roxels.wire.link import Link
from roxels.wire.rooms import Rooms
from tests.cluster import open_in
from tests.wire.conftest import LINES, House
from tests.wire.test_rooms import finished, showing, texts
from tests.wire.test_visits import waiting


def counted(database: Backend, query: str, *values: object) -> int:
    """What stands in the database, seen through a connection of its own."""
    with database.readers.connect() as connection:
        return int(connection.execute(text(query), {f"p{n}": each for n, each in enumerate(values)}).scalar_one())


class Auditor:
    """A listener that looks up everything it is sent, the moment it could be sent."""

    def __init__(self, rooms: Rooms, folder: Path) -> None:
        self.link = Link(self._look)
        self.attendance = Attendance(rooms, self.link)
        self.unkept: list[str] = []
        self.seen: list[str] = []
        self.done = asyncio.Event()
        self._database = open_in(folder)

    def close(self) -> None:
        self._database.close()

    def _look(self) -> None:
        for message in self.link.pull(self.attendance.room):
            frame = msgspec.json.decode(message)
            self.seen.append(frame["frame"])
            if not self._is_kept(frame):
                self.unkept.append(frame["frame"])
            if frame.get("type") == "agent.said":
                self.done.set()

    def _is_kept(self, frame: dict[str, Any]) -> bool:
        match frame["frame"]:
            case "event":
                return self._one("SELECT count(*) FROM events WHERE seq >= :p0 AND type != ''", frame["seq"]) > 0
            case "piece":
                said = self._one("SELECT coalesce(sum(length(text)), 0) FROM pieces")
                ended = self._one("SELECT count(*) FROM events WHERE type = 'agent.said'")
                return ended > 0 or said >= frame["from"] + len(frame["text"])
            case _:
                return True

    def _one(self, query: str, *values: object) -> int:
        return counted(self._database, query, *values)


class HastyStore(Store):
    """The planted fault: it answers first and commits later."""

    def __init__(self, store: Store) -> None:
        vars(self).update(vars(store))
        self._late: list[Append] = []

    async def append(self, append: Append) -> None:
        self._late.append(append)
        if len(self._late) > 1:
            await super().append(self._late.pop(0))

    async def finish(self) -> None:
        while self._late:
            await super().append(self._late.pop(0))


class LosingStore(Store):
    """Keeps words, and loses the answer that it has: as where a database restarts at that moment."""

    def __init__(self, store: Store) -> None:
        vars(self).update(vars(store))
        self.loses = False

    async def append(self, append: Append) -> None:
        await super().append(append)
        if self.loses and append.piece is not None:
            self.loses = False
            raise ConnectionError


async def audited(tmp_path: Path, *, hasty: bool) -> Auditor:
    house = House(tmp_path, LineSpeaker(LINES))
    await house.make_template()
    opened = await house.open()
    store = HastyStore(house.store) if hasty else house.store
    processes = house.database.join("audited")
    ports = Ports(store=store, speaker=LineSpeaker(LINES), clock=house.clock, ids=house.ids)
    rooms = Rooms(ports, processes)
    auditor = Auditor(rooms, tmp_path)
    visit = await rooms.visit_of(opened.token or "")
    hello = msgspec.json.encode({"frame": "hello", "v": 1, "token": opened.token})
    await auditor.attendance.receive(hello)
    async with asyncio.timeout(10):
        await auditor.done.wait()
    assert visit.external_id == "ada"
    if isinstance(store, HastyStore):
        await store.finish()
    await rooms.drain()
    processes.close()
    await house.close()
    auditor.close()
    return auditor


async def test_what_can_be_sent_is_kept(tmp_path: Path) -> None:
    auditor = await audited(tmp_path, hasty=False)
    assert auditor.unkept == []
    assert {"welcome", "event", "piece"} <= set(auditor.seen)


async def test_sending_first_is_found(tmp_path: Path) -> None:
    auditor = await audited(tmp_path, hasty=True)
    assert "piece" in auditor.unkept


@pytest.mark.parametrize("count", [1, 20])
async def test_an_append_returns_after_its_commit(tmp_path: Path, count: int) -> None:
    house = House(tmp_path, LineSpeaker(LINES))
    await house.make_template()
    visits = [await house.open(f"user{n}") for n in range(count)]
    outside = open_in(tmp_path)

    async def keep(conversation_id: str, head: int) -> int:
        await house.store.append(Append(conversation_id=conversation_id, expected_seq=head, piece=Piece("u", 0, "x")))
        return counted(outside, "SELECT count(*) FROM pieces WHERE conversation_id = :p0", conversation_id)

    assert await asyncio.gather(*(keep(visit.conversation_id, visit.state.head) for visit in visits)) == [1] * count
    outside.close()
    await house.close()


async def test_a_commit_whose_answer_was_lost_is_found_and_not_made_again(tmp_path: Path) -> None:
    """The database kept the words, and went away before it could say so."""
    gate = asyncio.Semaphore(0)
    house = House(tmp_path, LineSpeaker(LINES, gate=gate))
    store = house.store = LosingStore(house.store)
    house.rooms = Rooms(msgspec.structs.replace(house.rooms.ports, store=store), house.processes)
    await house.make_template()
    listener = await house.listen(await house.open())
    gate.release()
    gate.release()
    await listener.until(showing(3))
    store.loses = True
    gate.release()
    await waiting(house)
    assert not store.loses
    for _ in range(100):
        gate.release()
    house.clock.advance(3)
    await listener.until(finished(1))
    assert texts(listener.view) == [LINES[0]]
    await house.close()
