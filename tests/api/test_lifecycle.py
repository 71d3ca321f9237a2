"""Lifecycle webhooks: kept over REST, told what happens in the same transaction, silent about whom was erased."""

import json
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from sqlalchemy import select

from roxels.actions import finish
from roxels.domain.events import SessionJoined
from roxels.domain.lifecycle import EVENTS
from roxels.storage import outbox
from roxels.storage.outbox import ClaimRequest, Settled
from roxels.storage.schema import deliveries
from roxels.storage.transaction import Across, AcrossWriting
from tests.api.conftest import Door, told
from tests.api.test_deliveries import owe

HOOK = {"url": "https://ops.example.com/roxels"}
ABANDONED_AFTER = 721 * 3600


async def created(server: httpx2.AsyncClient, **more: Any) -> dict[str, Any]:
    answer = await server.post("/v1/lifecycle-webhooks", json=HOOK | more)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def opened(door: Door, server: httpx2.AsyncClient, external_id: str = "ada") -> dict[str, Any]:
    body = {"template_id": door.template_id, "persons": [{"external_id": external_id}]}
    made: dict[str, Any] = (await server.post("/v1/interviews", json=body)).json()
    return made


def _owed(tx: Across) -> list[tuple[Any, dict[str, Any]]]:
    query = (
        select(deliveries).where(deliveries.c.type == "lifecycle").order_by(deliveries.c.created_at, deliveries.c.place)
    )
    return [(row, json.loads(row.body)) for row in tx.all(query)]


async def test_it_is_kept_changed_and_removed(door: Door, server: httpx2.AsyncClient) -> None:
    made = await created(server)
    assert made["events"] == list(EVENTS)
    path = f"/v1/lifecycle-webhooks/{made['id']}"
    changed = (await server.patch(path, json={"events": ["person.erased", "person.erased"]})).json()
    assert (changed["url"], changed["events"]) == (HOOK["url"], ["person.erased"])
    assert (await server.get(path)).json() == changed
    assert (await server.get("/v1/lifecycle-webhooks")).json()["items"] == [changed]
    async with door.client("sk_live_none") as stranger:
        told(await stranger.get(path), 401, "unauthorized")
    assert (await server.delete(path)).json()["id"] == made["id"]
    told(await server.get(path), 404, "not_found")
    told(await server.patch(path, json={}), 404, "not_found")
    audited = (await server.get("/v1/audit")).json()["items"]
    assert [each["action"] for each in audited][:3] == [
        "lifecycle_webhook.removed",
        "lifecycle_webhook.changed",
        "lifecycle_webhook.created",
    ]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"url": "ftp://x.example.com"}, "url"),
        ({"url": "https://user:pass@x.example.com"}, "url"),
        ({"url": "https://x.example.com/{{external_id}}"}, "url"),
        ({"url": "https://x.example.com/?k=sk_test_1"}, "url"),
        ({"url": "https://x.example.com", "events": []}, "events"),
        ({"url": "https://x.example.com", "events": ["person.born"]}, "events[0]"),
    ],
)
async def test_what_cannot_be_meant_is_refused(server: httpx2.AsyncClient, body: dict[str, Any], field: str) -> None:
    assert told(await server.post("/v1/lifecycle-webhooks", json=body), 400, "validation_error")["field"] == field


async def test_there_are_not_endlessly_many(server: httpx2.AsyncClient) -> None:
    for _ in range(20):
        await created(server)
    told(await server.post("/v1/lifecycle-webhooks", json=HOOK), 409, "conflict")


async def test_the_end_of_a_conversation_is_told_to_each_that_asked(door: Door, server: httpx2.AsyncClient) -> None:
    one, other = await created(server), await created(server, events=["conversation.completed"])
    await created(server, events=["person.erased"])
    made = await opened(door, server)
    await server.post(f"/v1/interviews/{made['id']}/end")
    await server.post(f"/v1/interviews/{made['id']}/end")
    owed = await door.store.read_across(_owed)
    assert len(owed) == 2
    for row, body in owed:
        assert (body["event"], body["interview_id"]) == ("conversation.completed", made["id"])
        assert (body["external_id"], body["status"], body["ended_by"]) == ("ada", "completed", "api")
        assert (body["identity"], body["environment"]) == ({"proof": "verified"}, "test")
        assert row.commit_id == body["event_id"]
        assert row.url == HOOK["url"]
    assert len({row.id for row, _ in owed}) == 2
    assert one["id"] != other["id"]
    shown = (await server.get(f"/v1/deliveries?interview_id={made['id']}")).json()["items"]
    assert {each["type"] for each in shown} == {"lifecycle"}
    assert (await server.get("/v1/deliveries?type=lifecycle")).json()["items"] == shown
    assert (await server.get("/v1/deliveries?type=webhook")).json()["items"] == []
    told(await server.get("/v1/deliveries?type=none"), 400, "validation_error")


async def test_nobody_came_back(door: Door, server: httpx2.AsyncClient) -> None:
    await created(server)
    made = await opened(door, server)
    await door.record(made["id"], SessionJoined(), session_id=made["session_id"])
    door.clock.advance(ABANDONED_AFTER)
    await door.store.write_across(finish.overtake, made["id"], lambda _: False)
    ((_, body),) = await door.store.read_across(_owed)
    assert (body["event"], body["ended_by"]) == ("conversation.abandoned", "abandoned")


def _fail(tx: AcrossWriting) -> list[str]:
    """One attempt at all that is due, refused."""
    wish = ClaimRequest(claim="p.1", life=timedelta(seconds=9), limit=9, per_destination=9)
    taken = outbox.exchange(tx, [], [], wish).taken
    settled = [
        Settled(
            delivery=each,
            status="failed",
            due_at=tx.now,
            at=tx.now,
            status_code=404,
            duration_ms=1,
            error=None,
            response_excerpt="",
        )
        for each in taken
    ]
    outbox.exchange(tx, settled, [], None)
    return [each.id for each in taken]


async def test_a_failed_delivery_is_told_once_each_time_and_no_loop_begins(
    door: Door, server: httpx2.AsyncClient
) -> None:
    await created(server)
    made = await owe(door, server, status="due")
    delivery_id = f"del_{made['id']}"
    await door.store.write_across(_fail)
    ((row, body),) = await door.store.read_across(_owed)
    assert (body["event"], body["delivery_id"], body["attempts"]) == ("delivery.failed", delivery_id, 2)
    assert (body["status_code"], body["external_id"]) == (404, "ada")
    assert (row.conversation_id, body["interview_id"]) == (made["id"], made["id"])
    assert "hunter2" not in row.body
    assert await door.store.write_across(_fail) == [row.id], "the news itself fails"
    assert len(await door.store.read_across(_owed)) == 1
    await server.post(f"/v1/deliveries/{delivery_id}/send")
    await door.store.write_across(_fail)
    assert [each["attempts"] for _, each in await door.store.read_across(_owed)] == [2, 3]


async def test_an_erasure_is_told_without_whom_and_takes_along_what_named_her(
    door: Door, server: httpx2.AsyncClient
) -> None:
    await created(server)
    made = await opened(door, server, "lovelace-7")
    await server.post(f"/v1/interviews/{made['id']}/end")
    assert len(await door.store.read_across(_owed)) == 1
    receipt = (await server.delete("/v1/persons?external_id=lovelace-7")).json()["receipt"]
    ((row, body),) = await door.store.read_across(_owed)
    assert body == {
        "event": "person.erased",
        "event_id": row.commit_id,
        "created_at": body["created_at"],
        "environment": "test",
        "receipt_id": receipt["id"],
        "subject": receipt["subject"],
    }
    assert (row.person_id, row.conversation_id) == (None, None)
    assert made["person"]["id"] not in row.body
    shown = (await server.get(f"/v1/deliveries/{row.id}")).json()
    assert (shown["interview_id"], shown["status"]) == (None, "due")


async def test_a_conversation_alone_that_is_erased_is_no_person(door: Door, server: httpx2.AsyncClient) -> None:
    await created(server)
    made = await opened(door, server)
    await server.delete(f"/v1/interviews/{made['id']}")
    assert await door.store.read_across(_owed) == []
