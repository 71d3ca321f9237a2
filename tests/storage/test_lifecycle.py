"""Lifecycle events and sealed secrets on both databases: rows that name nobody, failures told, keys that change."""

import os
from datetime import timedelta

from sqlalchemy import select

from roxels.actions import lifecycle as keeping
from roxels.actions import secrets as keep
from roxels.actions.finish import end_conversation
from roxels.domain.lifecycle import EVENTS, Happened
from roxels.storage import lifecycle, outbox, resealing
from roxels.storage.outbox import Claimed, ClaimRequest, Settled
from roxels.storage.resealing import Progress
from roxels.storage.schema import deliveries, secrets
from roxels.storage.store import Store
from roxels.storage.transaction import Across, AcrossWriting, Rows, Writing
from roxels.storage.vault import Vault
from roxels.testing import CountedIds, FakeClock
from tests.storage.test_log import opened

URL = "https://ops.example.com/roxels"


def rows(tx: Across) -> list[Rows]:
    return tx.all(select(deliveries).order_by(deliveries.c.created_at, deliveries.c.place, deliveries.c.id))


def claim(tx: AcrossWriting) -> list[Claimed]:
    wish = ClaimRequest(claim="p.1", life=timedelta(seconds=9), limit=9, per_destination=9)
    return outbox.exchange(tx, [], [], wish).taken


def fail(tx: AcrossWriting, taken: list[Claimed]) -> None:
    settled = [
        Settled(
            delivery=each,
            status="failed",
            due_at=tx.now,
            at=tx.now,
            status_code=None,
            duration_ms=1,
            error="target",
            response_excerpt="",
        )
        for each in taken
    ]
    outbox.exchange(tx, settled, [], None)


async def test_what_names_nobody_is_owed_claimed_and_settled(store: Store, ids: CountedIds, clock: FakeClock) -> None:
    await store.write("test", keeping.create, URL, EVENTS, ids)
    await store.write("live", keeping.create, f"{URL}/live", EVENTS, ids)
    for number in range(2):
        happened = Happened(id=f"evt_{number}", name="person.erased", at=clock.now(), told={"receipt_id": "rcpt_1"})
        assert await store.write("test", lifecycle.tell, "test", happened) == 1
    first, second = await store.read_across(rows)
    assert (first.person_id, first.conversation_id, first.place, first.url) == (None, None, 1, URL)
    assert second.environment == "test"
    taken = await store.write_across(claim)
    assert len(taken) == 2, "nobody's events wait for nobody"
    await store.write_across(fail, taken)
    assert [row.status for row in await store.read_across(rows)] == ["failed", "failed"], "and are not told of"
    assert await store.write("test", outbox.send_again, first.id)


async def test_the_end_and_a_failure_stand_behind_each_other(store: Store, template_id: str, ids: CountedIds) -> None:
    await store.write("test", keeping.create, URL, ["conversation.completed", "delivery.failed"], ids)
    visit = await opened(store, template_id, ids)

    def end_twice(tx: Writing) -> None:
        end_conversation(tx, visit.conversation_id, "api")
        end_conversation(tx, visit.conversation_id, "api")

    await store.write("test", end_twice)
    (end,) = await store.read_across(rows)
    assert (end.type, end.person_id, end.conversation_id) == ("lifecycle", visit.person.id, visit.conversation_id)

    def as_output(tx: AcrossWriting) -> None:
        tx.run(deliveries.update().values(type="webhook"))

    await store.write_across(as_output)
    await store.write_across(fail, await store.write_across(claim))
    _, news = await store.read_across(rows)
    assert (news.type, news.place, news.person_id) == ("lifecycle", 2, visit.person.id)
    assert '"event":"delivery.failed"' in news.body
    assert '"error":"target"' in news.body


async def test_secrets_are_sealed_again(store: Store, ids: CountedIds) -> None:
    old, new = os.urandom(32), os.urandom(32)
    before, after = Vault((old,), os.urandom), Vault((old, new), os.urandom)
    for name in ("a", "b"):
        await store.write("test", keep.create, name, f"value of {name}", "", ids, before)
    progress = Progress()
    while not progress.is_over:
        progress = await store.write_across(resealing.step, after, progress)
    assert (progress.sealed, progress.lost) == (2, ())
    alone = Vault((new,), os.urandom)
    found = await store.read_across(lambda tx: tx.all(select(secrets).order_by(secrets.c.name)))
    assert [alone.open(row.sealed, environment="test", id=row.id) for row in found] == ["value of a", "value of b"]
