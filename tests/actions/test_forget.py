"""Forgetting: what is out of reach at once, what the receipt says, and what stays whole."""

import asyncio
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import func, select

from roxels.actions import forget
from roxels.actions.eraser import Erased, Eraser, Sweeping
from roxels.actions.forget import ErasureRequest
from roxels.actions.open import Opened, VisitRequest, open_visit
from roxels.domain.errors import NotFound
from roxels.domain.events import AnyEvent, PersonSaid
from roxels.domain.proof import Proof, sight_of
from roxels.domain.receipts import Receipt, broken, subject_of
from roxels.storage import conversations, erasures, leases, log, persons, receipts, roads, sessions
from roxels.storage.erasures import AT_ONCE, Erasure
from roxels.storage.log import Append, Gone
from roxels.storage.schema import metadata
from roxels.storage.store import Store
from roxels.storage.transaction import Environment, Reading, Writing
from roxels.storage.vault import Keyring, verifiers
from roxels.testing import CountedIds, FakeClock
from tests.actions.planting import Chance, plant, planted

DAY = 24 * 60 * 60


async def visit(
    store: Store, template_id: str, ids: CountedIds, external_id: str | None = "ada", *, resume: bool = True
) -> Opened:
    """A visit of somebody."""
    wish = VisitRequest(
        template_id=template_id,
        external_id=external_id,
        name="Ada",
        source="browser",
        proof=Proof.claimed if external_id else Proof.anonymous,
        method="external_id",
        context={},
        resume=resume,
    )
    return await store.write("test", open_visit, wish, ids)


async def say(store: Store, opened: Opened, count: int) -> None:
    """So many messages, all at once."""

    def add(tx: Writing) -> None:
        said: list[AnyEvent] = [PersonSaid(id=f"m{n}", text=f"word {n}") for n in range(count)]
        conversations.add(tx, opened.conversation_id, opened.state, opened.session_id, said)

    await store.write("test", add)


async def counts(store: Store, environment: Environment = "test") -> dict[str, int]:
    """Rows of each table that leads to a person."""
    names = {road.table.name for road in roads.ROADS["person"]}

    def count(tx: Reading) -> dict[str, int]:
        return {name: tx.value(select(func.count()).select_from(metadata.tables[name])) for name in sorted(names)}

    return {name: number for name, number in (await store.read(environment, count)).items() if number}


async def chain(store: Store, environment: Environment = "test") -> list[Receipt]:
    """All receipts, oldest first."""
    links = await store.read(environment, receipts.newest, before=None, limit=100)
    return [link.receipt for link in reversed(links)]


def receipt_of(answer: Erased | Sweeping) -> Receipt:
    assert isinstance(answer, Erased)
    return answer.receipt


async def begin(store: Store, keyring: Keyring, ids: CountedIds, by: forget.By, id: str) -> Erasure:
    """Only the first transaction of an erasure, as if the process ended then."""
    return await store.write(
        "test", forget.forget, ErasureRequest(by=by, id=id, reason="api", salt=keyring.subject_salt), ids
    )


async def test_the_receipt_counts_every_row_and_holds(
    store: Store, eraser: Eraser, keyring: Keyring, template_id: str, clock: FakeClock
) -> None:
    chance = Chance(1)
    ada = planted(chance)
    people = [ada, planted(chance, ada.external_id), planted(chance)]
    await plant(store, template_id, people, chance, turns=20)
    before = await counts(store)
    receipt = receipt_of(await eraser.person("test", ada.visit.person.id, "dashboard"))
    after = await counts(store)
    assert receipt.counts == {name: before[name] - after[name] for name in before}
    assert (receipt.counts["persons"], receipt.counts["conversations"]) == (1, 2)
    assert receipt.subject == subject_of(keyring.subject_salt, "person", ada.visit.person.id)
    assert (receipt.reason, receipt.erased_at, receipt.prev) == ("dashboard", "2026-03-02T09:00:00Z", None)
    assert broken([receipt], verifiers(keyring.signer.public_keys)) is None
    assert (await store.read("test", persons.get, people[2].visit.person.id)) is not None


async def test_a_conversation_goes_and_the_others_stay(
    store: Store, eraser: Eraser, template_id: str, ids: CountedIds
) -> None:
    first = await visit(store, template_id, ids)
    await say(store, first, 3)
    other = await visit(store, template_id, ids, resume=False)
    receipt = receipt_of(await eraser.conversation("test", first.conversation_id, "api"))
    assert receipt.counts == {"events": first.state.head + 3, "sessions": 1, "conversations": 1}
    assert await store.read("test", log.find, first.conversation_id) is None
    kept = await store.read("test", log.read, other.conversation_id)
    assert kept.state == other.state
    person = await store.read("test", persons.get, first.person.id)
    assert person is not None
    assert (person.external_id, person.conversation_count) == ("ada", 1)


async def test_receipts_are_chained_within_their_environment(
    store: Store, eraser: Eraser, keyring: Keyring, template_id: str, ids: CountedIds
) -> None:
    for name in ("ada", "bob", "cleo"):
        opened = await visit(store, template_id, ids, name)
        await eraser.person("test", opened.person.id, "api")
    found = await chain(store)
    assert len(found) == 3
    assert broken(found, verifiers(keyring.signer.public_keys)) is None
    assert broken(found[::2], verifiers(keyring.signer.public_keys)) is not None
    assert await chain(store, "live") == []


async def test_a_repeat_within_a_day_has_the_same_receipt(
    store: Store, eraser: Eraser, template_id: str, ids: CountedIds, clock: FakeClock
) -> None:
    opened = await visit(store, template_id, ids)
    other = await visit(store, template_id, ids, "bob")
    first = await eraser.person_called("test", "ada", "api")
    talk = await eraser.conversation("test", other.conversation_id, "api")
    clock.advance(DAY - 1)
    assert await eraser.person("test", opened.person.id, "api") == Erased(opened.person.id, receipt_of(first))
    assert await eraser.person_called("test", "ada", "dashboard") == first
    assert await eraser.conversation("test", other.conversation_id, "api") == talk
    clock.advance(2)
    for again in (
        eraser.person("test", opened.person.id, "api"),
        eraser.person_called("test", "ada", "api"),
        eraser.conversation("test", other.conversation_id, "api"),
    ):
        with pytest.raises(NotFound):
            await again
    assert len(await chain(store)) == 2


async def test_who_came_back_is_somebody_new_and_is_erased_anew(
    store: Store, eraser: Eraser, template_id: str, ids: CountedIds
) -> None:
    opened = await visit(store, template_id, ids)
    first = await eraser.person_called("test", "ada", "api")
    back = await visit(store, template_id, ids)
    assert back.person.id != opened.person.id
    second = await eraser.person_called("test", "ada", "api")
    assert receipt_of(second).id != receipt_of(first).id
    assert await eraser.person_called("test", "ada", "api") == second


async def test_the_erased_comes_back_as_a_stranger(
    store: Store, eraser: Eraser, template_id: str, ids: CountedIds
) -> None:
    first = await visit(store, template_id, ids)
    assert (await visit(store, template_id, ids)).resumed
    await eraser.person_called("test", "ada", "api")
    assert first.token is not None
    assert await store.read_across(sessions.by_token, first.token) is None
    back = await visit(store, template_id, ids)
    assert back.person.id != first.person.id
    assert (back.resumed, back.reason, back.person.conversation_count) == (False, "new_person", 0)
    assert back.state.transcript == ()
    sight = sight_of(back.person.id, Proof.verified, browser=None, policy=Proof.claimed)
    assert await store.read("test", conversations.earlier, sight, but=back.conversation_id) == []


async def test_nobody_else_s_environment(store: Store, eraser: Eraser, template_id: str, ids: CountedIds) -> None:
    opened = await visit(store, template_id, ids)
    before = await counts(store)
    for wish in (
        eraser.person("live", opened.person.id, "api"),
        eraser.person_called("live", "ada", "api"),
        eraser.conversation("live", opened.conversation_id, "api"),
        eraser.conversation("test", "iv_unknown", "api"),
        eraser.person("test", "person_unknown", "api"),
        eraser.person_called("test", "Ada", "api"),
    ):
        with pytest.raises(NotFound):
            await wish
    assert await counts(store) == before
    await eraser.person_called("test", "ada", "api")
    with pytest.raises(NotFound):
        await eraser.person_called("live", "ada", "api")


@pytest.mark.parametrize("by", ["interview", "person"])
async def test_from_the_first_transaction_on_it_is_out_of_reach(
    store: Store, keyring: Keyring, template_id: str, ids: CountedIds, by: Any
) -> None:
    opened = await visit(store, template_id, ids)
    await say(store, opened, 2 * AT_ONCE)
    processes = store.database.join("one")
    epoch = await store.write("test", leases.take, opened.conversation_id, processes)
    hinted: list[str] = []
    store.wake.listen(hinted.append)
    id = opened.conversation_id if by == "interview" else opened.person.id
    erasure = await begin(store, keyring, ids, by, id)
    assert (erasure.state, hinted) == ("removing", [opened.conversation_id])
    assert (await counts(store))["events"] > AT_ONCE, "rows are left"

    for under in (epoch, None, -1):
        head = opened.state.head + 2 * AT_ONCE
        with pytest.raises(Gone):
            await store.append(Append(conversation_id=opened.conversation_id, expected_seq=head, epoch=under))
    with pytest.raises(Gone):
        await store.read("test", log.read, opened.conversation_id)
    assert await store.write("test", leases.take, opened.conversation_id, processes) is None
    assert opened.token is not None
    old = await store.read_across(sessions.by_token, opened.token)
    assert old is None or not old.is_live(opened.created_at)
    sight = sight_of(opened.person.id, Proof.verified, browser=None, policy=Proof.claimed)
    assert await store.read("test", conversations.pasts, sight, template_id) == []
    assert await store.read("test", conversations.earlier, sight, but="") == []
    back = await visit(store, template_id, ids)
    assert (back.person.id == opened.person.id) == (by == "interview")
    assert back.conversation_id != opened.conversation_id
    processes.close()


async def test_no_transaction_removes_many_rows(
    store: Store, keyring: Keyring, template_id: str, ids: CountedIds
) -> None:
    opened = await visit(store, template_id, ids)
    await say(store, opened, 3 * AT_ONCE)
    erasure, removed = await begin(store, keyring, ids, "person", opened.person.id), [0]
    removed.append(sum(erasure.counts.values()))
    while erasure.state == "removing":
        erasure = await store.write("test", forget.take_step, erasure.id)
        removed.append(sum(erasure.counts.values()))
    assert max(after - before for before, after in pairwise(removed)) <= AT_ONCE
    assert len(removed) > 3
    assert erasure.subject_id is None
    assert await counts(store) == {}


async def test_no_receipt_before_the_rows_are_gone(
    store: Store, keyring: Keyring, template_id: str, ids: CountedIds
) -> None:
    opened = await visit(store, template_id, ids)
    await say(store, opened, AT_ONCE)
    erasure = await begin(store, keyring, ids, "person", opened.person.id)
    with pytest.raises(Exception, match="only for what is erased"):
        await store.write("test", forget.seal, erasure.id, keyring.signer)
    assert await chain(store) == []


async def test_asked_many_times_at_once_there_is_one_receipt(
    store: Store, eraser: Eraser, template_id: str, ids: CountedIds
) -> None:
    opened = await visit(store, template_id, ids)
    await say(store, opened, AT_ONCE)
    answers = await asyncio.gather(*(eraser.person("test", opened.person.id, "api") for _ in range(5)))
    assert len({receipt_of(answer).id for answer in answers}) == 1
    assert len(await chain(store)) == 1


async def test_a_conversation_and_its_person_at_once(
    store: Store, eraser: Eraser, keyring: Keyring, template_id: str, ids: CountedIds
) -> None:
    opened = await visit(store, template_id, ids)
    await say(store, opened, AT_ONCE)
    before = await counts(store)
    asked = asyncio.ensure_future(eraser.conversation("test", opened.conversation_id, "api"))
    while not await store.read_across(erasures.pending):
        await asyncio.sleep(0)
    talk, person = await asyncio.gather(asked, eraser.person("test", opened.person.id, "api"))
    both = [receipt_of(talk).counts, receipt_of(person).counts]
    assert {name: sum(each.get(name, 0) for each in both) for name in before} == before
    assert await counts(store) == {}
    assert broken(await chain(store), verifiers(keyring.signer.public_keys)) is None


async def test_somebody_anonymous_can_be_erased(
    store: Store, eraser: Eraser, template_id: str, ids: CountedIds
) -> None:
    opened, other = [await visit(store, template_id, ids, None) for _ in range(2)]
    assert receipt_of(await eraser.person("test", opened.person.id, "api")).counts["persons"] == 1
    assert await store.read("test", persons.get, other.person.id) is not None
