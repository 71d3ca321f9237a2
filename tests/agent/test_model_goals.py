"""What goals ask of a model: more about areas, values that go together, a yes before a commit."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from roxels.domain.events import GoalBlocked, GoalConfirmed, GoalProposed, SessionJoined
from roxels.testing.model import Interviewer, ModelServer, Reply
from tests.agent.test_model import Chat, hang_up, in_turn

PLAN = {"plan": {"type": "string", "enum": ["solo", "team"]}, "seats": {"type": "integer"}}
RULE = {"when": {"plan": "solo"}, "then": {"seats": 1}, "message": "A solo plan has one seat."}


def template(*fields: str, required: tuple[str, ...] = ("plan",), **goal: Any) -> dict[str, Any]:
    """One goal about a plan, with these fields (by itself both)."""
    fields = fields or tuple(PLAN)
    schema = {"type": "object", "properties": {name: PLAN[name] for name in fields}, "required": list(required)}
    return {"name": "Test", "goals": [{"id": "g1", "prompt": "Find a plan.", "schema": schema, **goal}]}


def capture(field: str, value: Any) -> Reply:
    """A model that keeps a value; what it says comes when it has heard what came of it."""
    return Reply(calls=(("capture", json.dumps({"goal_id": "g1", "field": field, "value": value})),))


CONFIRM = Reply(calls=(("confirm", '{"goal_id": "g1"}'),))


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with ModelServer(Interviewer()) as server:
        yield server
        await hang_up()


async def come(server: ModelServer, raw: dict[str, Any], *replies: Reply) -> Chat:
    """Somebody who has been greeted."""
    server.answering = in_turn(Reply(text="Hello. Which plan?"), *replies)
    chat = Chat(server, raw)
    chat.keep([SessionJoined()])
    await chat.play()
    return chat


def happened(chat: Chat, kind: type) -> list[Any]:
    """The facts of one kind."""
    return [fact.event for fact in chat.facts if isinstance(fact.event, kind)]


async def test_it_commits_upon_a_yes_to_what_was_read_out(server: ModelServer) -> None:
    raw = template(required=("plan", "seats"), commit_policy="human_confirm")
    chat = await come(
        server,
        raw,
        capture("plan", "team"),
        Reply(text="How many seats?"),
        capture("seats", 5),
        Reply(text="Team, 5 seats: is that right?"),
        capture("seats", 6),
        Reply(text="Team, 6 seats: is that right?"),
        CONFIRM,
        Reply(text="Settled."),
    )
    await chat.say_words("team")
    assert happened(chat, GoalProposed) == []
    await chat.say_words("5")
    assert chat.state.goal_status("g1") == "proposed"
    await chat.say_words("no, 6")
    assert [each.data["seats"] for each in happened(chat, GoalProposed)] == [5, 6]
    assert chat.commits == []
    await chat.say_words("yes")
    assert [commit.data for commit in chat.commits] == [{"plan": "team", "seats": 6}]
    assert chat.state.last_words is not None
    assert happened(chat, GoalConfirmed)[0].said_id == chat.state.last_words.id


async def test_a_yes_that_was_given_before_confirms_nothing(server: ModelServer) -> None:
    eager = Reply(calls=(*capture("plan", "team").calls, *CONFIRM.calls))
    chat = await come(server, template("plan", commit_policy="human_confirm"), eager, Reply(text="Team: right?"))
    await chat.say_words("yes, the team one")
    assert chat.commits == []
    assert happened(chat, GoalConfirmed) == []


async def test_it_commits_though_the_model_calls_nothing(server: ModelServer) -> None:
    raw = template("plan", commit_policy="human_confirm")
    chat = await come(
        server,
        raw,
        Reply(text="Team, is that right?"),
        Reply(text='{"plan": "team"}'),
        Reply(text="So that is team: right?"),
        Reply(text="{}"),
        Reply(text="Fine."),
        Reply(text="no json"),
    )
    await chat.say_words("the team plan")
    assert chat.data == {"g1": {"plan": "team"}}
    await chat.say_words("hm")
    await chat.say_words("yes")
    assert [commit.data for commit in chat.commits] == [{"plan": "team"}]


async def test_a_broken_rule_is_told_to_the_model_and_blocks(server: ModelServer) -> None:
    raw = template(required=("plan", "seats"), invariants=[RULE])
    chat = await come(
        server,
        raw,
        capture("plan", "solo"),
        Reply(text="How many seats?"),
        capture("seats", 3),
        Reply(text="A solo plan has one seat. So one?"),
        capture("seats", 1),
        Reply(text="Thank you?"),
    )
    await chat.say_words("solo")
    await chat.say_words("3")
    assert "A solo plan has one seat." in json.dumps(server.asked[-1].messages)
    assert [each.fields for each in happened(chat, GoalBlocked)] == [["seats", "plan"]]
    assert chat.commits == []
    await chat.say_words("one then")
    assert [commit.data for commit in chat.commits] == [{"plan": "solo", "seats": 1}]


async def test_it_is_told_which_area_to_ask_about(server: ModelServer) -> None:
    raw = template("plan", probing_areas=["growth", "budget"], follow_up_depth="light")
    chat = await come(server, raw, capture("plan", "team"), Reply(text="And growth?"), Reply(text="Thank you."))
    await chat.say_words("team")
    assert chat.asked is not None
    assert (chat.asked.kind, chat.asked.value) == ("probe", "growth")
    await chat.say_words("we double")
    now = str(server.asked[-1].messages[0]["content"])
    assert "Nothing is left to ask" in now
    assert "budget" not in now
