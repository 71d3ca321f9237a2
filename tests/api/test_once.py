"""`Idempotency-Key`: sent again, done once."""

import asyncio

import httpx2
import pytest

from roxels.storage import idempotency
from roxels.storage.schema import idempotency as rows
from roxels.storage.transaction import Reading
from tests.api.conftest import Door, told

KEY = {"idempotency-key": "order-7"}


def body(door: Door, external_id: str = "ada") -> dict[str, object]:
    return {"template_id": door.template_id, "persons": [{"external_id": external_id}], "resume": False}


async def test_the_same_request_gets_the_same_answer(door: Door, server: httpx2.AsyncClient) -> None:
    first = await server.post("/v1/interviews", json=body(door), headers=KEY)
    second = await server.post("/v1/interviews", json=body(door), headers=KEY)
    assert (second.status_code, second.json()) == (first.status_code, first.json())
    assert second.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    assert len((await server.get("/v1/interviews")).json()["items"]) == 1


async def test_many_at_once_are_done_once(door: Door, server: httpx2.AsyncClient) -> None:
    posts = [server.post("/v1/interviews", json=body(door), headers=KEY) for _ in range(20)]
    answers = await asyncio.gather(*posts)
    assert len({answer.text for answer in answers}) == 1
    assert len((await server.get("/v1/interviews")).json()["items"]) == 1


async def test_another_request_under_the_same_key_is_a_conflict(door: Door, server: httpx2.AsyncClient) -> None:
    await server.post("/v1/interviews", json=body(door), headers=KEY)
    refused = await server.post("/v1/interviews", json=body(door, "bob"), headers=KEY)
    assert told(refused, 409, "conflict")["field"] == "Idempotency-Key"
    told(await server.post("/v1/persons", json={"external_id": "ada"}, headers=KEY), 409, "conflict")


async def test_a_secret_is_not_told_twice(server: httpx2.AsyncClient) -> None:
    for path in ("/v1/keys", "/v1/webhook-secrets"):
        headers = {"idempotency-key": path}
        made = (await server.post(path, json={}, headers=headers)).json()
        error = told(await server.post(path, json={}, headers=headers), 409, "conflict")
        assert made["id"] in error["message"]
        assert made["value"] not in error["message"]


async def test_a_refused_request_may_be_mended_and_sent_again(door: Door, server: httpx2.AsyncClient) -> None:
    told(await server.post("/v1/interviews", json={"template_id": "tpl_nope"}, headers=KEY), 404, "not_found")
    assert (await server.post("/v1/interviews", json=body(door), headers=KEY)).status_code == 201


async def test_a_day_later_it_is_a_new_request(door: Door, server: httpx2.AsyncClient) -> None:
    first = await server.post("/v1/interviews", json=body(door), headers=KEY)
    door.clock.advance(24 * 3600 + 1)
    second = await server.post("/v1/interviews", json=body(door), headers=KEY)
    assert second.json()["id"] != first.json()["id"]
    door.clock.advance(24 * 3600 + 1)
    assert await door.store.write_across(idempotency.sweep) == 1


async def test_kept_answers_are_sealed_and_name_whom_they_are_about(door: Door, server: httpx2.AsyncClient) -> None:
    opened = (await server.post("/v1/interviews", json=body(door), headers=KEY)).json()

    def kept(tx: Reading) -> tuple[str, str, str]:
        row = tx.first(rows.select())
        assert row is not None
        return row.person_id, row.conversation_id, row.body

    person_id, conversation_id, sealed = await door.store.read("test", kept)
    assert (person_id, conversation_id) == (opened["person"]["id"], opened["id"])
    assert opened["join_url"].partition("#")[2] not in sealed


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb"])
async def test_a_key_is_short_and_printable(server: httpx2.AsyncClient, key: str) -> None:
    answer = await server.post("/v1/persons", json={}, headers={"idempotency-key": key})
    assert told(answer, 400, "validation_error")["field"] == "Idempotency-Key"
