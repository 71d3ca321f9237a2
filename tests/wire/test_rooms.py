"""Listening, speaking, leaving and coming back, without a network: the laws of resumption."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from roxels.actions.finish import end_conversation
from roxels.domain.proof import Proof
from roxels.storage import log
from roxels.testing import LineSpeaker
from roxels.wire.view import ClientView
from tests.wire.conftest import LINES, House


def finished(count: int) -> Callable[[ClientView], bool]:
    """That many messages stand, all finished."""
    return lambda view: len(view.messages) == count and all(each.final for each in view.messages.values())


def showing(chars: int) -> Callable[[ClientView], bool]:
    """The answer under way shows at least that much."""
    return lambda view: (view.rendered or {"chars": 0})["chars"] >= chars


def texts(view: ClientView) -> list[str]:
    """What stands on the screen."""
    return [message.text for message in view.messages.values()]


async def test_a_first_visit_is_greeted(house: House) -> None:
    listener = await house.listen(await house.open())
    await listener.until(finished(1))
    assert texts(listener.view) == [LINES[0]]
    assert listener.frames[0]["frame"] == "welcome"
    assert listener.frames[0]["resumption"]["reason"] == "new_person"


async def test_pieces_join_to_what_is_kept(house: House) -> None:
    listener = await house.listen(await house.open())
    await listener.until(finished(1))
    pieces = [frame for frame in listener.frames if frame["frame"] == "piece"]
    assert "".join(piece["text"] for piece in pieces) == LINES[0]
    assert next(piece["from"] for piece in pieces) == 0


async def test_words_are_acknowledged_and_answered(house: House) -> None:
    listener = await house.listen(await house.open())
    await listener.until(finished(1))
    await listener.send(frame="say", id="m1", text="I am Ada.")
    await listener.until(finished(3))
    assert texts(listener.view) == [LINES[0], "I am Ada.", LINES[1]]
    assert [frame["id"] for frame in listener.frames if frame["frame"] == "ack"] == ["m1"]


async def test_a_message_sent_twice_is_said_once(house: House) -> None:
    listener = await house.listen(await house.open())
    await listener.until(finished(1))
    for _ in range(2):
        await listener.send(frame="say", id="m1", text="I am Ada.")
    await listener.until(finished(3))
    acks = [frame["seq"] for frame in listener.frames if frame["frame"] == "ack"]
    assert len(acks) == 2
    assert len(set(acks)) == 1


async def test_without_listeners_nothing_is_uttered_and_it_goes_on_at_the_next_character(tmp_path: Path) -> None:
    gate = asyncio.Semaphore(0)
    house = House(tmp_path, LineSpeaker(LINES, size=1, gate=gate))
    await house.make_template()
    listener = await house.listen(opened := await house.open())
    for _ in range(5):
        gate.release()
    await listener.until(showing(5))
    await listener.leave()
    for _ in range(100):
        gate.release()
    await asyncio.sleep(0.05)
    stored = await house.store.read("test", log.read, opened.conversation_id)
    assert stored.said_so_far == LINES[0][:5]
    again = await house.listen(await house.open(), listener.view)
    assert again.view.rendered is not None
    assert again.view.rendered["chars"] == 5
    await again.until(finished(1))
    assert next(frame["from"] for frame in again.frames if frame["frame"] == "piece") == 5
    assert texts(again.view) == [LINES[0]]
    await house.close()


async def test_words_into_an_answer_end_it_at_its_last_shown_character(tmp_path: Path) -> None:
    gate = asyncio.Semaphore(8)
    house = House(tmp_path, LineSpeaker(LINES, size=1, gate=gate))
    await house.make_template()
    listener = await house.listen(await house.open())
    await listener.until(showing(8))
    await listener.send(frame="say", id="m1", text="Wait!")
    for _ in range(100):
        gate.release()
    await listener.until(finished(3))
    first, words, answer = listener.view.messages.values()
    assert (first.text, first.interrupted) == (LINES[0][:8], True)
    assert (words.text, answer.text, answer.interrupted) == ("Wait!", LINES[1], False)
    await house.close()


async def test_two_listeners_see_the_same(house: House) -> None:
    opened = await house.open()
    one, two = await house.listen(opened), await house.listen(await house.open())
    await one.until(finished(1))
    await one.send(frame="say", id="m1", text="Hello from the first.")
    await two.until(finished(3))
    await two.send(frame="say", id="m2", text="And from the second.")
    await asyncio.gather(one.until(finished(5)), two.until(finished(5)))
    assert one.view.as_json() == two.view.as_json()


async def test_cut_after_any_frame_and_joined_again_the_view_is_the_same(house: House) -> None:
    opened = await house.open()
    whole = await house.listen(opened)
    await whole.until(finished(1))
    for number, words in enumerate(["I am Ada.", "Of Difference Engines."]):
        await whole.send(frame="say", id=f"m{number}", text=words)
        await whole.until(finished(3 + 2 * number))
    expected = whole.view.as_json()
    for cut in range(len(whole.frames) + 1):
        view = ClientView()
        for frame in whole.frames[:cut]:
            view.apply(frame)
        again = await house.listen(opened, view)
        await again.until(lambda view: view.after == whole.view.after)
        assert again.view.as_json() == expected, f"cut after frame {cut}"
        await again.leave()


async def test_who_claims_is_sent_away_when_a_verified_session_takes_the_talk(house: House) -> None:
    claimed = await house.open(browser="mine")
    listener = await house.listen(claimed)
    await listener.until(finished(1))
    first = await house.open(browser="mine", proof=Proof.verified)
    assert first.conversation_id != claimed.conversation_id, "whoever talked here before may have been anybody"
    await house.store.write("test", end_conversation, first.conversation_id, "api")
    verified = await house.open(browser="mine", proof=Proof.verified)
    assert verified.conversation_id == claimed.conversation_id, "this browser was verified by now"
    async with asyncio.timeout(5):
        while listener.link.close_code is None:
            await listener.changed.wait()
            listener.pull()
    assert listener.link.close_code == 4001
    again = await house.listen(claimed)
    assert again.pull()[-1]["code"] == "unauthorized"
