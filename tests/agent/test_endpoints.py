"""A template's own endpoint: asked with its own key, judged as any address that somebody wrote down, out for itself."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from roxels.agent.speakers.fallback import FIRST_REST
from roxels.domain import soundness
from roxels.domain.events import SessionJoined
from roxels.domain.templates import read
from roxels.outbound import guard
from roxels.testing import FakeClock
from roxels.testing.model import Interviewer, ModelServer
from tests.agent.test_model import Chat, hang_up, raw, speaker_at


@pytest.fixture
async def operators() -> AsyncIterator[ModelServer]:
    """The endpoint that the operator of this server set."""
    async with ModelServer(Interviewer()) as server:
        yield server
        await hang_up()


@pytest.fixture
async def customers() -> AsyncIterator[ModelServer]:
    """The endpoint that a template names."""
    async with ModelServer(Interviewer()) as server:
        yield server
        await hang_up()


def chat_at(server: ModelServer, wish: dict[str, Any], **given: Any) -> Chat:
    """A conversation on a template that wishes so, with an operator's endpoint or none (`own=None`)."""
    chat = Chat(server, raw(model=wish))
    own = given.pop("own", server.url)
    chat.model = speaker_at(own, key="sk-of-the-operator", **({"permits": guard.anywhere} | given))
    chat.keep([SessionJoined()])
    return chat


def spoken(chat: Chat) -> list[tuple[str, str]]:
    """Who spoke, and what was wrong with the model."""
    return [(start.speaker, start.request.fault if start.request else "") for start in chat.started]


async def test_a_template_names_endpoint_model_and_key(operators: ModelServer, customers: ModelServer) -> None:
    chat = chat_at(operators, {"name": "theirs", "url": customers.url, "key": "{{secret:model_key}}"})
    await chat.play()
    await chat.say_words("Acme")
    assert chat.data["g1"]["company"] == "Acme"
    assert spoken(chat) == [("model", ""), ("model", "")]
    assert operators.asked == []
    assert set(customers.keys) == {"sk-of-the-template"}


async def test_the_operators_key_goes_nowhere_else(operators: ModelServer, customers: ModelServer) -> None:
    chat = chat_at(operators, {"name": "theirs", "url": customers.url})
    await chat.play()
    assert customers.keys
    assert "sk-of-the-operator" not in customers.keys


async def test_a_key_of_its_own_at_the_operators_endpoint(operators: ModelServer) -> None:
    chat = chat_at(operators, {"key": "{{secret:model_key}}"})
    await chat.play()
    assert set(operators.keys) == {"sk-of-the-template"}


async def test_no_endpoint_of_the_operators_is_needed(operators: ModelServer, customers: ModelServer) -> None:
    chat = chat_at(operators, {"name": "theirs", "url": customers.url}, own=None)
    await chat.play()
    assert spoken(chat) == [("model", "")]
    plain = chat_at(operators, {"name": "theirs"}, own=None)
    await plain.play()
    assert spoken(plain) == [("scripted", "")]


async def test_a_secret_that_is_not_there_is_said_so(operators: ModelServer, customers: ModelServer) -> None:
    chat = chat_at(operators, {"name": "theirs", "url": customers.url, "key": "{{secret:gone}}"})
    await chat.play()
    assert spoken(chat) == [("scripted", "no_key")]
    assert customers.asked == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "169.254.169.254", "2130706433"])
async def test_it_may_only_be_what_everybody_may_reach(
    operators: ModelServer, customers: ModelServer, host: str
) -> None:
    url = customers.url.replace("127.0.0.1", host)
    chat = chat_at(operators, {"name": "theirs", "url": url}, permits=guard.is_public)
    await chat.play()
    assert spoken(chat) == [("scripted", "target")]
    assert customers.asked == []


async def test_the_operators_own_may_be_on_this_machine(operators: ModelServer) -> None:
    chat = chat_at(operators, {}, permits=guard.is_public)
    await chat.play()
    assert spoken(chat) == [("model", "")]


async def test_one_that_is_out_is_out_for_itself(operators: ModelServer, customers: ModelServer) -> None:
    clock = FakeClock()
    speaker = speaker_at(operators.url, permits=guard.anywhere, clock=clock)
    theirs, ours = chat_at(operators, {"name": "theirs", "url": customers.url}), chat_at(operators, {})
    theirs.model = ours.model = speaker
    await customers.stop()
    await theirs.play()
    await ours.play()
    assert spoken(theirs) == [("scripted", "unreachable")]
    assert spoken(ours) == [("model", "")]
    await customers.start()
    await theirs.say_words("Acme")
    assert spoken(theirs)[-1] == ("scripted", "unreachable"), "it is left alone for a while"
    clock.advance(FIRST_REST)
    await theirs.say_words("twelve")
    assert spoken(theirs)[-1] == ("model", "")


@pytest.mark.parametrize(
    ("wish", "path"),
    [
        ({"name": "m", "url": "ftp://example.com"}, "settings.model.url"),
        ({"name": "m", "url": "https://user:pw@example.com/v1"}, "settings.model.url"),
        ({"name": "m", "url": "https://{{context.host}}/v1"}, "settings.model.url"),
        ({"name": "m", "url": "https://example.com/v1?key=1"}, "settings.model.url"),
        ({"name": "m", "url": 7}, "settings.model.url"),
        ({"url": "https://example.com/v1"}, "settings.model.name"),
        ({"key": "sk-raw-key-of-somebody"}, "settings.model.key"),
        ({"key": "{{secret:a}}{{secret:b}}"}, "settings.model.key"),
        ({"key": "Bearer {{secret:a}}"}, "settings.model.key"),
        ({"key": "{{context.key}}"}, "settings.model.key"),
    ],
)
def test_what_cannot_be_an_endpoint_is_named(wish: dict[str, Any], path: str) -> None:
    faults = soundness.faults(raw(model=wish))
    assert [fault.path for fault in faults] == [path]
    assert "sk-raw" not in str(faults)


def test_a_wish_is_read() -> None:
    wish = read("tpl_1", 1, raw(model={"name": "m", "url": "https://api.example.com/v1", "key": "{{secret:k}}"})).model
    assert (wish.name, wish.url, wish.secret) == ("m", "https://api.example.com/v1", "k")
