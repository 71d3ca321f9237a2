"""The audit log over REST: what is noted, by whom, about whom without saying who; filters, and the whole of it."""

import json
from typing import Any

import httpx2

from roxels.domain.receipts import subject_of
from tests.api.conftest import Door, make, told
from tests.api.test_devices import Browser
from tests.api.test_identity_tokens import Backend, present


async def listed(server: httpx2.AsyncClient, **wanted: str) -> list[dict[str, Any]]:
    """The log, newest first."""
    items: list[dict[str, Any]] = (await server.get("/v1/audit", params=wanted)).json()["items"]
    return items


async def opened(door: Door, server: httpx2.AsyncClient, external_id: str = "ada") -> dict[str, Any]:
    """A conversation of somebody."""
    body = {"template_id": door.template_id, "persons": [{"external_id": external_id}]}
    found: dict[str, Any] = (await server.post("/v1/interviews", json=body)).json()
    return found


async def test_what_a_key_does_is_noted(door: Door, server: httpx2.AsyncClient) -> None:
    ada = await opened(door, server)
    made = (await server.post("/v1/keys", json={"name": "one more"})).json()
    await server.delete(f"/v1/keys/{made['id']}")
    await server.post("/v1/webhook-secrets", json={"name": "x"})
    await server.post(f"/v1/embed/keys/{door.template_id}", json={})
    await server.post(f"/v1/interviews/{ada['id']}/sessions")
    await server.post(f"/v1/persons/{ada['person']['id']}/export")
    await door.services.jobs.settle()
    receipt = (await server.delete("/v1/persons?external_id=ada")).json()["receipt"]
    log = await listed(server)
    assert [entry["action"] for entry in log] == [
        "erase.begun",
        "export.asked",
        "identity.link_opened",
        "embed_key.created",
        "webhook_secret.created",
        "key.revoked",
        "key.created",
    ]
    assert {entry["actor"]["kind"] for entry in log} == {"key"}
    assert len({entry["actor"]["id"] for entry in log}) == 1
    assert log[0]["detail"] == {"receipt_id": receipt["id"], "reason": "api"}
    assert log[0]["subject"] == log[1]["subject"] == receipt["subject"]
    assert log[-1]["detail"] == {"id": made["id"]}


async def test_nobody_is_named_and_everybody_is_found(door: Door, server: httpx2.AsyncClient) -> None:
    ada, bob = await opened(door, server), await opened(door, server, "bob")
    for each in (ada, bob):
        await server.delete(f"/v1/persons/{each['person']['id']}")
    whole = json.dumps(await listed(server))
    assert not [word for word in ("ada", ada["person"]["id"], ada["id"]) if f'"{word}"' in whole]
    (about,) = await listed(server, about=ada["person"]["id"])
    salt = door.services.audit.salt
    assert about["subject"] == subject_of(salt, "person", ada["person"]["id"])


async def test_a_refused_wish_is_not_noted(door: Door, server: httpx2.AsyncClient) -> None:
    told(await server.delete("/v1/keys/key_x"), 404, "not_found")
    assert await listed(server) == []


async def test_filters_pages_and_the_whole(door: Door, server: httpx2.AsyncClient) -> None:
    for n in range(5):
        await server.post("/v1/keys", json={"name": f"{n}"})
        door.clock.advance(60)
    await server.post("/v1/webhook-secrets", json={})
    assert len(await listed(server, action="key.created")) == 5
    assert len(await listed(server, since="2026-03-02T09:03:00Z")) == 3
    assert len(await listed(server, until="2026-03-02T09:03:00Z")) == 3
    actor = (await listed(server))[0]["actor"]["id"]
    assert len(await listed(server, actor_id=actor)) == 6
    assert await listed(server, actor_id="key_x") == []
    page = (await server.get("/v1/audit?limit=4")).json()
    rest = (await server.get("/v1/audit", params={"limit": 4, "cursor": page["next_cursor"]})).json()
    whole = await server.get("/v1/audit/export")
    assert whole.headers["content-type"].startswith("application/x-ndjson")
    lines = [json.loads(line) for line in whole.text.splitlines()]
    assert lines == page["items"] + rest["items"]
    assert len((await server.get("/v1/audit/export?action=key.created")).text.splitlines()) == 5


async def test_who_may_read_it(
    door: Door, server: httpx2.AsyncClient, browser: httpx2.AsyncClient, stranger: httpx2.AsyncClient
) -> None:
    await server.post("/v1/keys", json={})
    _, live, _ = await make(door, "live")
    async with door.client(live) as other:
        assert await listed(other) == []
    told(await browser.get("/v1/audit"), 403, "forbidden")
    told(await stranger.get("/v1/audit/export"), 401, "unauthorized")


async def test_tokens_that_do_not_hold_and_browsers_that_are_strangers_now(
    door: Door, server: httpx2.AsyncClient
) -> None:
    made = (await server.post("/v1/identity-secrets", json={"name": "web"})).json()
    backend = Backend(door, made["kid"], made["value"], "HS256")
    once, over = backend.sign(backend.claims(jti="1")), backend.sign(backend.claims(exp=1))
    for token in (once, once, over, backend.sign(kid="idk_nope")):
        await present(door, token)
    refused = await listed(server, action="identity.token_refused")
    assert [entry["detail"]["why"] for entry in refused] == ["secret", "expired", "replayed"]
    assert {entry["actor"]["kind"] for entry in refused} == {"browser"}
    assert {entry["subject"] for entry in refused} == {None}

    browser = Browser(door, door.embed_key)
    visit = await browser.start("ada")
    person = (await server.get("/v1/persons?external_id=ada")).json()["items"][0]
    await browser.post("/v1/embed/sessions/reset", token=visit["token"])
    await browser.post("/v1/embed/sessions/reset")
    (reset,) = await listed(server, action="device.reset")
    assert (reset["actor"], reset["subject"]) == (
        {"kind": "browser", "id": None},
        subject_of(door.services.audit.salt, "person", person["id"]),
    )
    other = Browser(door, door.embed_key)
    await other.start("ada")
    device = (await server.get(f"/v1/persons/{person['id']}/devices")).json()["items"][-1]
    await server.delete(f"/v1/persons/{person['id']}/devices/{device['id']}")
    await server.delete(f"/v1/persons/{person['id']}/devices/dev_none")
    (revoked,) = await listed(server, action="device.revoked")
    assert (revoked["subject"], revoked["detail"]) == (reset["subject"], {})
