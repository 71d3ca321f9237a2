"""The scripted speaker: its pace, its facts and their order, the greeting, goals, interruptions."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

import roxels
from roxels.agent.ports import Facts, Opening, SpeakerStep, Words
from roxels.agent.speakers.pace import paced
from roxels.agent.speakers.scripted import ScriptedSpeaker
from roxels.domain import conversation, goals, soundness
from roxels.domain.events import AgentStarted, FieldCaptured, GoalActivated, GoalCommitted, PersonSaid
from roxels.testing import FakeClock
from tests.agent.dialogues import COMPANY, EMAIL, PLAN, SIZE, START, WISH
from tests.agent.talk import Talk, remembered, template

DEMO = json.loads((Path(roxels.__file__).parent / "demo_template.json").read_text(encoding="utf-8"))
TWO_GOALS = {
    "name": "Test",
    "goals": [
        {
            "id": "team",
            "prompt": "Let's talk about your team on the {{context.plan}} plan.",
            "schema": {"properties": {"company": COMPANY, "team_size": SIZE}, "required": ["company", "team_size"]},
        },
        {
            "id": "next",
            "label": "What comes next",
            "prompt": "Understand what they want.",
            "schema": {"wish": {"type": "string", "required_before_commit": True}, "source": "string"},
        },
    ],
    "settings": {"greeting": "Welcome {{name}}, you are on the {{context.plan}} plan."},
}


class FlowingClock(FakeClock):
    """Time that passes as soon as somebody waits for it."""

    async def sleep(self, seconds: float) -> None:
        self.advance(seconds)


async def steps(talk: Talk, cps: float = 0) -> list[SpeakerStep]:
    return [step async for step in ScriptedSpeaker(FakeClock(), cps).speak(talk.scene())]


@pytest.mark.parametrize(("cps", "sizes", "step"), [(60, [3, 3, 3, 1], 0.05), (5, [1] * 10, 0.2), (900, [10], 0)])
async def test_pace(cps: float, sizes: list[int], step: float) -> None:
    clock = FlowingClock()
    shown = [(clock.monotonic(), len(piece)) async for piece in paced("ten 🦊 sign", cps, clock)]
    assert [size for _, size in shown] == sizes
    assert [time for time, _ in shown] == pytest.approx([step * number for number in range(len(sizes))])


async def test_without_pace_all_is_said_at_once() -> None:
    assert [piece async for piece in paced("all of it", 0, FakeClock())] == ["all of it"]
    assert [piece async for piece in paced("", 0, FakeClock())] == []


async def test_facts_come_before_the_opening_and_that_before_the_words() -> None:
    talk = Talk(template(COMPANY))
    kinds = [type(step) for step in await steps(talk)]
    assert kinds == [Facts, Opening, Words]


async def test_going_on_opens_nothing_and_changes_nothing() -> None:
    talk = Talk(template(COMPANY))
    talk.begin()
    assert {type(step) for step in await steps(talk)} == {Words}


def test_the_name_is_spoken_in_the_greeting() -> None:
    for greeting in ("", "Hi!", "Let us begin.", "Hi {{person.name}}, nice.", "Hello {{name}}!"):
        talk = Talk(template(COMPANY, greeting=greeting), name="Ada Lovelace")
        assert talk.join().count("Ada Lovelace") == 1
    assert "Ada Lovelace" not in Talk(template(COMPANY)).join()


def test_an_empty_placeholder_leaves_no_hole() -> None:
    assert Talk(template(COMPANY, greeting="Hello {{name}}, and welcome.")).join().startswith("Hello, and welcome.")


def test_context_is_spoken_in_greeting_and_prompts() -> None:
    talk = Talk(TWO_GOALS, name="Ada", context={"plan": "pro"})
    assert talk.join() == (
        "Welcome Ada, you are on the pro plan. Let's talk about your team on the pro plan. "
        "What is the name of your company?"
    )


def test_goals_are_turned_to_once_and_in_order() -> None:
    talk = Talk(TWO_GOALS, context={"plan": "pro"})
    talk.join()
    assert "I'd like to understand what you want. What is your wish?" in talk.say("Acme", "12")
    talk.say("go back", "13", "More light", "A friend told me")
    turned = [fact.event.goal_id for fact in talk.facts if isinstance(fact.event, GoalActivated)]
    assert turned == ["team", "next"]
    assert talk.state.ended_by == "agent"


def test_each_goal_commits_once_per_revision() -> None:
    talk = Talk(template(COMPANY, EMAIL, PLAN, SIZE, START, WISH))
    talk.join()
    talk.say("Acme", "ada@example.com", "team", "12", "tomorrow")
    assert talk.commits == []
    talk.say("More light")
    assert [(commit.goal_id, commit.revision) for commit in talk.commits] == [("g1", 1)]
    assert talk.commits[0].data == {
        "company": "Acme",
        "email": "ada@example.com",
        "plan": "team",
        "team_size": 12,
        "start_date": "2026-03-12",
        "wish": "More light",
    }
    assert talk.commits[0].proof == "claimed"


def test_a_correction_of_a_committed_goal_is_a_new_revision() -> None:
    talk = Talk(TWO_GOALS, context={"plan": "pro"})
    talk.join()
    talk.say("Acme", "12", "change my company to Babbage & Sons", "change my company to Babbage & Sons")
    assert [(commit.goal_id, commit.revision, commit.data["company"]) for commit in talk.commits] == [
        ("team", 1, "Acme"),
        ("team", 2, "Babbage & Sons"),
    ]


def test_captures_and_their_commit_are_kept_together() -> None:
    talk = Talk(template(COMPANY))
    talk.join()
    talk.hear("Acme")
    talk.begin()
    assert [type(fact.event) for fact in talk.facts[-3:]] == [FieldCaptured, GoalCommitted, AgentStarted]


def test_words_into_an_answer_answer_its_question() -> None:
    talk = Talk(template(COMPANY, SIZE))
    talk.join()
    talk.hear("Acme")
    talk.begin()
    talk.keep(conversation.hear(talk.state, PersonSaid(id="msg_x", text="12"), said_so_far="Got"))
    talk.answer()
    assert talk.data["g1"] == {"company": "Acme", "team_size": 12}


def test_words_into_the_goodbye_keep_the_conversation_open_for_one_more_answer() -> None:
    talk = Talk(template(COMPANY))
    talk.join()
    talk.hear("Acme")
    talk.begin()
    talk.keep(
        conversation.hear(talk.state, PersonSaid(id="msg_x", text="wait, change my company to Bo"), said_so_far="Got")
    )
    assert "- Company: Bo" in talk.answer()
    assert talk.state.ended_by == "agent"


def test_words_before_the_greeting_are_not_taken_for_an_answer() -> None:
    talk = Talk(template(COMPANY, SIZE))
    talk.hear("hello there")
    assert "What is the name of your company?" in talk.answer()
    assert talk.data == {}


def test_captures_name_their_words() -> None:
    talk = Talk(template(PLAN, SIZE))
    talk.join()
    talk.say("buisness", "yes", "about 25 people")
    quotes = [(capture.value, capture.quote) for capture in talk.captures]
    assert quotes == [("business", "buisness"), (25, "25")]
    assert talk.captures[0].said_id == talk.state.transcript[1].id


def test_a_plan_that_is_over_is_not_offered_again() -> None:
    known = Talk(template(START))
    known.join()
    known.say("tomorrow")
    for days, kind in ((1, "offer"), (30, "field")):
        later = Talk(template(START), memory=remembered(known), now=known.now + timedelta(days=days))
        later.join()
        assert later.asked is not None
        assert later.asked.kind == kind


def test_the_demo_template_is_sound_and_talks() -> None:
    assert soundness.faults(DEMO) == []
    assert soundness.warnings(DEMO) == []
    talk = Talk(DEMO, name="Ada")
    talk.join()
    talk.say("The kitchen", "about 12 plants", "brihgt", "yes", "Fewer brown leaves on the fern", "next Monday")
    assert "ada@example.com. That's all I wanted to ask, Ada; thank you." in talk.say("ada at example dot com")
    assert [(commit.goal_id, commit.revision) for commit in talk.commits] == [("your_home", 1), ("your_care", 1)]
    assert all(goals.missing(goal, talk.state.goal(goal.id)) == [] for goal in talk.template.goals)
