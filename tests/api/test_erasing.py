"""Erasing over REST: both identifiers, the receipt, its repeat, and what is left to see."""

import asyncio
import base64
from pathlib import Path

import httpx2
import msgspec

from roxels.domain.ledger import judge
from roxels.domain.receipts import Receipt, broken
from roxels.storage.vault import Keyring, verifiers
from tests.api.conftest import Door, make, told


async def opened(door: Door, server: httpx2.AsyncClient, external_id: str = "ada") -> httpx2.Response:
    """A conversation of somebody."""
    body = {"template_id": door.template_id, "persons": [{"external_id": external_id}], "resume": False}
    return await server.post("/v1/interviews", json=body)


async def test_a_conversation_is_deleted(door: Door, server: httpx2.AsyncClient) -> None:
    first, other = (await opened(door, server)).json(), (await opened(door, server)).json()
    answer = await server.delete(f"/v1/interviews/{first['id']}")
    assert answer.status_code == 200
    body = answer.json()
    assert (body["deleted"], body["id"]) == (True, first["id"])
    assert set(body["receipt"]) == set(Receipt.__struct_fields__)
    assert body["receipt"]["counts"]["conversations"] == 1
    told(await server.get(f"/v1/interviews/{first['id']}"), 404, "not_found")
    told(await server.get(f"/v1/interviews/{first['id']}/events"), 404, "not_found")
    listed = (await server.get("/v1/interviews?external_id=ada")).json()["items"]
    assert [each["id"] for each in listed] == [other["id"]]
    assert listed[0]["persons"][0]["conversation_count"] == 1
    again = await server.delete(f"/v1/conversations/{first['id']}")
    assert again.json() == body


async def test_a_person_is_deleted_by_either_identifier(door: Door, server: httpx2.AsyncClient) -> None:
    ada, bob = (await opened(door, server)).json(), (await opened(door, server, "bob")).json()
    by_id = (await server.delete(f"/v1/persons/{ada['person']['id']}")).json()
    by_name = (await server.delete("/v1/persons", params={"external_id": "bob"})).json()
    assert (by_id["id"], by_name["id"]) == (ada["person"]["id"], "bob")
    assert by_id["receipt"]["counts"]["persons"] == by_name["receipt"]["counts"]["persons"] == 1
    for gone in (ada, bob):
        told(await server.get(f"/v1/persons/{gone['person']['id']}"), 404, "not_found")
        told(await server.get(f"/v1/interviews/{gone['id']}"), 404, "not_found")
    assert (await server.get("/v1/persons")).json()["items"] == []
    repeated = (await server.delete("/v1/persons", params={"external_id": "ada"})).json()
    assert repeated == {**by_id, "id": "ada"}
    assert (await opened(door, server)).json()["person"]["id"] != ada["person"]["id"]


async def test_what_is_not_there(door: Door, server: httpx2.AsyncClient) -> None:
    for address in ("/v1/interviews/iv_x", "/v1/persons/person_x", "/v1/persons?external_id=x"):
        told(await server.delete(address), 404, "not_found")
    assert told(await server.delete("/v1/persons"), 400, "validation_error")["field"] == "external_id"
    for wrong in ("", "undefined", "x" * 256):
        refusal = await server.delete("/v1/persons", params={"external_id": wrong})
        assert told(refusal, 400, "validation_error")["field"] == "external_id"


async def test_after_a_day_it_is_as_if_it_had_never_been(door: Door, server: httpx2.AsyncClient) -> None:
    first = (await opened(door, server)).json()
    await server.delete(f"/v1/interviews/{first['id']}")
    door.clock.advance(24 * 60 * 60 + 1)
    told(await server.delete(f"/v1/interviews/{first['id']}"), 404, "not_found")


async def test_only_a_secret_key_of_the_same_environment_erases(
    door: Door, server: httpx2.AsyncClient, browser: httpx2.AsyncClient, stranger: httpx2.AsyncClient
) -> None:
    first = (await opened(door, server)).json()
    _, live, _ = await make(door, "live")
    addresses = [
        f"/v1/interviews/{first['id']}",
        f"/v1/persons/{first['person']['id']}",
        "/v1/persons?external_id=ada",
    ]
    async with door.client(live) as other:
        for address in addresses:
            told(await other.delete(address), 404, "not_found")
            told(await browser.delete(address), 403, "forbidden")
            told(await stranger.delete(address), 401, "unauthorized")
        await server.delete(addresses[0])
        assert (await other.get("/v1/receipts")).json()["items"] == []
    told(await browser.get("/v1/receipts"), 403, "forbidden")


async def test_receipts_are_listed_as_they_were_signed(door: Door, server: httpx2.AsyncClient, tmp_path: Path) -> None:
    given = []
    for name in ("ada", "bob", "cleo"):
        await opened(door, server, name)
        given.append((await server.delete("/v1/persons", params={"external_id": name})).json()["receipt"])
    page = (await server.get("/v1/receipts?limit=2")).json()
    rest = (await server.get("/v1/receipts", params={"limit": 2, "cursor": page["next_cursor"]})).json()
    assert (page["has_more"], rest["has_more"], rest["next_cursor"]) == (True, False, None)
    assert page["items"] + rest["items"] == given[::-1]
    keyring = Keyring.load(tmp_path / "keys", lambda _: b"")
    chain = [msgspec.convert(each, Receipt) for each in given]
    assert broken(chain, verifiers(keyring.signer.public_keys)) is None
    assert told(await server.get("/v1/receipts?cursor=x"), 400, "validation_error")["field"] == "cursor"


async def test_receipts_can_be_checked_by_anybody_with_the_public_key(
    door: Door, server: httpx2.AsyncClient, stranger: httpx2.AsyncClient
) -> None:
    ada, bob = (await opened(door, server)).json(), (await opened(door, server, "bob")).json()
    for each in (ada, bob):
        await server.delete(f"/v1/persons/{each['person']['id']}")
    told_keys = (await stranger.get("/v1/receipts/key")).json()
    public = {each["key_id"]: base64.b64decode(each["public_key"]) for each in told_keys["keys"]}
    assert told_keys["current"] in public
    page = await server.get("/v1/receipts")
    verdict = judge(page.content, verifiers(public))
    assert (verdict.valid, verdict.count) == (True, 2)
    one = page.json()["items"][0]
    assert (await server.get(f"/v1/receipts/{one['id']}")).json() == one
    told(await server.get("/v1/receipts/rcpt_x"), 404, "not_found")
    about = (await server.get("/v1/receipts", params={"about": bob["person"]["id"]})).json()["items"]
    assert about == [one]
    assert (await server.get("/v1/receipts?about=person_x")).json()["items"] == []


async def test_readers_hold_it_up(door: Door, server: httpx2.AsyncClient) -> None:
    first = (await opened(door, server)).json()
    reader = door.store.database.readers.connect()
    reader.exec_driver_sql("SELECT count(*) FROM persons")
    asked = asyncio.ensure_future(server.delete(f"/v1/interviews/{first['id']}"))
    async with asyncio.timeout(20):
        while not asked.done():
            door.clock.advance(0.05)
            await asyncio.wait({asked}, timeout=0.005)
    assert (asked.result().status_code, asked.result().json()) == (202, {"status": "sweeping", "id": first["id"]})
    told(await server.get(f"/v1/interviews/{first['id']}"), 404, "not_found")
    reader.close()
    settled = asyncio.ensure_future(door.services.eraser.settle())
    async with asyncio.timeout(20):
        while not settled.done():
            door.clock.advance(0.05)
            await asyncio.wait({settled}, timeout=0.005)
    assert (await server.delete(f"/v1/interviews/{first['id']}")).json()["deleted"] is True


async def test_what_an_idempotent_answer_kept_goes_too(door: Door, server: httpx2.AsyncClient) -> None:
    body = {"template_id": door.template_id, "persons": [{"external_id": "ada"}]}
    headers = {"idempotency-key": "open-ada"}
    first = await server.post("/v1/interviews", json=body, headers=headers)
    erased = (await server.delete("/v1/persons", params={"external_id": "ada"})).json()
    assert erased["receipt"]["counts"]["idempotency"] == 1
    second = await server.post("/v1/interviews", json=body, headers=headers)
    assert second.status_code == 201
    assert second.json()["person"]["id"] != first.json()["person"]["id"]
