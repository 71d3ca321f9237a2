"""The table of a link's states, and bad frames: each is answered with what is wrong, and nobody else notices."""

import re

import aiohttp
import msgspec
import pytest

from roxels.domain.errors import Invalid
from roxels.domain.events import AnyEvent
from roxels.wire import protocol
from roxels.wire.client import Client
from roxels.wire.link import Link
from roxels.wire.protocol import UNAUTHORIZED
from tests.house.source import ROOT
from tests.wire.conftest import House
from tests.wire.test_rooms import finished, texts

PROTOCOL = ROOT / "docs" / "protocol.md"
HELLO = b'{"frame": "hello", "v": 1, "token": "st_x"}'
SAY = b'{"frame": "say", "id": "m1", "text": "hi"}'

MALFORMED = {
    "no JSON": b"{",
    "not an object": b"[]",
    "no name": b"{}",
    "unknown": b'{"frame": "dance"}',
    "field missing": b'{"frame": "say", "id": "m1"}',
    "wrong type": b'{"frame": "say", "id": 1, "text": "hi"}',
    "no words": b'{"frame": "say", "id": "m1", "text": "  "}',
    "empty id": b'{"frame": "say", "id": "", "text": "hi"}',
    "long id": b'{"frame": "say", "id": "' + b"x" * 200 + b'", "text": "hi"}',
    "too many words": b'{"frame": "say", "id": "m1", "text": "' + b"x" * 16_001 + b'"}',
    "NUL": b'{"frame": "say", "id": "m1", "text": "a\\u0000b"}',
    "half a surrogate": b'{"frame": "say", "id": "m1", "text": "\\ud800"}',
    "NUL in an id": b'{"frame": "say", "id": "m\\u0000", "text": "hi"}',
    "NUL in a value": b'{"frame": "correct", "goal_id": "g1", "field": "company", "value": "a\\u0000b"}',
    "half a surrogate in a value": b'{"frame": "correct", "goal_id": "g1", "field": "company", "value": "\\udc00"}',
    "NUL in an utterance": b'{"frame": "heard", "utterance_id": "\\u0000", "chars": 1}',
    "nested too deeply": b'{"frame": "correct", "goal_id": "g1", "field": "company", "value": ' + b"[" * 5000 + b"]}",
    "nested": b'{"frame": "correct", "goal_id": "g1", "field": "company", "value": ' + b"[" * 70 + b"]" * 70 + b"}",
    "not UTF-8": b'{"frame": "say", "id": "m1", "text": "\xff"}',
    "a field that is not there": b'{"frame": "correct", "goal_id": "g1", "field": "shoe_size", "value": 1}',
    "a goal that is not there": b'{"frame": "correct", "goal_id": "g9", "field": "company", "value": "x"}',
    "a value that does not fit": b'{"frame": "correct", "goal_id": "g1", "field": "company", "value": 7}',
    "hello again": HELLO,
}


def sent(link: Link) -> list[dict[str, object]]:
    """What the link has to send."""
    return [msgspec.json.decode(text) for text in link.pull(None)]


@pytest.mark.parametrize("message", [SAY, *(text for name, text in MALFORMED.items() if name != "hello again")])
def test_before_hello_anything_else_closes(message: bytes) -> None:
    link = Link(lambda: None)
    assert link.receive(message) is None
    assert [frame["fatal"] for frame in sent(link)] == [True]
    assert link.state == "closed"


@pytest.mark.parametrize(
    ("message", "field"), [(MALFORMED["half a surrogate"], "text"), (MALFORMED["NUL in an id"], "id")]
)
def test_what_cannot_be_kept_is_named(message: bytes, field: str) -> None:
    for text in (message, message.decode()):
        with pytest.raises(Invalid, match=f"`{field}` contains") as refusal:
            protocol.receive(text)
        assert refusal.value.field == field


async def test_the_client_takes_nothing_that_would_be_refused_for_ever() -> None:
    async with aiohttp.ClientSession() as http:
        client = Client(http, "", "", chance=lambda: 0.5)
        with pytest.raises(Invalid, match="`text` contains a NUL character"):
            await client.say("m1", "a\0b")
        assert client.own == set()


def test_words_before_hello_are_unauthorized() -> None:
    link = Link(lambda: None)
    link.receive(SAY)
    assert sent(link)[0]["code"] == "unauthorized"
    assert link.close_code == UNAUTHORIZED


@pytest.mark.parametrize("version", [0, 2])
def test_another_version_is_refused(version: int) -> None:
    link = Link(lambda: None)
    assert link.receive(HELLO.replace(b'"v": 1', f'"v": {version}'.encode())) is None
    assert "`v` must be 1" in str(sent(link)[0]["message"])


async def test_a_token_that_opens_nothing_closes_with_its_code(house: House) -> None:
    opened = await house.open()
    listener = await house.listen(opened)
    await listener.until(finished(1))
    stranger = type(listener)(house.rooms, "st_wrong")
    await stranger.hello()
    assert stranger.pull()[0]["code"] == "unauthorized"
    assert stranger.link.close_code == UNAUTHORIZED


@pytest.mark.parametrize("name", MALFORMED)
async def test_a_bad_frame_is_answered_and_nobody_else_notices(house: House, name: str) -> None:
    opened = await house.open()
    bad, good = await house.listen(opened), await house.listen(await house.open())
    await bad.until(finished(1))
    await good.until(finished(1))
    before = good.view.as_json()
    await bad.attendance.receive(MALFORMED[name])
    refusals = [frame for frame in bad.pull() if frame["frame"] == "error"]
    assert [(refusal["code"], refusal["fatal"]) for refusal in refusals] == [("validation_error", False)]
    assert good.pull() == []
    assert good.view.as_json() == before
    await bad.send(frame="say", id="m1", text="Still here.")
    await good.until(finished(3))
    assert texts(good.view)[1] == "Still here."


async def test_a_place_beyond_the_end_is_the_end(house: House) -> None:
    opened = await house.open()
    listener = await house.listen(opened)
    await listener.until(finished(1))
    ahead = type(listener)(house.rooms, opened.token or "")
    await ahead.hello(after=10_000, rendered={"utterance_id": "utt_none", "chars": 10**9})
    await listener.send(frame="say", id="m1", text="On it goes.")
    await listener.until(finished(3))
    assert next(frame["type"] for frame in ahead.pull() if frame["frame"] == "event") == "person.said"


async def test_who_claims_to_show_more_than_was_said_gets_nothing_twice(house: House) -> None:
    opened = await house.open()
    listener = await house.listen(opened)
    await listener.until(finished(1))
    ended = next(frame for frame in listener.frames if frame.get("type") == "agent.said")
    again = type(listener)(house.rooms, opened.token or "")
    await again.hello(after=ended["seq"] - 1, rendered={"utterance_id": ended["utterance_id"], "chars": 10**9})
    assert [frame["frame"] for frame in again.pull()] == ["welcome", "event"]


def test_every_event_is_either_for_the_participant_or_kept_back() -> None:
    kept_back = {"ConversationOpened", "ContextAdded", "PersonNamed", "GoalBlocked", "MemoryForgotten"}
    kept_back |= {"ConversationAdopted", "AdoptionUndone", "AgentPlanned"}
    kinds = {kind.__name__: kind for kind in AnyEvent.__args__}
    assert set(protocol.VISIBLE) | kept_back == set(kinds)
    assert not set(protocol.VISIBLE) & kept_back
    for name, fields in protocol.VISIBLE.items():
        assert set(fields) <= set(kinds[name].__struct_fields__)
        assert not set(fields) & {"plan", "asks", "device", "method", "quote"}


def test_how_a_connection_ends_without_a_bye_is_documented() -> None:
    link = Link(lambda: None)
    link.receive(b"{")
    told = dict(re.findall(r"^\| (\d{4}) \| .* \| (.+) \|$", PROTOCOL.read_text(encoding="utf-8"), re.MULTILINE))
    for code in (link.close_code, protocol.TOO_LARGE):
        assert "do not send" in told[str(code)]
