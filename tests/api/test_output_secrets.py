"""Secrets of outputs over REST: written and never read, in use until no template names them."""

from typing import Any

import httpx2
from sqlalchemy import select

from roxels.actions import manage
from roxels.storage.schema import secrets
from roxels.storage.transaction import Reading, Writing
from tests.api.conftest import TEMPLATE, Door, told


async def create(server: httpx2.AsyncClient, name: str = "crm", value: str = "hush-1") -> dict[str, Any]:
    answer = await server.post("/v1/secrets", json={"name": name, "value": value, "description": "for tickets"})
    assert answer.status_code == 201
    made: dict[str, Any] = answer.json()
    return made


def sealed(tx: Reading) -> str:
    return str(tx.value(select(secrets.c.sealed)))


async def test_a_value_goes_in_and_never_comes_out(door: Door, server: httpx2.AsyncClient) -> None:
    made = await create(server)
    assert (made["id"], made["name"], made["status"]) == (made["secret_id"], "crm", "active")
    first = await door.store.read("test", sealed)
    changed = await server.put(f"/v1/secrets/{made['id']}/value", json={"value": "hush-2"})
    second = await door.store.read("test", sealed)
    answers = [changed, await server.get("/v1/secrets"), await server.get("/v1/secrets/crm")]
    assert all("hush" not in answer.text for answer in answers)
    assert "hush" not in first + second
    assert door.services.sealer.open(second, environment="test", id=made["id"]) == "hush-2"
    assert answers[1].json()["items"][0]["description"] == "for tickets"
    audited = (await server.get("/v1/audit")).json()["items"]
    assert [(each["action"], each["detail"]) for each in audited] == [
        ("secret.changed", {"id": made["id"]}),
        ("secret.created", {"id": made["id"]}),
    ]


async def test_names_are_their_own_and_plain(server: httpx2.AsyncClient) -> None:
    made = await create(server)
    taken = told(await server.post("/v1/secrets", json={"name": "crm", "value": "x"}), 409, "conflict")
    assert taken["field"] == "name"
    await server.post("/v1/secrets", json={"name": "mail", "value": "x"})
    assert told(await server.patch("/v1/secrets/mail", json={"name": "crm"}), 409, "conflict")["field"] == "name"
    await server.delete("/v1/secrets/mail")
    for name in ("", "a b", "{{x}}", "sec_1", "x" * 201):
        told(await server.post("/v1/secrets", json={"name": name, "value": "x"}), 400, "validation_error")
    renamed = await server.patch(f"/v1/secrets/{made['id']}", json={"name": "desk"})
    assert renamed.json()["name"] == "desk"
    told(await server.get("/v1/secrets/crm"), 404, "not_found")


async def test_what_a_template_names_stays(server: httpx2.AsyncClient) -> None:
    made = await create(server)
    config = {"url": "https://x.example.com", "headers": {"Authorization": "Bearer {{secret:crm}}"}}
    raw = TEMPLATE | {"settings": {"outputs": [{"type": "webhook", "config": config}]}}
    template = (await server.post("/v1/templates", json=raw)).json()
    refusal = told(await server.delete(f"/v1/secrets/{made['id']}"), 409, "conflict")
    assert template["id"] in refusal["message"]
    told(await server.patch("/v1/secrets/crm", json={"name": "desk"}), 409, "conflict")
    free = await create(server, "free")
    assert (await server.delete("/v1/secrets/free")).json()["status"] == "deleted"
    told(await server.get(f"/v1/secrets/{free['id']}"), 404, "not_found")


async def test_a_wall_stands_between_the_environments(door: Door, server: httpx2.AsyncClient) -> None:
    made = await create(server)

    def work(tx: Writing) -> str:
        return manage.create_api_key(tx, "live", door.services.ids)[1]

    async with door.client(await door.store.write("live", work)) as live:
        assert (await live.get("/v1/secrets")).json()["items"] == []
        told(await live.put(f"/v1/secrets/{made['id']}/value", json={"value": "x"}), 404, "not_found")
        await create(live)


async def test_a_raw_credential_in_a_template_is_refused_with_the_way_out(server: httpx2.AsyncClient) -> None:
    config = {"url": "https://x.example.com", "headers": {"Authorization": "Bearer abcdefghijklmn"}}
    raw = TEMPLATE | {"settings": {"outputs": [{"type": "webhook", "config": config}]}}
    refusal = told(await server.post("/v1/templates", json=raw), 400, "validation_error")
    assert refusal["field"] == "settings.outputs[0].config.headers.Authorization"
    assert "{{secret:" in refusal["message"]
    assert "abcdefghijklmn" not in refusal["message"]


async def test_all_that_failed_at_one_receiver_goes_out_again(server: httpx2.AsyncClient) -> None:
    answer = await server.post("/v1/deliveries/send", json={"destination": "https://hooks.example.com/any?x=1"})
    assert answer.json() == {"destination": "https://hooks.example.com:443", "count": 0}
    told(await server.post("/v1/deliveries/send", json={"destination": "x"}), 400, "validation_error")
