"""What is too old goes, by the rule of its environment, and never by itself."""

import asyncio
from typing import Any

import httpx2
import pytest
from sqlalchemy import func, insert, select

from roxels.actions.retention import Keeper
from roxels.storage import schema
from tests.api.conftest import Door, make, told

DAY = 24 * 60 * 60


def keeper(door: Door) -> Keeper:
    services = door.services
    return Keeper(door.store, door.clock, services.eraser, services.jobs)


async def opened(door: Door, server: httpx2.AsyncClient, external_id: str) -> dict[str, Any]:
    """A conversation of somebody."""
    body = {"template_id": door.template_id, "persons": [{"external_id": external_id}], "resume": False}
    found: dict[str, Any] = (await server.post("/v1/interviews", json=body)).json()
    return found


async def owe(door: Door, opened: dict[str, Any], id: str, status: str) -> None:
    """A delivery of that conversation."""
    row = {
        "id": id,
        "environment": "test",
        "conversation_id": opened["id"],
        "person_id": opened["person"]["id"],
        "goal_id": "company",
        "commit_id": "commit_1",
        "revision": 1,
        "type": "webhook",
        "url": "https://example.com/hook",
        "destination": "https://example.com:443",
        "place": int(id[-1]),
        "body": "{}",
        "status": status,
        "due_at": door.clock.now(),
        "tries": 1,
        "created_at": door.clock.now(),
    }
    await door.store.write("test", lambda tx: tx.run(insert(schema.deliveries).values(row)))
    attempt = {"delivery_id": id, "n": 1, "at": door.clock.now(), "duration_ms": 1}
    await door.store.write("test", lambda tx: tx.run(insert(schema.attempts).values(attempt)))


async def test_by_itself_everything_is_kept(door: Door, server: httpx2.AsyncClient) -> None:
    await opened(door, server, "ada")
    rule = (await server.get("/v1/retention")).json()
    assert rule == {
        "transcripts_days": None,
        "deliveries_days": None,
        "audit_days": None,
        "updated_at": None,
        "would_remove": {"transcripts": 0, "deliveries": 0, "audit": 0},
    }
    door.clock.advance(3650 * DAY)
    await keeper(door).keep()
    assert len((await server.get("/v1/interviews")).json()["items"]) == 1


async def test_old_conversations_go_with_a_receipt_and_new_ones_stay(door: Door, server: httpx2.AsyncClient) -> None:
    old = [await opened(door, server, name) for name in ("ada", "bob")]
    door.clock.advance(31 * DAY)
    new = await opened(door, server, "ada")
    seen = (await server.post("/v1/retention/preview", json={"transcripts_days": 30})).json()
    assert seen["would_remove"]["transcripts"] == 2
    await keeper(door).keep()
    assert len((await server.get("/v1/interviews")).json()["items"]) == 3, "to look is not to do"
    kept = (await server.put("/v1/retention", json={"transcripts_days": 30})).json()
    assert (kept["transcripts_days"], kept["would_remove"]["transcripts"]) == (30, 2)
    await keeper(door).keep()
    assert [each["id"] for each in (await server.get("/v1/interviews")).json()["items"]] == [new["id"]]
    receipts = (await server.get("/v1/receipts")).json()["items"]
    assert [receipt["reason"] for receipt in receipts] == ["retention"] * 2
    about = [(await server.get("/v1/receipts", params={"about": each["id"]})).json()["items"] for each in old]
    assert [len(each) for each in about] == [1, 1]
    log = (await server.get("/v1/audit?action=retention.applied")).json()["items"]
    assert [entry["detail"] for entry in log] == [{"transcripts": 2, "deliveries": 0, "audit": 0}]
    assert (await server.get("/v1/persons")).json()["items"]


async def test_settled_deliveries_go_and_owed_ones_stay(door: Door, server: httpx2.AsyncClient) -> None:
    ada = await opened(door, server, "ada")
    for id, status in (("del_1", "delivered"), ("del_2", "failed"), ("del_3", "due"), ("del_4", "waiting")):
        await owe(door, ada, id, status)
    door.clock.advance(8 * DAY)
    await owe(door, ada, "del_5", "delivered")
    kept = (await server.put("/v1/retention", json={"deliveries_days": 7})).json()
    assert kept["would_remove"]["deliveries"] == 2
    await keeper(door).keep()
    left = {each["id"] for each in (await server.get("/v1/deliveries")).json()["items"]}
    assert left == {"del_3", "del_4", "del_5"}
    attempts = await door.store.read("test", lambda tx: tx.value(select(func.count()).select_from(schema.attempts)))
    assert attempts == 3


async def test_old_lines_of_the_audit_log_go(door: Door, server: httpx2.AsyncClient) -> None:
    await server.post("/v1/keys", json={})
    door.clock.advance(91 * DAY)
    await server.put("/v1/retention", json={"audit_days": 90})
    await keeper(door).keep()
    log = (await server.get("/v1/audit")).json()["items"]
    assert [entry["action"] for entry in log] == ["retention.applied", "retention.changed"]


async def test_each_environment_has_its_own(door: Door, server: httpx2.AsyncClient) -> None:
    await opened(door, server, "ada")
    door.clock.advance(31 * DAY)
    _, live, _ = await make(door, "live")
    async with door.client(live) as other:
        assert (await other.put("/v1/retention", json={"transcripts_days": 1})).json()["would_remove"] == {
            "transcripts": 0,
            "deliveries": 0,
            "audit": 0,
        }
    await keeper(door).keep()
    assert len((await server.get("/v1/interviews")).json()["items"]) == 1


async def test_it_runs_by_itself(door: Door, server: httpx2.AsyncClient) -> None:
    await opened(door, server, "ada")
    door.clock.advance(31 * DAY)
    await server.put("/v1/retention", json={"transcripts_days": 30})
    running = asyncio.create_task(keeper(door).run())
    async with asyncio.timeout(20):
        while (await server.get("/v1/interviews")).json()["items"]:
            door.clock.advance(60)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


@pytest.mark.parametrize("body", [{"transcripts_days": 0}, {"audit_days": -1}, {"deliveries_days": 1.5}, {"x": 1}])
async def test_what_is_no_rule(server: httpx2.AsyncClient, browser: httpx2.AsyncClient, body: Any) -> None:
    told(await server.put("/v1/retention", json=body), 400, "validation_error")
    told(await browser.put("/v1/retention", json={}), 403, "forbidden")
