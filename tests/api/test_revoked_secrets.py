"""What an identity secret proved ends with it: whoever forged tokens with one that got out is out within the moment."""

from typing import Any

import pytest

from tests.api.conftest import Door
from tests.api.test_browser import SESSION
from tests.api.test_devices import Browser, is_over
from tests.api.test_identity_tokens import SECRETS, Backend, new_secret, present


@pytest.fixture
async def leaked(door: Door) -> Backend:
    return await signer(door)


@pytest.fixture
async def newer(door: Door) -> Backend:
    return await signer(door)


async def signer(door: Door) -> Backend:
    made = await new_secret(door, door.secret)
    return Backend(door, made["kid"], made["value"], "HS256")


async def revoke(door: Door, secret: Backend) -> None:
    async with door.client(door.secret) as server:
        assert (await server.delete(f"{SECRETS}/{secret.kid}")).status_code == 200


async def devices(door: Door) -> list[dict[str, Any]]:
    """Those of ada, the first seen first."""
    async with door.client(door.secret) as server:
        (person,) = (await server.get("/v1/persons", params={"external_id": "ada"})).json()["items"]
        found: list[dict[str, Any]] = (await server.get(f"/v1/persons/{person['id']}/devices")).json()["items"]
    return sorted(found, key=lambda each: str(each["created_at"]))


async def test_visits_that_it_let_in_are_over_and_no_others(door: Door, leaked: Backend, newer: Backend) -> None:
    forged = (await present(door, leaked.sign())).json()
    other = (await present(door, newer.sign(newer.claims(sub="bob")))).json()
    async with door.client(door.embed_key) as page:
        claimed = (await page.post(SESSION, json={"external_id": "carol"})).json()
    await revoke(door, leaked)
    assert [await is_over(door, each["token"]) for each in (forged, other, claimed)] == [True, False, False]


async def test_whoever_is_vouched_for_anew_goes_on(door: Door, leaked: Backend, newer: Backend) -> None:
    await present(door, leaked.sign())
    await revoke(door, leaked)
    again = (await present(door, newer.sign())).json()
    assert again["resumption"]["reason"] == "resumed"


async def test_a_talk_that_it_let_rise_is_over_too(door: Door, leaked: Backend) -> None:
    browser = Browser(door, door.embed_key)
    visit = await browser.start(None)
    frame = Browser(door, visit["token"])
    risen = (await frame.post(f"{SESSION}/identify", identity_token=leaked.sign())).json()["visit"]
    await revoke(door, leaked)
    assert await is_over(door, risen["token"])


async def test_a_browser_that_only_it_verified_is_verified_no_more(door: Door, leaked: Backend, newer: Backend) -> None:
    forger, hers = Browser(door, door.embed_key), Browser(door, door.embed_key)
    await forger.start(None, identity_token=leaked.sign())
    door.clock.advance(1)
    await hers.start(None, identity_token=leaked.sign())
    await hers.start(None, identity_token=newer.sign())
    assert [each["verified_at"] is None for each in await devices(door)] == [False, False]
    await revoke(door, leaked)
    assert [each["verified_at"] is None for each in await devices(door)] == [True, False]
    await revoke(door, newer)
    assert [each["verified_at"] is None for each in await devices(door)] == [True, True]


async def test_a_browser_that_her_server_sent_stays_verified(door: Door, leaked: Backend) -> None:
    browser = Browser(door, door.embed_key)
    await browser.start(None, identity_token=leaked.sign())
    async with door.client(door.secret) as server:
        body = {"template_id": door.template_id, "persons": [{"external_id": "ada"}]}
        waiting = (await server.post("/v1/interviews", json=body)).json()
    exchanged = await browser.post(f"{SESSION}/exchange", session_id=waiting["session_id"])
    assert exchanged.status_code == 201, exchanged.text
    await revoke(door, leaked)
    assert [each["verified_at"] is None for each in await devices(door)] == [False]
    assert not await is_over(door, exchanged.json()["token"])
