"""Keys: who they let in, what a page may do with one, secrets shown once, and an end at once."""

import base64
from typing import Any

import httpx2
import pytest

from roxels.storage.database import Database
from roxels.storage.schema import api_keys, webhook_secrets
from roxels.storage.transaction import Reading
from tests.api.conftest import Door, make, told


async def test_embed_keys_of_a_template(server: httpx2.AsyncClient, door: Door) -> None:
    path = f"/v1/embed/keys/{door.template_id}"
    made = await server.post(path, json={"allowed_domains": ["App.Example.com", "*.example.com"]})
    assert made.status_code == 201
    key = made.json()
    assert key["key"].startswith("rk_test_")
    assert (key["environment"], key["revoked_at"]) == ("test", None)
    assert key["allowed_domains"] == ["app.example.com", "*.example.com"]
    listed = (await server.get(path)).json()["items"]
    assert {each["id"] for each in listed} >= {key["id"]}
    refusal = await server.post(path, json={"allowed_domains": ["https://x.test"]})
    assert told(refusal, 400, "validation_error")["field"] == "allowed_domains[0]"
    told(await server.post("/v1/embed/keys/tpl_nope", json={}), 404, "not_found")
    told(await server.get("/v1/embed/keys/tpl_nope"), 404, "not_found")


async def test_a_live_key_names_its_domains_and_is_warned_of(door: Door) -> None:
    template_id, secret, _ = await make(door, "live")
    async with door.client(secret) as live:
        path = f"/v1/embed/keys/{template_id}"
        assert told(await live.post(path, json={}), 400, "validation_error")["field"] == "allowed_domains"
        key = (await live.post(path, json={"allowed_domains": ["app.example.com"]})).json()
    assert key["key"].startswith("rk_live_")
    assert "does not authenticate" in key["warnings"][0]


async def test_revoking_works_at_the_next_request(door: Door, server: httpx2.AsyncClient) -> None:
    key = (await server.post(f"/v1/embed/keys/{door.template_id}", json={})).json()
    async with door.client(key["key"]) as page:
        assert (await page.post("/v1/embed/sessions", json={})).status_code == 201
        revoked = (await server.delete(f"/v1/embed/keys/{key['id']}")).json()
        assert revoked["revoked_at"]
        told(await page.post("/v1/embed/sessions", json={}), 401, "unauthorized")
        told(await page.get("/v1/embed/launcher", params={"key": key["key"]}), 401, "unauthorized")
    assert (await server.delete(f"/v1/embed/keys/{key['id']}")).json() == revoked
    told(await server.delete("/v1/embed/keys/ek_nope"), 404, "not_found")


@pytest.mark.parametrize("path", ["/v1/keys", "/v1/webhook-secrets"])
async def test_a_value_is_shown_once(server: httpx2.AsyncClient, path: str) -> None:
    made = await server.post(path, json={"name": "mine"})
    assert made.status_code == 201
    secret = made.json()
    assert set(secret) == {"id", "name", "value", "created_at", "revoked_at"}
    listed = (await server.get(path)).json()["items"]
    assert secret["id"] in {each["id"] for each in listed}
    assert all("value" not in each for each in listed)
    revoked = (await server.delete(f"{path}/{secret['id']}")).json()
    assert revoked["revoked_at"]
    assert (await server.delete(f"{path}/{secret['id']}")).json() == revoked
    told(await server.delete(f"{path}/nope"), 404, "not_found")


async def test_secrets_are_nowhere_kept_in_the_clear(door: Door, server: httpx2.AsyncClient) -> None:
    key = (await server.post("/v1/keys", json={"name": "k"}, headers={"idempotency-key": "one"})).json()
    secret = (await server.post("/v1/webhook-secrets", json={"name": "w"})).json()
    await door.store.run(lambda: None)
    assert isinstance(door.store.database, Database)
    files = b"".join(path.read_bytes() for path in door.store.database.path.parent.glob("roxels.db*"))
    assert key["id"].encode() in files
    assert key["value"].encode() not in files
    assert secret["value"].encode() not in files
    assert secret["value"].removeprefix("whsec_").encode() not in files


async def test_webhook_secrets_open_with_the_vault(door: Door, server: httpx2.AsyncClient) -> None:
    secret = (await server.post("/v1/webhook-secrets", json={})).json()

    def sealed(tx: Reading) -> str:
        value: str = tx.value(webhook_secrets.select().with_only_columns(webhook_secrets.c.sealed))
        return value

    opened = door.services.sealer.open(await door.store.read("test", sealed), environment="test", id=secret["id"])
    assert opened == secret["value"]
    assert len(base64.b64decode(opened.removeprefix("whsec_"))) == 32


async def test_a_new_key_works_and_a_revoked_one_does_not(door: Door, server: httpx2.AsyncClient) -> None:
    made = (await server.post("/v1/keys", json={"name": "second"})).json()
    assert made["value"].startswith("sk_test_")
    async with door.client(made["value"]) as second:
        assert (await second.get("/v1/persons")).status_code == 200
        await second.delete(f"/v1/keys/{made['id']}")
        told(await second.get("/v1/persons"), 401, "unauthorized")

    def rows(tx: Reading) -> int:
        return len(tx.all(api_keys.select()))

    assert await door.count(rows) == 2


BAD = ["", "Bearer", "Bearer ", "Basic abc", "Bearer sk_test_nope", "Bearer rk_test_nope", "Bearer é", "sk_test_nope"]


@pytest.mark.parametrize("header", BAD)
async def test_all_bad_keys_get_one_answer(door: Door, header: str) -> None:
    answers = []
    async with door.client() as client:
        for method, path in [("GET", "/v1/persons"), ("POST", "/v1/embed/sessions"), ("POST", "/v1/interviews")]:
            headers = [(b"authorization", header.encode("latin-1"))]
            answers.append(await client.request(method, path, headers=headers, json={}))
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1
    assert all(answer.headers["www-authenticate"] == "Bearer" for answer in answers)


async def test_keys_of_the_other_kind_are_forbidden(
    door: Door, server: httpx2.AsyncClient, browser: httpx2.AsyncClient
) -> None:
    told(await server.post("/v1/embed/sessions", json={}), 403, "forbidden")
    described: dict[str, Any] = (await server.get("/openapi.json")).json()["paths"]
    for path, methods in described.items():
        for method, operation in methods.items():
            if operation.get("security") == [{"secret_key": []}]:
                answer = await browser.request(method, path.replace("{number}", "1"), json={})
                told(answer, 403, "forbidden")
