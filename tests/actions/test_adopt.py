"""Adoption is a link: undone, all is as before; what was added meanwhile stays with whoever said it."""

from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from roxels.actions import adopt
from roxels.actions.open import Opened, VisitRequest, open_visit
from roxels.actions.recollect import recollect_all
from roxels.domain.errors import Conflict
from roxels.domain.events import AnyEvent, ContextAdded, FieldCaptured, PersonSaid
from roxels.domain.proof import POLICIES, Proof, owners_sight, sight_of
from roxels.storage import conversations, log, persons, schema
from roxels.storage.store import Store
from roxels.storage.transaction import Reading, Writing
from roxels.testing import CountedIds


def wish(template_id: str, who: str | None, *, proof: Proof | None = None, browser: str | None = None) -> VisitRequest:
    claim = Proof.anonymous if who is None else Proof.claimed
    return VisitRequest(
        template_id=template_id,
        external_id=who,
        name=None,
        source="browser",
        proof=claim if proof is None else proof,
        method="identity_token" if proof else "external_id" if who else "none",
        context={},
        resume=False,
        browser=browser,
    )


def say(tx: Writing, visit: Opened, *events: AnyEvent) -> None:
    stored = log.read(tx, visit.conversation_id)
    conversations.add(tx, visit.conversation_id, stored.state, visit.session_id, events)


def standing(tx: Reading, conversation_id: str, everybody: list[str]) -> bytes:
    """All that anybody can find of everybody, but where the log stands."""
    stored = log.read(tx, conversation_id)
    row: dict[str, Any] = dict(
        next(iter(tx.all(select(schema.conversations).where(schema.conversations.c.id == conversation_id))))._mapping
    )
    del row["head"]
    sights = [
        sight_of(who, proof, browser=browser, policy=policy)
        for who in everybody
        for proof in Proof
        for policy in POLICIES
        for browser in ("mine", None)
    ]
    seen = [conversations.earlier(tx, sight, but="") for sight in [*sights, *map(owners_sight, everybody)]]
    cut = [[(id, msgspec.structs.replace(state, head=0)) for id, state in pasts] for pasts in seen]
    return msgspec.json.encode(
        [
            row,
            msgspec.to_builtins(msgspec.structs.replace(stored.state, head=0)),
            [msgspec.to_builtins(persons.get(tx, who)) for who in everybody],
            [[msgspec.to_builtins(each) for each in pasts] for pasts in cut],
            [msgspec.to_builtins(recollect_all(tx, who)) for who in everybody],
        ],
        order="sorted",
    )


WORDS = st.text(min_size=1, max_size=10)
DEEDS = st.lists(
    st.one_of(
        st.tuples(st.just("visit"), st.sampled_from([None, "ada", "bob"]), st.sampled_from(["mine", None])),
        st.tuples(st.just("said"), WORDS),
        st.tuples(st.just("captured"), WORDS),
        st.tuples(st.just("told"), WORDS),
    ),
    max_size=8,
)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deeds=DEEDS, owner=st.sampled_from([None, "ada", "bob"]))
async def test_undone_all_is_as_before(
    store: Store, ids: CountedIds, template_id: str, deeds: list[Any], owner: str | None
) -> None:
    run = ids.new("commit")  # everybody is new in each history

    def named(who: str | None) -> str | None:
        return who and f"{who}_{run}"

    def history(tx: Writing) -> tuple[str, list[str]]:
        first = visit = open_visit(tx, wish(template_id, named(owner), browser="mine"), ids)
        for deed in deeds:
            match deed:
                case ("visit", who, browser):
                    visit = open_visit(tx, wish(template_id, named(who), browser=browser), ids)
                case ("said", words):
                    say(tx, visit, PersonSaid(id=ids.new("commit"), text=words))
                case ("captured", words):
                    say(tx, visit, FieldCaptured(goal_id="g1", field="company", value=words))
                case (_, words):
                    say(tx, visit, ContextAdded(context={"note": words}, source="browser"))
        return first.conversation_id, [
            first.person.id,
            *(persons.resolve(tx, named(w), ids).id for w in ("ada", "bob")),
        ]

    talk, everybody = await store.write("test", history)
    before = await store.read("test", standing, talk, everybody)
    await store.write("test", adopt.adopt, talk, everybody[1])
    assert await store.read("test", standing, talk, everybody) != before, "an adoption is seen"
    await store.write("test", adopt.undo, talk)
    assert await store.read("test", standing, talk, everybody) == before


async def test_what_is_added_stays_with_whoever_said_it(store: Store, ids: CountedIds, template_id: str) -> None:
    def act(tx: Writing) -> tuple[str, str, str]:
        visit = open_visit(tx, wish(template_id, None), ids)
        say(tx, visit, PersonSaid(id="m1", text="before"))
        ada = persons.resolve(tx, "ada", ids)
        adopt.adopt(tx, visit.conversation_id, ada.id)
        mine = open_visit(tx, msgspec.structs.replace(wish(template_id, "ada"), resume=True), ids)
        assert mine.conversation_id == visit.conversation_id, "adopted, it is hers to resume"
        say(tx, mine, PersonSaid(id="m2", text="after"), FieldCaptured(goal_id="g1", field="company", value="Acme"))
        return visit.person.id, ada.id, visit.conversation_id

    first, ada, talk = await store.write("test", act)

    async def lines(person_id: str) -> tuple[list[str], list[Any]]:
        memory = await store.read("test", recollect_all, person_id)
        return [line.text for line in memory.lines], [fact.value for fact in memory.facts]

    assert await lines(ada) == (["before", "after"], ["Acme"])
    assert await lines(first) == (["before"], []), "what she said she said, whoever has it now"
    await store.write("test", adopt.undo, talk)
    assert await lines(ada) == (["after"], ["Acme"])
    assert await lines(first) == (["before"], [])
    whole = await store.read("test", log.read, talk)
    assert (whole.person_id, len(whole.state.transcript)) == (first, 2), "the whole conversation goes back"
    ended = [session.revoked for session in whole.state.sessions.values()]
    assert ended == [False, True], "the visit of whom it was taken from is over"


async def test_an_adoption_speaks_for_what_was_said_and_not_for_what_strangers_add(
    store: Store, ids: CountedIds, template_id: str
) -> None:
    def act(tx: Writing) -> tuple[bool, bool, bool]:
        visit = open_visit(tx, wish(template_id, "ada"), ids)
        say(tx, visit, PersonSaid(id="m1", text="it was me"))
        sight = sight_of(visit.person.id, Proof.verified, browser=None, policy=Proof.claimed)
        before = bool(conversations.earlier(tx, sight, but=""))
        adopt.adopt(tx, visit.conversation_id, visit.person.id)
        adopted = bool(conversations.earlier(tx, sight, but=""))
        say(tx, visit, PersonSaid(id="m2", text="and now I am somebody else"))
        return before, adopted, bool(conversations.earlier(tx, sight, but=""))

    assert await store.write("test", act) == (False, True, False)


async def test_two_verified_persons_never_merge(store: Store, ids: CountedIds, template_id: str) -> None:
    def act(tx: Writing) -> None:
        visit = open_visit(tx, wish(template_id, "ada", proof=Proof.verified), ids)
        bob = persons.resolve(tx, "bob", ids)
        for person_id, told in ((bob.id, "never merged"), (visit.person.id, "needs no adoption")):
            with pytest.raises(Conflict, match=told):
                adopt.adopt(tx, visit.conversation_id, person_id)

    await store.write("test", act)


async def test_one_adoption_at_a_time(store: Store, ids: CountedIds, template_id: str) -> None:
    def act(tx: Writing) -> None:
        visit = open_visit(tx, wish(template_id, None), ids)
        ada, bob = persons.resolve(tx, "ada", ids), persons.resolve(tx, "bob", ids)
        with pytest.raises(Conflict, match="not adopted"):
            adopt.undo(tx, visit.conversation_id)
        adopt.adopt(tx, visit.conversation_id, ada.id)
        head = log.read(tx, visit.conversation_id).state.head
        adopt.adopt(tx, visit.conversation_id, ada.id)
        assert log.read(tx, visit.conversation_id).state.head == head, "a second time changes nothing"
        with pytest.raises(Conflict, match="undo that first"):
            adopt.adopt(tx, visit.conversation_id, bob.id)
        open_visit(tx, msgspec.structs.replace(wish(template_id, "ada"), resume=True), ids)
        adopt.undo(tx, visit.conversation_id)
        with pytest.raises(Conflict, match="Words of somebody"):
            adopt.adopt(tx, visit.conversation_id, bob.id)

    await store.write("test", act)
