"""What holds of the scripted speaker whatever is said to it."""

import json
from datetime import timedelta
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from roxels.agent.dialogue.planning import plan
from roxels.domain.events import FieldCaptured, FieldSkipped, PersonSaid
from roxels.domain.memory import NOTHING
from tests.agent.dialogues import BUDGET, COMPANY, EMAIL, NEWS, PLAN, SIZE, START, TOOLS, WISH
from tests.agent.talk import Talk, remembered, template

EVERY_KIND = (COMPANY, SIZE, EMAIL, PLAN, START, NEWS, TOOLS, WISH, BUDGET)
#: What people say, and what nobody would.
PLAUSIBLE = st.sampled_from(
    (
        "Acme|yes|no|12|12 people, ada@example.com|twelve?|skip|go back|stop|repeat|why?|what can I say?|buisness|team|"
        "next Tuesday|hm|I don't know|change my company to Babbage|change it to 7|change my plan|start over|"
        "no, it's 15 now|what did I tell you about Acme?|what is the weather?|Slack, Jira and GitHub|"
        "{name}|{{name}}|%s"
    ).split("|")
)
WORDS = st.one_of(PLAUSIBLE, st.text(max_size=80))


def past() -> Talk:
    """Last week's conversation."""
    talk = Talk(template(*EVERY_KIND), name="Ada")
    talk.join()
    talk.say("Acme", "12", "ada@example.com", "team", "in two weeks", "yes", "Slack and Jira", "More light", "$500")
    return talk


LAST_WEEK = past()


def opened(carry_forward: str, returns: bool) -> Talk:
    """A conversation whose greeting was said, with somebody new or with memory."""
    talk = Talk(
        template(*EVERY_KIND, carry_forward=carry_forward),
        name="Ada",
        memory=remembered(LAST_WEEK) if returns else NOTHING,
        now=LAST_WEEK.now + timedelta(days=7),
    )
    talk.join()
    return talk


def converse(talk: Talk, said: list[str]) -> None:
    """Say these things, as long as the conversation is open."""
    for words in said:
        if not talk.state.is_open:
            return
        talk.say(words)


@settings(max_examples=60, deadline=None)
@given(st.lists(WORDS, max_size=12), st.sampled_from(["offer", "prefill", "off"]), st.booleans())
def test_any_words_are_answered(said: list[str], carry_forward: str, returns: bool) -> None:
    talk = opened(carry_forward, returns)
    converse(talk, said)
    assert all(message.text.strip() for message in talk.state.transcript if message.role == "agent")
    assert talk.asked is not None or not talk.state.is_open


@settings(max_examples=40, deadline=None)
@given(st.lists(WORDS, max_size=6), st.booleans())
def test_the_same_scene_gives_the_same_plan(said: list[str], returns: bool) -> None:
    talk = opened("offer", returns)
    converse(talk, said)
    assert plan(talk.scene()) == plan(talk.scene())


@settings(max_examples=60, deadline=None)
@given(st.lists(WORDS.filter(lambda words: "back" not in words and "change" not in words), max_size=12), st.booleans())
def test_nothing_is_asked_that_is_known_or_was_skipped(said: list[str], returns: bool) -> None:
    talk = opened("offer", returns)
    for words in said:
        if not talk.state.is_open:
            return
        ask = talk.asked
        assert ask is not None
        goal = talk.state.goal(ask.goal_id)
        assert ask.field not in goal.data
        assert ask.field not in goal.skipped
        talk.say(words)


@settings(max_examples=60, deadline=None)
@given(st.lists(WORDS, max_size=12), st.booleans())
def test_each_revision_is_committed_once_and_says_something_new(said: list[str], returns: bool) -> None:
    talk = opened("prefill" if returns else "offer", returns)
    converse(talk, said)
    commits = talk.commits
    assert [commit.revision for commit in commits] == list(range(1, len(commits) + 1))
    assert len({commit.commit_id for commit in commits}) == len(commits)
    assert all(one.data != other.data for one, other in pairwise(commits))


@settings(max_examples=60, deadline=None)
@given(st.lists(WORDS, max_size=12), st.booleans())
def test_what_counts_cites_the_words_it_came_from(said: list[str], returns: bool) -> None:
    talk = opened("offer", returns)
    converse(talk, said)
    words = {fact.event.id: fact.event.text for fact in talk.facts if isinstance(fact.event, PersonSaid)}
    for capture in talk.captures:
        if capture.by == "said":
            assert capture.said_id is not None
            assert capture.quote is None or capture.quote in words[capture.said_id]


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200))
def test_a_free_string_takes_the_whole_message_or_a_question_stays(text: str) -> None:
    talk = Talk(template(COMPANY, SIZE))
    talk.join()
    talk.say(text)
    known = talk.data.get("g1", {})
    assert known in ({}, {"company": text.strip()})
    assert talk.asked is not None


@settings(max_examples=40, deadline=None)
@given(st.lists(WORDS, min_size=1, max_size=4), st.data())
def test_going_on_from_any_cut_says_exactly_the_rest(said: list[str], data: st.DataObject) -> None:
    talk = opened("offer", True)
    converse(talk, said[:-1])
    if not talk.state.is_open:
        return
    talk.hear(said[-1])
    planned = plan(talk.scene()).text
    cut = data.draw(st.integers(0, len(planned)))
    started = talk.begin()
    assert started.plan == planned
    talk.answer(said_so_far=planned[:cut])
    assert talk.text == planned
    assert talk.rest == planned[cut:]


@settings(max_examples=40, deadline=None)
@given(st.lists(WORDS, min_size=2, max_size=5))
def test_messages_that_came_together_count_like_one_after_the_other(said: list[str]) -> None:
    together, apart = opened("offer", False), opened("offer", False)
    for words in said:
        together.hear(words)
    together.answer()
    for words in said:
        if apart.state.is_open:
            apart.say(words)
    if apart.state.is_open:
        assert together.data == apart.data
        assert _dealt_with(together) == _dealt_with(apart)


@settings(max_examples=40, deadline=None)
@given(st.lists(WORDS, max_size=6))
def test_a_template_that_asks_for_nothing_is_talked_through(said: list[str]) -> None:
    talk = Talk({"name": "Test", "goals": [{"id": "g1", "prompt": "What brings you here?"}, {"id": "g2"}]})
    assert talk.join().endswith("What brings you here?")
    converse(talk, said)
    assert talk.data == {}


def _dealt_with(talk: Talk) -> list[dict[str, Any]]:
    facts = [fact.event for fact in talk.facts if isinstance(fact.event, FieldCaptured | FieldSkipped)]
    return [json.loads(json.dumps({"field": fact.field, "value": getattr(fact, "value", None)})) for fact in facts]
