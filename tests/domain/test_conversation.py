"""The fold: the law that state is nothing but its facts, and what single facts do to it."""

from datetime import timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from roxels.domain import conversation as decide
from roxels.domain.conversation import EMPTY, fold
from roxels.domain.events import (
    AgentSaid,
    AgentStarted,
    AnyEvent,
    ConversationOpened,
    Fact,
    PersonSaid,
    SessionJoined,
    SessionStarted,
    decode,
    encode,
)
from roxels.testing import START
from tests.domain.histories import histories


def facts_of(*events: AnyEvent, apart: timedelta = timedelta(seconds=1)) -> list[Fact]:
    """These events one after the other, in one session."""
    return [
        Fact(seq=seq, at=START + apart * seq, session_id="sess_1", event=event) for seq, event in enumerate(events, 1)
    ]


BEGINNING: tuple[AnyEvent, ...] = (
    ConversationOpened(template_id="tpl_1", template_version=3),
    SessionStarted(proof="claimed", reason="new_person", method="external_id"),
    SessionJoined(),
)


#: The table of `domain.life`.
MOVES = {
    ("created", "joined"),
    ("created", "expired"),
    ("created", "processing"),
    ("joined", "processing"),
    ("processing", "completed"),
    ("processing", "failed"),
}


@given(histories())
def test_the_status_moves_along_its_table_only(facts: list[Fact]) -> None:
    state, seen = EMPTY, [EMPTY.status]
    for fact in facts:
        state = fold([fact], state)
        seen.append(state.status)
    assert {(before, after) for before, after in pairwise(seen) if before != after} <= MOVES


@given(histories(), st.integers(0, 40))
def test_folding_in_two_parts_is_folding_at_once(facts: list[Fact], cut: int) -> None:
    assert fold(facts[cut:], fold(facts[:cut])) == fold(facts)


@given(histories())
def test_a_fact_survives_being_written_down(facts: list[Fact]) -> None:
    for fact in facts:
        assert decode(encode(fact.event)) == fact.event


@given(histories())
def test_folding_leaves_the_earlier_state_as_it_was(facts: list[Fact]) -> None:
    middle = fold(facts[: len(facts) // 2])
    before = repr(middle)
    fold(facts[len(facts) // 2 :], middle)
    assert repr(middle) == before


def test_a_greeting_is_owed_to_the_first_who_comes() -> None:
    opened = fold(facts_of(*BEGINNING[:2]))
    assert (opened.status, opened.owes_reply) == ("created", False)
    joined = fold(facts_of(*BEGINNING))
    assert (joined.status, joined.owes_reply) == ("joined", True)


def test_a_returner_is_greeted_only_after_a_while_and_not_in_mid_sentence() -> None:
    greeted: tuple[AnyEvent, ...] = (
        *BEGINNING,
        AgentStarted(utterance_id="u", plan="Hi."),
        AgentSaid(utterance_id="u", text="Hi."),
    )
    soon = fold(facts_of(*greeted, SessionJoined()))
    assert soon.returned_after is None
    late = fold(facts_of(*greeted, SessionJoined(), apart=timedelta(minutes=11)))
    assert late.returned_after == timedelta(minutes=11)
    assert late.owes_reply
    cut = fold(facts_of(*greeted[:-1], SessionJoined(), apart=timedelta(minutes=11)))
    assert cut.returned_after is None


def test_words_into_an_answer_end_it_at_what_was_said() -> None:
    state = fold(facts_of(*BEGINNING, AgentStarted(utterance_id="u", plan="Hello there.")))
    said = PersonSaid(id="m1", text="Wait")
    assert decide.hear(state, said, "Hello") == [AgentSaid(utterance_id="u", text="Hello", interrupted=True), said]


def test_a_message_sent_again_is_said_once() -> None:
    said = PersonSaid(id="m1", text="Wait")
    assert decide.hear(fold(facts_of(*BEGINNING, said)), said, "") == []


def test_nothing_has_happened_in_an_empty_conversation() -> None:
    assert fold([]) == EMPTY
