"""Whoever signs out, or is made a stranger by the operator, is sent away from open sockets within a second."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from roxels.actions import adopt, revoke
from roxels.actions.audit import Auditor
from roxels.storage import devices, persons
from roxels.storage.transaction import Writing
from roxels.testing import CountedIds, LineSpeaker
from tests.wire.conftest import LINES, House
from tests.wire.test_rooms import finished
from tests.wire.test_visits import scripted


def signs_out(tx: Writing, _person_id: str) -> None:
    """As `reset` does."""
    revoke.sign_out(tx, "hers", Auditor(ids=CountedIds("audit_"), salt=b"salt"))


def by_the_operator(tx: Writing, person_id: str) -> None:
    """As the API and the dashboard do."""
    device = devices.find(tx, person_id, "hers")
    assert device is not None
    revoke.revoke_device(tx, person_id, device.id)


@pytest.mark.parametrize("way", [signs_out, by_the_operator])
async def test_an_open_socket_is_closed(tmp_path: Path, way: Callable[[Writing, str], None]) -> None:
    house = await scripted(tmp_path)
    opened = await house.open(browser="hers")
    hers, another = await house.listen(opened), await house.listen(await house.open(browser="another"))
    await hers.until(finished(1))
    await house.store.write("test", way, opened.person.id)
    async with asyncio.timeout(1):
        await hers.until(lambda view: hers.link.close_code is not None)
    another.pull()
    assert (hers.link.close_code, another.link.close_code) == (4001, None)
    await house.close()


async def test_another_process_closes_it_too(tmp_path: Path) -> None:
    house = await scripted(tmp_path)
    opened = await house.open(browser="hers")
    hers = await house.listen(opened)
    await hers.until(finished(1))
    other = House(tmp_path, LineSpeaker(LINES), name="two", clock=house.clock)
    watching = [asyncio.create_task(each.rooms.watch_others()) for each in (house, other)]
    await asyncio.sleep(0)  # from here on each tells the other what it writes
    await other.store.write("test", signs_out, opened.person.id)
    for _ in range(9):  # within a second of the clock that both go by
        house.clock.advance(0.1)
        await asyncio.sleep(0.01)
    async with asyncio.timeout(10):
        await hers.until(lambda view: hers.link.close_code is not None)
    assert hers.link.close_code == 4001
    for watch in watching:
        watch.cancel()
    await asyncio.gather(*watching, return_exceptions=True)
    await other.close()
    await house.close()


async def test_who_is_adopted_from_is_not_in_it_meanwhile(tmp_path: Path) -> None:
    """It would hear what the adopter says, and speak in her past; undone, it is let in again."""
    house = await scripted(tmp_path)
    opened = await house.open("bob")
    bob = await house.listen(opened)
    await bob.until(finished(1))
    ada = await house.store.write("test", persons.resolve, "ada", house.ids)
    await house.store.write("test", adopt.adopt, opened.conversation_id, ada.id)
    async with asyncio.timeout(1):
        await bob.until(lambda view: bob.link.close_code is not None)
    assert bob.link.close_code == 4001
    hers = await house.open("ada")
    assert hers.conversation_id == opened.conversation_id
    ada_listens = await house.listen(hers)
    await ada_listens.send(frame="say", id="m1", text="a canary")
    again = await house.listen(opened)
    assert [frame["code"] for frame in again.pull()] == ["unauthorized"]
    assert "canary" not in str(bob.frames)
    await house.store.write("test", adopt.undo, opened.conversation_id)
    back = await house.listen(opened)
    await back.until(lambda view: len(view.messages) > 1)
    assert back.link.close_code is None
    await house.close()
