"""The language model speaker against a server that speaks the real protocol: whatever it does, no turn is lost.

A conversation in memory (`tests.agent.talk`) with `agent.turn` as it is; time is real and the pauses are short.
"""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing
from itertools import chain, repeat
from typing import Any

import msgspec
import pytest

from roxels import lazy
from roxels.agent.ports import Scene, SpeakerStep
from roxels.agent.speakers.endpoints import Endpoints
from roxels.agent.speakers.engine import Endpoint
from roxels.agent.speakers.fallback import FIRST_REST, FallbackSpeaker
from roxels.agent.speakers.model import ModelSpeaker, Patience
from roxels.agent.speakers.openai import Limits, OpenAIEngine
from roxels.agent.speakers.scripted import ScriptedSpeaker
from roxels.agent.turn import Piece, Together, TurnStep, turn
from roxels.ambient import SystemClock
from roxels.domain import conversation, strict_json
from roxels.domain.clock import Clock
from roxels.domain.events import AgentStarted, PersonSaid, SessionJoined
from roxels.outbound import guard
from roxels.outbound.pinning import Pin
from roxels.testing import FakeClock
from roxels.testing.model import WAYS, Answering, Asked, GoingOn, Interviewer, ModelServer, Reply
from tests.agent.talk import Talk

COMPANY = {"company": {"type": "string", "description": "The name of your company"}}
SIZE = {"team_size": {"type": "integer", "description": "How many people you are", "minimum": 1}}


#: The secrets of this environment, by name.
SECRETS = {"model_key": "sk-of-the-template"}
#: What the tests opened; closed behind each.
OPENED: list[Endpoints] = []


def raw(**settings: Any) -> dict[str, Any]:
    """Two fields in one goal."""
    schema = {"type": "object", "properties": COMPANY | SIZE, "required": ["company", "team_size"]}
    goal = {"id": "g1", "prompt": "Learn about the company.", "schema": schema}
    return {"name": "Test", "goals": [goal], "settings": {"embedded": {"resumption": True}, **settings}}


async def revealed(_environment: str, name: str) -> str | None:
    """What stands behind the name of a secret."""
    return SECRETS.get(name)


def speaker_at(
    url: str | None,
    *,
    key: str = "",
    limit: float = 10.0,
    clock: Clock | None = None,
    permits: guard.Permits = guard.is_public,
) -> FallbackSpeaker:
    """As `server.build` makes it, with short pauses; `clock` is for outages alone."""
    limits = Limits(first=limit, between=limit)

    def connect(endpoint: Endpoint) -> OpenAIEngine:
        return OpenAIEngine(lazy.openai, endpoint, limits, Pin(permits))

    endpoints = Endpoints(Endpoint(url=url, key=key) if url else None, connect, revealed)
    OPENED.append(endpoints)
    own = SystemClock()
    model = ModelSpeaker(endpoints, "test-model", own, Patience(pauses=(0.01, 0.01, 0.01)))
    return FallbackSpeaker(model, ScriptedSpeaker(own, 0), clock or own)


async def hang_up() -> None:
    """Close what the test opened."""
    while OPENED:
        await OPENED.pop().close()


class Chat(Talk):
    """A conversation with a model, kept step by step; it can be cut behind any number of steps."""

    def __init__(self, server: ModelServer, template: dict[str, Any] | None = None, *, limit: float = 10.0) -> None:
        super().__init__(template or raw())
        self.server = server
        self.model = speaker_at(server.url, limit=limit)
        self.shown = ""

    async def play(self, *, chars: int | None = None, **changes: Any) -> str:
        """Play a turn; with `chars`, be killed as soon as that much of the answer is shown."""
        self.shown = self.shown if self.state.unfinished else ""
        async with aclosing(self._steps(self.scene(said_so_far=self.shown, **changes))) as steps:
            async for step in steps:
                match step:
                    case Together():
                        self.keep(step.events)
                    case Piece():
                        assert step.start == len(self.shown)
                        self.shown += step.text
                if chars is not None and len(self.shown) >= chars:
                    return self.shown
        return self.shown

    async def _steps(self, scene: Scene) -> AsyncGenerator[TurnStep, None]:
        async for step in turn(scene, self.model, self.ids):
            yield step

    async def say_words(self, words: str) -> str:
        """The participant's words, and the answer to them."""
        self.hear(words)
        return await self.play()

    @property
    def started(self) -> list[AgentStarted]:
        return [fact.event for fact in self.facts if isinstance(fact.event, AgentStarted)]


def in_turn(*replies: Reply | Answering, then: Answering | None = None) -> Answering:
    """These replies one after the other, then a good model's."""
    queue: Iterator[Reply | Answering] = chain(replies, repeat(then or Interviewer()))

    def answering(asked: Asked) -> Reply:
        reply = next(queue)
        return reply if isinstance(reply, Reply) else reply(asked)

    return answering


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with ModelServer(Interviewer()) as server:
        yield server
        await hang_up()


async def test_a_good_model_leads_through_the_conversation(server: ModelServer) -> None:
    chat = Chat(server)
    chat.keep([SessionJoined()])
    assert (await chat.play()).startswith("Hello, it is good to have you here.")
    assert "team size" in await chat.say_words("Acme")
    await chat.say_words("We are 12 people")
    assert chat.data == {"g1": {"company": "Acme", "team_size": 12}}
    assert [commit.revision for commit in chat.commits] == [1]
    assert chat.state.ended_by == "agent"
    assert {start.speaker for start in chat.started} == {"model"}
    assert all(start.plan is None and start.request and start.request.model == "test-model" for start in chat.started)
    assert all(len(start.request.prompt) == 64 for start in chat.started if start.request)
    assert [capture.quote for capture in chat.captures] == [None, None]
    assert all(capture.said_id for capture in chat.captures)


FAULTS: dict[str, Reply] = {
    "429": Reply(status=429, retry_after=0.01),
    "500": Reply(status=500),
    "503": Reply(status=503, retry_after=0),
    "hangs before the first piece": Reply(text="x", hangs_after=0),
    "dies before the first piece": Reply(text="x", dies_after=0),
    "dies within the first word": Reply(text="Hello there", dies_after=2, size=2),
    "hangs within the first word": Reply(text="Hello there", hangs_after=2, size=2),
    "garbage": Reply(garbage=True),
    "nothing at all": Reply(),
    "dies within a tool call": Reply(calls=(("capture", '{"goal_id": "g1", "field": "company"}'),), dies_after=4),
}


def limit_of(fault: Reply) -> float:
    """How long to wait for a part of an answer, in seconds: not long where nothing will come."""
    return 10.0 if fault.hangs_after is None else 0.3


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_a_fault_before_the_first_word_is_passed_over(server: ModelServer, fault: Reply) -> None:
    server.answering = in_turn(fault)
    chat = Chat(server, limit=limit_of(fault))
    chat.keep([SessionJoined()])
    text = await chat.play()
    assert (
        text
        == "Hello, it is good to have you here. So that others find it later, would you please tell me your company?"
    )
    assert chat.started[0].speaker == "model"


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_where_it_stays_the_scripted_speaker_takes_the_turn(server: ModelServer, fault: Reply) -> None:
    server.answering = lambda asked: fault
    chat = Chat(server, limit=limit_of(fault))
    chat.keep([SessionJoined()])
    await chat.play()
    chat.hear("Acme")
    await chat.play()
    assert chat.data == {"g1": {"company": "Acme"}}
    assert {start.speaker for start in chat.started} == {"scripted"}
    assert all(start.request and start.request.fault for start in chat.started)
    assert chat.asked is not None
    assert chat.asked.field == "team_size"


@pytest.mark.parametrize("size", [1, 5, 30])
@pytest.mark.parametrize("how", ["dies", "hangs"])
async def test_a_stream_that_dies_between_words_is_gone_on_with(server: ModelServer, how: str, size: int) -> None:
    whole = Interviewer()
    broken = Interviewer(size=size)

    def answering(asked: Asked) -> Reply:
        reply = broken(asked)
        if asked.said:
            return whole(asked)
        at = 60 // size
        return msgspec.structs.replace(reply, **{f"{how}_after": at})

    server.answering = answering
    chat = Chat(server, limit=1.0 if how == "hangs" else 10.0)
    chat.keep([SessionJoined()])
    assert await chat.play() == whole.text_for(server.asked[0])
    assert server.asked[-1].said
    assert len(chat.started) == 1


@pytest.mark.parametrize("size", [1, 7])
async def test_what_no_database_keeps_is_made_harmless(server: ModelServer, size: int) -> None:
    text = "Welcome\0, \ud83d\ude00 half \udc00 and \ud800. What is your company called?"
    arguments = json.dumps({"goal_id": "g1", "field": "company", "value": "Ac\0me \ud800\ud83d\ude00"})
    raw_arguments = '{"goal_id": "g1", "field": "team_size", "value": 12, "quote": "\ud800"}'
    server.answering = in_turn(
        Reply(text=text, size=size),
        Reply(
            calls=(("capture", arguments), ("capture", raw_arguments), ("recall\udc00", '{"about": "\\u0000"}')),
            size=size,
        ),
        Reply(text="Thank you! Anything else?"),
    )
    chat = Chat(server)
    chat.keep([SessionJoined()])
    assert await chat.play() == "Welcome\ufffd, \U0001f600 half \ufffd and \ufffd. What is your company called?"
    assert await chat.say_words("Acme, 12 people") == "Thank you! Anything else?"
    assert chat.data == {"g1": {"company": "Ac\ufffdme \ufffd\U0001f600", "team_size": 12}}
    assert {start.speaker for start in chat.started} == {"model"}
    strict_json.check(msgspec.to_builtins([fact.event for fact in chat.facts]))


async def test_what_the_second_look_finds_is_made_harmless(server: ModelServer) -> None:
    server.answering = in_turn(
        Reply(text="What is your company called?"),
        Reply(text="Thank you! How many are you?"),
        Reply(text='{"company": "Ac\\u0000me \\ud800"}'),
    )
    chat = Chat(server)
    chat.keep([SessionJoined()])
    await chat.play()
    await chat.say_words("It is Acme")
    assert chat.data == {"g1": {"company": "Ac\ufffdme \ufffd"}}


async def test_an_outage_within_an_answer_is_closed_by_the_scripted_speaker(server: ModelServer) -> None:
    server.answering = in_turn(
        Reply(text="Hello and welcome. Would you please ", dies_after=6), then=lambda asked: Reply(status=500)
    )
    chat = Chat(server)
    chat.keep([SessionJoined()])
    text = await chat.play()
    assert text.startswith("Hello and welcome. Would")
    assert "… " in text
    assert "company" in text
    assert text.endswith("?")
    await chat.say_words("Acme")
    assert chat.data == {"g1": {"company": "Acme"}}


async def test_an_answer_is_closed_where_the_model_is_not_set_any_more(server: ModelServer) -> None:
    """The server was started again without one, while an answer was cut."""
    server.answering = in_turn(Reply(text="Hello and welcome. Would you please tell me", size=4))
    chat = Chat(server)
    chat.keep([SessionJoined()])
    shown = await chat.play(chars=25)
    chat.model = speaker_at(None)
    text = await chat.play()
    assert text.startswith(f"{shown}… ")
    assert text.endswith("?")
    await chat.say_words("Acme")
    assert chat.data == {"g1": {"company": "Acme"}}


async def test_an_outage_is_told_once_and_healing_too(server: ModelServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "roxels")
    chat, clock = Chat(server), FakeClock()
    chat.model = speaker_at(server.url, clock=clock)
    chat.keep([SessionJoined()])
    await server.stop()
    await chat.play()
    asked = len(server.asked)
    await chat.say_words("Acme")
    assert len(server.asked) == asked
    told = [record for record in caplog.records if vars(record).get("action") == "model_down"]
    assert [vars(record)["fault"] for record in told] == ["unreachable"]
    await server.start()
    clock.advance(FIRST_REST)
    await chat.say_words("twelve")
    assert [start.speaker for start in chat.started] == ["scripted", "scripted", "model"]
    assert [vars(record).get("action") for record in caplog.records] == ["model_down", "model_back"]
    assert "Acme" not in caplog.text


ARGUMENTS = {
    "no JSON": "{company: Acme",
    "a list": "[1]",
    "no such goal and field": '{"goal_id": "admin", "field": "password", "value": "x"}',
    "no value": '{"goal_id": "g1", "field": "team_size"}',
    "a misfit": '{"goal_id": "g1", "field": "team_size", "value": "purple"}',
    "too small": '{"goal_id": "g1", "field": "team_size", "value": -3}',
    "deep": "[" * 5000,
    "null": "null",
}


@pytest.mark.parametrize("arguments", ARGUMENTS.values(), ids=ARGUMENTS)
async def test_malformed_arguments_change_nothing_and_are_answered(server: ModelServer, arguments: str) -> None:
    chat = Chat(server)
    chat.keep([SessionJoined()])
    await chat.play()
    server.answering = in_turn(
        Reply(calls=(("capture", arguments), ("no_such_tool", "{}")), size=3), Reply(text="Could you say that again?")
    )
    chat.hear("purple")
    assert await chat.play() == "Could you say that again?"
    assert chat.data == {}
    answers = [message["content"] for message in server.asked[-1].messages if message["role"] == "tool"]
    assert len(answers) == 2
    assert "purple" not in "".join(answers)


async def test_values_pass_through_understanding(server: ModelServer) -> None:
    chat = Chat(server)
    chat.keep([SessionJoined()])
    await chat.play()
    arguments = json.dumps({"goal_id": "nope", "field": "team_size", "value": "a dozen people", "quote": "a dozen"})
    server.answering = in_turn(Reply(calls=(("capture", arguments),)), Reply(text="And your company?"))
    await chat.say_words("We are a dozen people")
    assert chat.data == {"g1": {"team_size": 12}}
    assert chat.captures[0].quote == "a dozen"


async def test_text_before_the_calls_of_one_stream(server: ModelServer) -> None:
    chat = Chat(server)
    chat.keep([SessionJoined()])
    await chat.play()
    arguments = json.dumps({"goal_id": "g1", "field": "company", "value": "Acme"})
    server.answering = in_turn(Reply(text="Acme, thank you! How many are you?", calls=(("capture", arguments),)))
    assert await chat.say_words("Acme") == "Acme, thank you! How many are you?"
    assert chat.data == {"g1": {"company": "Acme"}}


async def test_a_model_that_ignores_tools_and_finds_values_when_asked(server: ModelServer) -> None:
    def answering(asked: Asked) -> Reply:
        return Reply(
            text='```json\n{"company": "Acme", "password": 1}\n```' if asked.is_second_look else "And how many are you?"
        )

    server.answering = answering
    chat = Chat(server)
    chat.keep([SessionJoined()])
    await chat.play()
    await chat.say_words("It is called Acme")
    assert chat.data == {"g1": {"company": "Acme"}}


async def test_a_model_that_only_talks(server: ModelServer) -> None:
    server.answering = lambda asked: Reply(text="How nice, tell me more.")
    chat = Chat(server)
    chat.keep([SessionJoined()])
    await chat.play()
    await chat.say_words("Acme")
    await chat.say_words("12 people")
    assert chat.data == {"g1": {"company": "Acme", "team_size": 12}}
    assert [commit.revision for commit in chat.commits] == [1]


@pytest.mark.parametrize("refusal", [Reply(refusal="I cannot."), Reply(text="I ca", reason="content_filter")])
async def test_a_refusal_is_no_outage_and_no_lost_turn(server: ModelServer, refusal: Reply) -> None:
    chat = Chat(server)
    chat.keep([SessionJoined()])
    await chat.play()
    server.answering = in_turn(refusal)
    await chat.say_words("Acme")
    assert chat.state.unfinished is None
    assert len(chat.text) > 20
    await chat.say_words("12")
    assert chat.started[-1].speaker == "model"


async def test_an_answer_that_ran_out_of_tokens_is_gone_on_with(server: ModelServer) -> None:
    text = "Hello and welcome to you. What is the name of your company?"
    server.answering = in_turn(Reply(text=text[:30], reason="length"), Reply(text=text[30:]))
    chat = Chat(server)
    chat.keep([SessionJoined()])
    assert await chat.play() == text


async def test_a_model_that_calls_tools_for_ever(server: ModelServer) -> None:
    server.answering = lambda asked: Reply(calls=(("recall", '{"about": "x"}'),))
    chat = Chat(server)
    chat.keep([SessionJoined()])
    assert len(await chat.play()) > 10
    assert chat.started[0].speaker == "scripted"


async def test_a_template_may_want_another_model_or_none(server: ModelServer) -> None:
    chat = Chat(server, raw(model={"name": "small", "temperature": 0.2, "max_tokens": 300}))
    chat.keep([SessionJoined()])
    await chat.play()
    assert chat.started[0].request is not None
    assert chat.started[0].request.model == "small"
    none = Chat(server, raw(model={"speaker": "scripted"}))
    none.keep([SessionJoined()])
    await none.play()
    assert none.started[0].speaker == "scripted"
    assert none.started[0].request is None


async def test_interrupted_it_stops_asking(server: ModelServer) -> None:
    server.answering = Interviewer(size=2, pause=0.01)
    chat = Chat(server)
    chat.keep([SessionJoined()])
    await chat.play(chars=5)
    chat.keep(conversation.hear(chat.state, PersonSaid(id="m9", text="Acme"), chat.shown))
    assert chat.state.transcript[0].interrupted
    server.answering = Interviewer()
    assert "team size" in await chat.play()


# going on ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
async def test_killed_at_a_hundred_places_it_reads_on(server: ModelServer, way: GoingOn) -> None:
    whole = Interviewer()
    for kill in range(1, 101):
        server.answering = Interviewer(size=1 + kill % 7)
        chat = Chat(server)
        chat.keep([SessionJoined()])
        await chat.play()
        chat.hear("Acme")
        shown = await chat.play(chars=kill)
        meant = whole.text_for(server.asked[-1])
        assert meant.startswith(shown)
        if chat.state.unfinished is None:
            break
        server.answering = Interviewer(way)
        chat.model = speaker_at(server.url)
        text = await chat.play()
        assert text.startswith(shown)
        if way == "changes_mind":
            assert text.startswith((f"{shown}… Actually", f"{shown}Actually", f"{shown} Actually"))
            assert text.count("Actually") == 1
        else:
            assert text == meant, (kill, shown)
        assert [(capture.field, capture.value) for capture in chat.captures] == [("company", "Acme")]
        assert len(chat.started) == 2


async def test_a_tool_call_of_the_first_half_has_no_second_effect(server: ModelServer) -> None:
    chat = Chat(server, raw())
    chat.keep([SessionJoined()])
    await chat.play()
    await chat.say_words("Acme")
    server.answering = Interviewer(size=3)
    chat.hear("12")
    await chat.play(chars=9)
    assert [commit.revision for commit in chat.commits] == [1]
    again = json.dumps({"goal_id": "g1", "field": "team_size", "value": 12})
    other = json.dumps({"goal_id": "g1", "field": "company", "value": "Babbage"})
    server.answering = in_turn(Reply(calls=(("capture", again), ("capture", other)), text="that is all. Goodbye!"))
    chat.model = speaker_at(server.url)
    await chat.play()
    assert chat.data == {"g1": {"company": "Acme", "team_size": 12}}
    assert [commit.revision for commit in chat.commits] == [1]
    assert len(chat.captures) == 2


async def test_a_correction_that_the_first_half_had_not_come_to_is_taken(server: ModelServer) -> None:
    beta = json.dumps({"goal_id": "g1", "field": "company", "value": "Beta", "quote": "Beta"})
    chat = Chat(server)
    chat.keep([SessionJoined()])
    await chat.play()
    await chat.say_words("Acme")
    chat.hear("Actually our company is Beta")
    words = "Of course, I have changed it to Beta. How many people are you?"
    server.answering = in_turn(Reply(text=words, size=4))
    shown = await chat.play(chars=12)
    assert words.startswith(shown)
    again = Reply(
        text=words[len(shown) :], calls=(("capture", beta), ("capture", beta.replace('"Beta"', '"Gamma"', 1)))
    )
    server.answering = in_turn(again, then=lambda asked: Reply(text=""))
    chat.model = speaker_at(server.url)
    assert (await chat.play()).startswith(words)
    assert chat.data == {"g1": {"company": "Beta"}}
    assert [capture.value for capture in chat.captures] == ["Acme", "Beta"]


async def test_what_was_recalled_in_the_first_half_is_known_in_the_second(server: ModelServer) -> None:
    chat = Chat(server)
    chat.keep([SessionJoined()])
    server.answering = in_turn(
        Reply(calls=(("recall", '{"about": "engines"}'),)),
        Reply(text="You once spoke of engines. Is that right?", size=3),
    )
    await chat.play(chars=8)
    assert chat.started[0].request is not None
    assert chat.started[0].request.recalled == ("engines",)
    chat.model = speaker_at(server.url)
    server.answering = in_turn(Reply(text="spoke of engines. Is that right?"))
    await chat.play()
    assert [message["role"] for message in server.asked[-1].messages[-4:]] == ["assistant", "tool", "assistant", "user"]


class _Probe:
    """Collects what a speaker yields."""

    def __init__(self, speaker: FallbackSpeaker, scene: Scene) -> None:
        self.steps: list[SpeakerStep] = []
        self._speaker, self._scene = speaker, scene

    async def run(self) -> list[SpeakerStep]:
        async for step in self._speaker.speak(self._scene):
            self.steps.append(step)
        return self.steps


async def test_the_key_goes_to_the_endpoint_and_nowhere_else(
    server: ModelServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    talk = Talk(raw())
    talk.keep([SessionJoined()])
    await asyncio.wait_for(_Probe(speaker_at(server.url, key="s3cret"), talk.scene()).run(), 5)
    assert server.keys == ["s3cret"]
    assert "s3cret" not in caplog.text
