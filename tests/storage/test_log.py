"""The log and its writer: what refuses an append, and what is true once one was taken."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, select

from roxels.actions.open import Opened, VisitRequest, open_visit
from roxels.domain.conversation import fold
from roxels.domain.events import AgentSaid, AgentStarted, AnyEvent, Fact, PersonSaid
from roxels.domain.proof import Proof
from roxels.storage import log
from roxels.storage.conversations import numbered
from roxels.storage.database import Backend
from roxels.storage.log import Append, Behind, Gone, Piece, Superseded
from roxels.storage.schema import conversations
from roxels.storage.store import Store
from roxels.storage.transaction import Reading
from roxels.testing import START, CountedIds
from tests.domain.histories import histories


async def opened(store: Store, template_id: str, ids: CountedIds, external_id: str = "ada") -> Opened:
    """A fresh visit of somebody."""
    wish = VisitRequest(
        template_id=template_id,
        external_id=external_id,
        name=None,
        source="browser",
        proof=Proof.claimed,
        method="external_id",
        context={},
    )
    return await store.write("test", open_visit, wish, ids)


def next_append(visit: Opened, *events: AnyEvent, epoch: int | None = None, piece: Piece | None = None) -> Append:
    """These events in their places after the visit's state."""
    facts = numbered(visit.state, events, at=START, session_id=visit.session_id)
    return Append(
        conversation_id=visit.conversation_id,
        expected_seq=visit.state.head,
        epoch=epoch,
        facts=facts,
        state=fold(facts, visit.state),
        piece=piece,
    )


async def test_the_writer_syncs_every_commit_to_disk(store: Store, database: Backend) -> None:
    expected: dict[str, dict[str, Any]] = {
        "sqlite": {"PRAGMA synchronous": 2, "PRAGMA journal_mode": "wal"},  # 2 is FULL
        "postgresql": {"SHOW synchronous_commit": "on", "SHOW transaction_isolation": "read committed"},
    }
    asked = expected[database.writer.dialect.name]

    def answers() -> dict[str, Any]:
        with database.writer.connect() as connection:
            return {question: connection.exec_driver_sql(question).scalar() for question in asked}

    assert await store.run(answers) == asked


async def test_who_is_behind_is_told_and_writes_nothing(store: Store, template_id: str, ids: CountedIds) -> None:
    visit = await opened(store, template_id, ids)
    await store.append(next_append(visit, PersonSaid(id="m1", text="one")))
    with pytest.raises(Behind):
        await store.append(next_append(visit, PersonSaid(id="m2", text="two")))
    stored = await store.read("test", log.read, visit.conversation_id)
    assert [message.text for message in stored.state.transcript] == ["one"]


async def test_who_lost_the_conversation_may_not_speak(store: Store, template_id: str, ids: CountedIds) -> None:
    visit = await opened(store, template_id, ids)
    with pytest.raises(Superseded):
        await store.append(next_append(visit, AgentStarted(utterance_id="u", plan="x"), epoch=7))


async def test_an_erased_conversation_takes_nothing(store: Store, template_id: str, ids: CountedIds) -> None:
    visit = await opened(store, template_id, ids)
    with pytest.raises(Gone):
        await store.append(Append(conversation_id="iv_none", expected_seq=visit.state.head))


async def test_a_refused_append_spoils_nobody_elses(store: Store, template_id: str, ids: CountedIds) -> None:
    ada, bob = await opened(store, template_id, ids, "ada"), await opened(store, template_id, ids, "bob")
    late = next_append(ada, PersonSaid(id="m2", text="late"))
    answers = await asyncio.gather(
        store.append(next_append(ada, PersonSaid(id="m1", text="first"))),
        store.append(late),
        store.append(next_append(bob, PersonSaid(id="m1", text="hello"))),
        return_exceptions=True,
    )
    assert [type(answer) for answer in answers] == [type(None), Behind, type(None)]


async def test_a_faulty_append_spoils_nobody_elses(store: Store, template_id: str, ids: CountedIds) -> None:
    ada, bob = await opened(store, template_id, ids, "ada"), await opened(store, template_id, ids, "bob")
    twice = [next_append(ada, piece=Piece("u", 0, "a")), next_append(ada, piece=Piece("u", 0, "a"))]
    answers = await asyncio.gather(
        *(store.append(append) for append in twice),
        store.append(next_append(bob, PersonSaid(id="m1", text="hello"))),
        return_exceptions=True,
    )
    assert isinstance(answers[1], Exception)
    assert answers[2] is None


async def test_pieces_are_what_was_said_until_they_become_a_fact(
    store: Store, template_id: str, ids: CountedIds
) -> None:
    visit = await opened(store, template_id, ids)
    start = next_append(visit, AgentStarted(utterance_id="u", plan="Hello there."))
    await store.append(start)
    for place, text in ((0, "Hel"), (3, "lo"), (5, " the")):
        await store.append(
            Append(conversation_id=visit.conversation_id, expected_seq=start.head, piece=Piece("u", place, text))
        )
    stored = await store.read("test", log.read, visit.conversation_id)
    assert stored.said_so_far == "Hello the"
    facts = numbered(stored.state, [AgentSaid(utterance_id="u", text="Hello the")], at=START, session_id=None)
    await store.append(
        Append(
            conversation_id=visit.conversation_id,
            expected_seq=start.head,
            facts=facts,
            state=fold(facts, stored.state),
            ended_utterance="u",
        )
    )
    assert await store.read("test", log.read_said, visit.conversation_id, "u") == ""


async def test_a_crowd_shares_one_commit(store: Store, database: Backend, template_id: str, ids: CountedIds) -> None:
    visits = [await opened(store, template_id, ids, f"user{n}") for n in range(20)]
    commits: list[None] = []
    event.listen(database.writer, "commit", lambda _connection: commits.append(None))
    await asyncio.gather(*(store.append(next_append(visit, PersonSaid(id="m", text="hi"))) for visit in visits))
    assert len(commits) < len(visits) / 2


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(history=histories(), cuts=st.lists(st.integers(1, 5), max_size=20))
async def test_what_is_kept_folds_to_the_state(
    store: Store, template_id: str, ids: CountedIds, history: list[Fact], cuts: list[int]
) -> None:
    visit = await opened(store, template_id, ids, ids.new("person"))
    state, rest, sizes = visit.state, [fact.event for fact in history[1:]], iter(cuts)
    appends: list[Append] = []
    while rest:
        size = next(sizes, 1)
        facts = numbered(state, rest[:size], at=START + timedelta(seconds=len(rest)), session_id="sess_1")
        before, state = state, fold(facts, state)
        append = Append(
            conversation_id=visit.conversation_id, expected_seq=before.head, before=before, facts=facts, state=state
        )
        appends.append(append)
        rest = rest[size:]
    await asyncio.gather(*(store.append(append) for append in appends))
    assert (await store.read("test", log.read, visit.conversation_id)).state == state
    assert await store.read("test", row_of, visit.conversation_id) == {name: getattr(state, name) for name in SHOWN}


#: What the row of a conversation shows of its state.
SHOWN = (
    *("head", "status", "ended_by", "top_proof", "is_proven", "is_vouched"),
    *("adopted_at", "started_at", "ended_at", "last_activity_at"),
)


def row_of(tx: Reading, conversation_id: str) -> dict[str, Any]:
    """The row of a conversation."""
    row = tx.first(select(*(conversations.c[name] for name in SHOWN)).where(conversations.c.id == conversation_id))
    assert row is not None
    return dict(row._mapping)
