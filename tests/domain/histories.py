"""Random but possible histories of a conversation, for tests of laws."""

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from roxels.domain.conversation import EMPTY, Conversation, fold
from roxels.domain.events import (
    AgentHeard,
    AgentPlanned,
    AgentSaid,
    AgentStarted,
    AnyEvent,
    Ask,
    ContextAdded,
    ConversationCompleted,
    ConversationEnded,
    ConversationExpired,
    ConversationFailed,
    ConversationOpened,
    Fact,
    FieldCaptured,
    FieldSkipped,
    GoalActivated,
    GoalBlocked,
    GoalCommitted,
    GoalConfirmed,
    GoalProposed,
    MemoryForgotten,
    PersonNamed,
    PersonSaid,
    SessionEnded,
    SessionJoined,
    SessionStarted,
)
from roxels.testing import START

GOALS = st.sampled_from(["g1", "g2"])
FIELDS = st.sampled_from(["company", "size", "start"])
VALUES = st.one_of(
    st.text(max_size=20), st.integers(-(2**53), 2**53), st.booleans(), st.lists(st.text(max_size=5), max_size=3)
)
SESSIONS = st.sampled_from(["sess_1", "sess_2"])


def possible_events(state: Conversation) -> st.SearchStrategy[AnyEvent]:
    """An event that may follow in this state."""
    if state.head == 0:
        return st.just(ConversationOpened(template_id="tpl_1", template_version=1))
    n = str(state.head)
    anytime: list[st.SearchStrategy[Any]] = [
        st.builds(
            SessionStarted,
            proof=st.sampled_from(["anonymous", "claimed", "verified"]),
            reason=st.just("resumed"),
            method=st.just("external_id"),
            device=st.booleans(),
        ),
        st.just(SessionJoined()),
        st.just(SessionEnded(cause="left")),
        st.builds(
            ContextAdded,
            context=st.dictionaries(st.text(max_size=5), VALUES, max_size=3),
            source=st.sampled_from(["server", "browser"]),
        ),
        st.builds(PersonNamed, name=st.text(min_size=1, max_size=10)),
        st.builds(PersonSaid, id=st.just(f"m{n}"), text=st.text(max_size=40)),
        st.builds(FieldCaptured, goal_id=GOALS, field=FIELDS, value=VALUES),
        st.builds(FieldSkipped, goal_id=GOALS, field=FIELDS),
        st.builds(GoalActivated, goal_id=GOALS),
        st.builds(GoalProposed, goal_id=GOALS, data=st.dictionaries(FIELDS, VALUES)),
        st.builds(GoalConfirmed, goal_id=GOALS, said_id=st.just(f"m{n}")),
        st.builds(GoalBlocked, goal_id=GOALS, fields=st.lists(FIELDS, max_size=2)),
        st.builds(MemoryForgotten, goal_id=GOALS, field=FIELDS),
        st.builds(
            GoalCommitted,
            goal_id=GOALS,
            revision=st.integers(1, 5),
            commit_id=st.just(f"commit_{n}"),
            data=st.dictionaries(FIELDS, VALUES),
            proof=st.just("claimed"),
        ),
        st.builds(
            AgentHeard,
            utterance_id=st.sampled_from([m.id for m in state.transcript] or ["none"]),
            chars=st.integers(0, 50),
        ),
    ]
    if state.unfinished is None:
        anytime.append(
            st.builds(
                AgentStarted,
                utterance_id=st.just(f"utt_{n}"),
                plan=st.text(max_size=40),
                asks=st.none() | st.builds(Ask, kind=st.just("field"), goal_id=GOALS, field=FIELDS),
            )
        )
    else:
        anytime.append(
            st.builds(AgentPlanned, utterance_id=st.just(state.unfinished.utterance_id), plan=st.text(max_size=40))
        )
        anytime.append(
            st.builds(
                AgentSaid,
                utterance_id=st.just(state.unfinished.utterance_id),
                text=st.text(max_size=40),
                interrupted=st.booleans(),
            )
        )
    if state.is_open:
        anytime.append(
            st.builds(ConversationEnded, ended_by=st.sampled_from(["agent", "api", "participant", "time", "abandoned"]))
        )
    if state.status == "created":
        anytime.append(st.just(ConversationExpired()))
    if state.status == "processing":
        anytime.append(st.just(ConversationCompleted(summary="done")))
        anytime.append(st.just(ConversationFailed(reason="a fault")))
    return st.one_of(anytime)


@st.composite
def histories(draw: st.DrawFn, max_size: int = 24) -> list[Fact]:
    """Facts in order, each possible after those before it."""
    facts: list[Fact] = []
    state = EMPTY
    at = START
    for seq in range(1, draw(st.integers(1, max_size)) + 1):
        at += timedelta(seconds=draw(st.integers(0, 3600)))
        fact = Fact(seq=seq, at=at, session_id=draw(SESSIONS | st.none()), event=draw(possible_events(state)))
        facts.append(fact)
        state = fold([fact], state)
    return facts
