"""Deliveries over REST: seen with every attempt, and sent again."""

from typing import Any

import httpx2

from roxels.storage.schema import attempts, deliveries
from roxels.storage.transaction import Writing
from tests.api.conftest import Door, told


async def owe(door: Door, server: httpx2.AsyncClient, **more: Any) -> dict[str, Any]:
    """A conversation that owes one delivery, `del_<n>`, which was tried once."""
    body = {"template_id": door.template_id, "persons": [{"external_id": "ada"}], "resume": False}
    opened: dict[str, Any] = (await server.post("/v1/interviews", json=body)).json()

    def work(tx: Writing) -> None:
        row = {
            "id": f"del_{opened['id']}",
            "environment": "test",
            "conversation_id": opened["id"],
            "person_id": opened["person"]["id"],
            "goal_id": "company",
            "commit_id": "commit_1",
            "revision": 1,
            "type": "webhook",
            "url": "https://ada:hunter2@hooks.example.com/x?y=1",
            "destination": "https://hooks.example.com:443",
            "place": 1,
            "body": "{}",
            "status": "failed",
            "due_at": tx.now,
            "claimed_by": None,
            "tries": 1,
            "created_at": tx.now,
            **more,
        }
        tx.run(deliveries.insert().values(row))
        tried = {"delivery_id": row["id"], "n": 1, "at": tx.now, "status_code": 500, "duration_ms": 12}
        tx.run(attempts.insert().values(tried | {"error": None, "response_excerpt": "no"}))

    await door.store.write("test", work)
    return opened


async def test_a_delivery_is_shown_with_its_attempts_and_without_credentials(
    door: Door, server: httpx2.AsyncClient
) -> None:
    opened = await owe(door, server)
    shown = (await server.get(f"/v1/deliveries/del_{opened['id']}")).json()
    assert shown["url"] == "https://***@hooks.example.com/x?y=1"
    assert (shown["status"], shown["next_attempt_at"]) == ("failed", None)
    assert [(each["n"], each["status_code"], each["response_excerpt"]) for each in shown["attempts"]] == [
        (1, 500, "no")
    ]
    assert shown["interview_id"] == opened["id"]
    assert shown.pop("request") == {
        "method": "POST",
        "url": shown["url"],
        "headers": {"Content-Type": "application/json"},
        "body": "{}",
    }
    whole = (await server.get(f"/v1/interviews/{opened['id']}")).json()
    assert whole["outputs"]["webhooks"] == [shown]


async def test_lists_of_deliveries(door: Door, server: httpx2.AsyncClient) -> None:
    first, second = await owe(door, server), await owe(door, server, status="delivered")

    async def ids(query: str) -> list[str]:
        return [item["interview_id"] for item in (await server.get(f"/v1/deliveries?{query}")).json()["items"]]

    assert sorted(await ids("")) == sorted([first["id"], second["id"]])
    assert await ids("status=failed") == [first["id"]]
    assert await ids(f"interview_id={second['id']}") == [second["id"]]
    told(await server.get("/v1/deliveries?status=nope"), 400, "validation_error")


async def test_sending_again_makes_it_due_now(door: Door, server: httpx2.AsyncClient) -> None:
    opened = await owe(door, server)
    door.clock.advance(60)
    sent = (await server.post(f"/v1/deliveries/del_{opened['id']}/send")).json()
    assert (sent["status"], sent["next_attempt_at"]) == ("due", "2026-03-02T09:01:00Z")
    assert len(sent["attempts"]) == 1
    told(await server.post("/v1/deliveries/del_nope/send"), 404, "not_found")


async def test_what_is_under_way_is_not_sent_again(door: Door, server: httpx2.AsyncClient) -> None:
    claimed = await owe(door, server, status="due", claimed_by="worker", due_at=door.clock.now().replace(hour=10))
    told(await server.post(f"/v1/deliveries/del_{claimed['id']}/send"), 409, "conflict")
