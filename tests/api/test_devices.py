"""The device: a browser that comes back is known, a page around it is not, and revoking ends it at once."""

import re
from typing import Any

import httpx2
import pytest

from roxels.storage import sessions
from tests.api.conftest import ORIGIN, Door, fence, told
from tests.api.test_browser import EXCHANGE, SESSION, open_for, ticket
from tests.api.test_proof import Place, talk_of

HOST = "https://app.example.com"


class Browser:
    """A browser with the frame in a page of that host: it keeps what it is given."""

    def __init__(self, door: Door, key: str = "", **headers: str) -> None:
        self.door = door
        self.headers = {"origin": ORIGIN, "sec-fetch-site": "same-origin"} | headers
        self.key = key
        self.jar: dict[str, str] = {}
        self.given: list[str] = []

    async def post(self, path: str, **body: Any) -> httpx2.Response:
        cookie = "; ".join(f"{name}={value}" for name, value in self.jar.items())
        headers = self.headers | ({"cookie": cookie} if cookie else {})
        async with self.door.client(self.key, **headers) as client:
            answer = await client.post(path, json={"host_origin": HOST, **body})
        for header in answer.headers.get_list("set-cookie"):
            self.given.append(header)
            name, _, value = header.partition(";")[0].partition("=")
            self.jar[name] = value
        return answer

    async def start(self, external_id: str | None = "ada", **body: Any) -> dict[str, Any]:
        answer = await self.post(SESSION, external_id=external_id, **body)
        assert answer.status_code == 201, answer.text
        visit: dict[str, Any] = answer.json()
        return visit

    def another(self, **headers: str) -> "Browser":
        """The same cookies, other headers."""
        other = Browser(self.door, self.key, **headers)
        other.jar = self.jar
        return other


@pytest.fixture
async def strict(door: Door) -> Place:
    return await Place(door, "device").made()


async def test_the_cookie_is_the_frame_s_alone(door: Door) -> None:
    browser = Browser(door, door.embed_key)
    await browser.start()
    (header,) = browser.given
    assert re.fullmatch(
        r"roxels_test_[0-9a-f]{12}=dc_\w+; Max-Age=34560000; Path=/; HttpOnly; Secure; SameSite=None; Partitioned",
        header,
    )
    await browser.start()
    assert len(browser.given) == 1


async def test_a_browser_that_comes_back_is_known(strict: Place) -> None:
    browser = Browser(strict.door, strict.embed_key)
    first, second = await browser.start(), await browser.start()
    assert (first["resumption"]["proof"], first["resumption"]["reason"]) == ("claimed", "proof_needed")
    assert (second["resumption"]["proof"], second["resumption"]["reason"]) == ("device", "resumed")
    assert (await browser.start("bob"))["resumption"]["proof"] == "claimed", "known as ada, not as bob"


async def test_another_browser_is_not(strict: Place) -> None:
    mine, hers = Browser(strict.door, strict.embed_key), Browser(strict.door, strict.embed_key)
    visits = [await browser.start() for browser in (mine, hers, mine, hers)]
    assert [visit["resumption"]["resumed"] for visit in visits] == [False, False, True, True]
    talks = [await talk_of(strict, visit["session_id"]) for visit in visits]
    assert (talks[0], talks[1]) == (talks[2], talks[3])
    assert talks[0] != talks[1]


FOREIGN = [
    {"origin": HOST, "sec-fetch-site": "cross-site"},
    {"origin": HOST, "sec-fetch-site": "same-origin"},
    {"origin": ORIGIN, "sec-fetch-site": "cross-site"},
    {"origin": ORIGIN, "sec-fetch-site": "same-site"},
    {"origin": "null"},
]


@pytest.mark.parametrize("headers", FOREIGN)
async def test_the_cookie_does_not_count_from_elsewhere(door: Door, headers: dict[str, str]) -> None:
    async with door.client(door.secret) as server:
        anywhere = (await server.post(f"/v1/embed/keys/{door.template_id}", json={})).json()["key"]
    browser = Browser(door, anywhere)
    await browser.start()
    host = browser.another(**headers)
    assert (await host.start())["resumption"]["proof"] == "claimed"
    assert host.given == []
    assert (await browser.start())["resumption"]["proof"] == "device"


async def test_one_per_host_and_environment(door: Door) -> None:
    async with door.client(door.secret) as server:
        anywhere = (await server.post(f"/v1/embed/keys/{door.template_id}", json={})).json()["key"]
    browser = Browser(door, anywhere)
    await browser.start()
    there = await browser.start(host_origin="https://evil.test")
    assert there["resumption"]["proof"] == "claimed", "what another site's page does is not this browser's standing"
    assert len(browser.jar) == 2


async def test_plain_http_holds_no_device(door: Door) -> None:
    door.services = door.services.__class__(**{**_fields(door.services), "origin": "http://talk.example.com"})
    door.app.state.services = door.services
    browser = Browser(door, door.embed_key, origin="http://talk.example.com")
    assert (await browser.start())["resumption"]["proof"] == "claimed"
    assert browser.given == []


def _fields(services: Any) -> dict[str, Any]:
    return {name: getattr(services, name) for name in services.__struct_fields__}


# Exchange -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["session", "link"])
async def test_the_same_browser_may_come_again_and_no_other(door: Door, kind: str) -> None:
    opened = await open_for(door)
    mine, hers = Browser(door), Browser(door)
    first = await mine.post(EXCHANGE, **ticket(opened, kind))
    again = await mine.post(EXCHANGE, **ticket(opened, "session"))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["token"] != again.json()["token"]
    told(await hers.post(EXCHANGE, **ticket(opened, kind)), 401, "unauthorized")
    told(await mine.another(origin=HOST).post(EXCHANGE, **ticket(opened, kind)), 401, "unauthorized")
    assert (await mine.post(EXCHANGE, **ticket(opened, kind))).status_code == 201


async def test_a_device_that_was_verified_sees_its_talk(strict: Place) -> None:
    opened = await strict.open("ada")
    browser = Browser(strict.door, strict.embed_key)
    assert (await browser.post(EXCHANGE, session_id=opened["session_id"])).status_code == 201
    visit = await browser.start()
    assert (visit["resumption"]["proof"], visit["resumption"]["resumed"]) == ("device", False)


# Revoking -----------------------------------------------------------------------------------------------------------


async def test_the_operator_revokes_a_device(strict: Place, door: Door) -> None:
    browser = Browser(door, strict.embed_key)
    await browser.start()
    visit = await browser.start()
    async with door.client(strict.secret) as server:
        person = (await server.get("/v1/persons", params={"external_id": "ada"})).json()["items"][0]
        path = f"/v1/persons/{person['id']}/devices"
        (device,) = (await server.get(path)).json()["items"]
        assert (device["host"], device["revoked_at"]) == ("app.example.com", None)
        revoked = (await server.delete(f"{path}/{device['id']}")).json()
        assert revoked["revoked_at"] is not None
        told(await server.delete(f"{path}/dev_nope"), 404, "not_found")
    assert await is_over(door, visit["token"])
    assert (await browser.start())["resumption"]["proof"] == "claimed"
    assert len(browser.given) == 2, "it starts under a new secret"


async def test_reset_ends_what_the_browser_held(strict: Place, door: Door) -> None:
    browser = Browser(door, strict.embed_key)
    await browser.start()
    visit, other = await browser.start(), await browser.start("bob")
    answer = await browser.post("/v1/embed/sessions/reset", token=visit["token"])
    assert answer.json() == {"signed_out": True}
    assert "Max-Age=0" in browser.given[-1]
    assert await is_over(door, visit["token"])
    assert await is_over(door, other["token"])
    browser.jar.clear()
    assert (await browser.start())["resumption"]["proof"] == "claimed"


async def test_signing_out_works_while_the_talk_is_being_erased(strict: Place, door: Door) -> None:
    browser = Browser(door, strict.embed_key)
    visit = await browser.start()
    await fence(door, (await door.store.read_across(_visit, visit["token"])).conversation_id)
    answer = await browser.post("/v1/embed/sessions/reset", token=visit["token"])
    assert answer.json() == {"signed_out": True}
    assert "Max-Age=0" in browser.given[-1]


async def test_a_page_cannot_sign_the_frame_out(strict: Place, door: Door) -> None:
    browser = Browser(door, strict.embed_key)
    visit = await browser.start()
    answer = await browser.another(origin=HOST).post("/v1/embed/sessions/reset")
    assert answer.json() == {"signed_out": True}
    assert not await is_over(door, visit["token"])


async def is_over(door: Door, token: str) -> bool:
    from_store = await door.store.read_across(_visit, token)
    return not from_store.is_live(door.clock.now())


def _visit(view: Any, token: str) -> Any:
    return sessions.by_token(view, token)


# Anonymous ----------------------------------------------------------------------------------------------------------


async def test_an_anonymous_talk_goes_on_for_the_same_browser_and_tab_only(door: Door) -> None:
    browser = Browser(door, door.embed_key)
    await browser.start(None, tab="t1")
    assert (await browser.start(None, tab="t1"))["resumption"]["resumed"]
    assert not (await browser.start(None, tab="t2"))["resumption"]["resumed"]
    assert not (await browser.start(None))["resumption"]["resumed"]
    assert not (await Browser(door, door.embed_key).start(None, tab="t1"))["resumption"]["resumed"]
    assert not (await browser.another(origin=HOST).start(None, tab="t1"))["resumption"]["resumed"]
    assert not (await browser.start(None, tab="t1", resume=False))["resumption"]["resumed"]
