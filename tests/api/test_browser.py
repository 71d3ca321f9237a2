"""What a browser may call: starting a visit, entering one that a server opened, and nothing about persons anywhere."""

import asyncio
import re
from typing import Any

import httpx2
import pytest

from roxels.domain.events import AgentSaid, AgentStarted, PersonSaid, SessionJoined
from tests.api.conftest import ORIGIN, TEMPLATE, Door, make, told

SESSION = "/v1/embed/sessions"
EXCHANGE = "/v1/embed/sessions/exchange"


async def start(client: httpx2.AsyncClient, **body: Any) -> dict[str, Any]:
    answer = await client.post(SESSION, json=body)
    assert answer.status_code == 201, answer.text
    visit: dict[str, Any] = answer.json()
    return visit


async def test_a_visit_is_what_the_contract_says(browser: httpx2.AsyncClient) -> None:
    visit = await start(browser, external_id="ada", person_name="Ada", timezone="Europe/Lisbon", locale="pt-PT")
    assert set(visit) == {"session_id", "token", "expires_at", "socket_url", "resumption"}
    assert visit["socket_url"] == "ws://127.0.0.1:8000/v1/wire"
    assert visit["resumption"] == {
        "resumed": False,
        "reason": "new_person",
        "turns": 0,
        "goals": {"company": "open", "team": "open"},
        "proof": "claimed",
        "unfinished": None,
    }


async def test_what_was_restored_is_told(door: Door, server: httpx2.AsyncClient, browser: httpx2.AsyncClient) -> None:
    first = await start(browser, external_id="ada")
    (item,) = (await server.get("/v1/interviews")).json()["items"]
    await door.record(
        item["id"],
        SessionJoined(),
        AgentStarted(utterance_id="utt_1", plan="Hello!"),
        AgentSaid(utterance_id="utt_1", text="Hello!"),
        PersonSaid(id="m1", text="hi"),
        AgentStarted(utterance_id="utt_2", plan="How are you?"),
        session_id=first["session_id"],
    )
    await door.say_piece(item["id"], "utt_2", "How 🌍")
    report = (await start(browser, external_id="ada"))["resumption"]
    assert (report["resumed"], report["reason"], report["turns"]) == (True, "resumed", 2)
    assert report["unfinished"] == {"utterance_id": "utt_2", "chars": 5}


async def test_anonymous_visits_are_strangers(browser: httpx2.AsyncClient, server: httpx2.AsyncClient) -> None:
    for body in ({}, {"external_id": None}, {}):
        assert (await start(browser, **body))["resumption"]["reason"] == "new_person"
    persons = (await server.get("/v1/persons")).json()["items"]
    assert [person["external_id"] for person in persons] == [None, None, None]


async def test_start_over(browser: httpx2.AsyncClient) -> None:
    await start(browser, external_id="ada")
    assert (await start(browser, external_id="ada", resume=False))["resumption"]["reason"] == "asked_new"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"external_id": 42}, "external_id"),
        ({"person_name": 42}, "person_name"),
        ({"identity_token": 42}, "identity_token"),
        ({"context": []}, "context"),
        ({"context": {"x": "y" * 66_000}}, "context"),
        ({"resume": "false"}, "resume"),
        ({"person_id": "person_1"}, "person_id"),
        ({"template_id": "tpl_1"}, "template_id"),
        ({"timezone": 5}, "timezone"),
        ({"tab": "x" * 65}, "tab"),
    ],
)
async def test_refused_bodies_name_their_field(browser: httpx2.AsyncClient, body: dict[str, Any], field: str) -> None:
    assert told(await browser.post(SESSION, json=body), 400, "validation_error")["field"] == field


ORIGINS = [
    (None, None, 201),
    (ORIGIN, None, 201),
    (ORIGIN, "https://app.example.com", 201),
    (ORIGIN, ORIGIN, 201),
    ("https://app.example.com", None, 201),
    (ORIGIN, "https://evil.test", 403),
    (None, "https://evil.test", 403),
    ("https://evil.test", None, 403),
    ("https://evil.test", "https://app.example.com", 403),
    ("null", None, 403),
    ("http://app.example.com", None, 403),
]


@pytest.mark.parametrize(("origin", "host_origin", "status"), ORIGINS)
async def test_a_key_with_domains_refuses_other_sites(
    door: Door, origin: str | None, host_origin: str | None, status: int
) -> None:
    headers = {"origin": origin} if origin else {}
    async with door.client(door.embed_key, **headers) as page:
        answer = await page.post(SESSION, json={"host_origin": host_origin})
    assert answer.status_code == status
    if status == 403:
        told(answer, 403, "forbidden")


async def test_a_key_without_domains_works_anywhere(door: Door, server: httpx2.AsyncClient) -> None:
    key = (await server.post(f"/v1/embed/keys/{door.template_id}", json={})).json()["key"]
    async with door.client(key, origin="https://evil.test") as page:
        assert (await page.post(SESSION, json={})).status_code == 201


@pytest.mark.parametrize("path", [SESSION, EXCHANGE, "/v1/embed/launcher"])
async def test_pages_of_other_sites_may_ask_without_credentials(stranger: httpx2.AsyncClient, path: str) -> None:
    headers = {"origin": "https://x.test", "access-control-request-method": "POST"}
    preflight = await stranger.options(path, headers=headers)
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == "*"
    assert "authorization" in preflight.headers["access-control-allow-headers"]
    refused = await stranger.post(path, json={}, headers=headers)
    assert refused.headers["access-control-allow-origin"] == "*"


async def test_no_other_address_is_open_to_pages(server: httpx2.AsyncClient) -> None:
    answer = await server.get("/v1/persons", headers={"origin": "https://x.test"})
    assert "access-control-allow-origin" not in answer.headers
    told(await server.options("/v1/persons"), 405, "validation_error")


# Exchange -----------------------------------------------------------------------------------------------------------


async def open_for(door: Door, **more: Any) -> dict[str, Any]:
    async with door.client(door.secret) as server:
        body = {"template_id": door.template_id, "persons": [{"external_id": "ada"}], **more}
        opened: dict[str, Any] = (await server.post("/v1/interviews", json=body)).json()
        return opened


def ticket(opened: dict[str, Any], kind: str) -> dict[str, str]:
    if kind == "session":
        return {"session_id": opened["session_id"]}
    return {"interview_id": opened["id"], "join_secret": opened["join_url"].partition("#")[2]}


@pytest.mark.parametrize("kind", ["session", "link"])
async def test_either_ticket_lets_one_browser_in(door: Door, stranger: httpx2.AsyncClient, kind: str) -> None:
    opened = await open_for(door)
    answer = await stranger.post(EXCHANGE, json=ticket(opened, kind))
    visit = answer.json()
    assert answer.status_code == 201
    assert visit["session_id"] == opened["session_id"]
    assert (visit["resumption"]["proof"], visit["resumption"]["reason"]) == ("verified", "new_person")
    for spent in ("session", "link"):
        told(await stranger.post(EXCHANGE, json=ticket(opened, spent)), 401, "unauthorized")


async def test_of_many_at_once_one_gets_in(door: Door, stranger: httpx2.AsyncClient) -> None:
    opened = await open_for(door)
    tickets = [ticket(opened, kind) for kind in ("session", "link") * 10]
    answers = await asyncio.gather(*(stranger.post(EXCHANGE, json=body) for body in tickets))
    assert sorted(answer.status_code for answer in answers) == [201] + [401] * 19


async def test_every_refusal_is_the_same(door: Door, stranger: httpx2.AsyncClient, server: httpx2.AsyncClient) -> None:
    opened, other = await open_for(door), await open_for(door, resume=False)
    spent = await open_for(door, resume=False)
    await stranger.post(EXCHANGE, json=ticket(spent, "session"))
    closed = await open_for(door, resume=False, allowed_domains=["app.example.com"])
    refused: list[dict[str, Any]] = [
        {},
        {"session_id": None},
        {"session_id": "sess_nope"},
        {"session_id": opened["id"]},
        {"interview_id": opened["id"]},
        {"interview_id": opened["id"], "join_secret": "join_nope"},
        {**ticket(other, "link"), "interview_id": opened["id"]},
        {**ticket(opened, "link"), **ticket(opened, "session")},
        ticket(spent, "link"),
        {**ticket(closed, "session"), "host_origin": "https://evil.test"},
    ]
    answers = [await stranger.post(EXCHANGE, json=body) for body in refused]
    door.clock.advance(25 * 3600)
    answers.append(await stranger.post(EXCHANGE, json=ticket(other, "session")))
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1
    assert (await stranger.post(EXCHANGE, json={"session": "x"})).status_code == 400


async def test_a_foreign_page_does_not_spend_the_ticket(door: Door, stranger: httpx2.AsyncClient) -> None:
    opened = await open_for(door, allowed_domains=["shop.example.com"])
    body = ticket(opened, "session")
    told(await stranger.post(EXCHANGE, json={**body, "host_origin": "https://app.example.com"}), 401, "unauthorized")
    entered = await stranger.post(EXCHANGE, json={**body, "host_origin": "https://shop.example.com"})
    assert entered.status_code == 201


async def test_without_domains_of_its_own_those_of_the_keys_count(door: Door, stranger: httpx2.AsyncClient) -> None:
    body = ticket(await open_for(door), "session")
    told(await stranger.post(EXCHANGE, json={**body, "host_origin": "https://evil.test"}), 401, "unauthorized")
    entered = await stranger.post(EXCHANGE, json={**body, "host_origin": "https://app.example.com"})
    assert entered.status_code == 201
    anywhere = ticket(await open_for(door, resume=False, allowed_domains=[]), "session")
    assert (await stranger.post(EXCHANGE, json={**anywhere, "host_origin": "https://evil.test"})).status_code == 201


# Launcher -----------------------------------------------------------------------------------------------------------


async def test_launcher(door: Door, stranger: httpx2.AsyncClient, server: httpx2.AsyncClient) -> None:
    look = (await stranger.get("/v1/embed/launcher", params={"key": door.embed_key})).json()
    assert look == {
        "enabled": False,
        "label": "Onboarding",
        "icon": None,
        "color": None,
        "position": "bottom-right",
        "visibility": {"include": [], "exclude": []},
    }
    launcher = {"enabled": True, "label": "Talk", "visibility": {"include": ["home*"]}}
    settings = {"embedded": {"launcher": launcher}}
    await server.patch(f"/v1/templates/{door.template_id}", json={"settings": settings})
    look = (await stranger.get("/v1/embed/launcher", params={"key": door.embed_key})).json()
    assert (look["enabled"], look["label"]) == (True, "Talk")
    assert look["visibility"] == {"include": ["home*"], "exclude": []}
    told(await stranger.get("/v1/embed/launcher", params={"key": "rk_nope"}), 401, "unauthorized")
    told(await stranger.get("/v1/embed/launcher"), 400, "validation_error")


# The law ------------------------------------------------------------------------------------------------------------


async def test_no_person_id_is_reachable_from_a_browser(door: Door, server: httpx2.AsyncClient) -> None:
    """Whatever a browser holds (an embed key, session ids, a session token), nothing it can ask tells a person's id."""
    await server.post("/v1/persons", json={"external_id": "ada", "name": "Ada", "org_context": {"plan": "canary"}})
    opened = await open_for(door, context={"plan": "canary"})
    live_template, _, live_key = await make(door, "live", TEMPLATE)
    held = ["", door.embed_key, live_key, opened["session_id"], opened["join_url"].partition("#")[2]]
    texts: list[str] = []
    async with door.client(door.embed_key) as browser:
        for body in ({"external_id": "ada"}, {"external_id": "ada", "resume": False}, {}, {"external_id": "null"}):
            answer = await browser.post(SESSION, json=body)
            texts.append(answer.text + str(answer.headers))
            if answer.status_code == 201:
                held.append(answer.json()["token"])
    exchanged = {"ticket": ticket(opened, "session"), "junk": {"session_id": opened["person"]["id"]}}
    for key in held:
        async with door.client(key) as browser:
            texts += [(await browser.post(EXCHANGE, json=body)).text for body in exchanged.values()]
            texts.append((await browser.get("/v1/embed/launcher", params={"key": door.embed_key})).text)
            for path, methods in door.checker.document["paths"].items():
                known = path.replace("{person_id}", opened["person"]["id"]).replace("{interview_id}", opened["id"])
                known = known.replace("{template_id}", live_template).replace("{number}", "1")
                for method in methods:
                    answer = await browser.request(method, known, json={} if method != "get" else None)
                    texts.append(answer.text + str(answer.headers))
    assert len(texts) > 200
    assert not [text for text in texts if re.search(r"person_\d", text)]
    assert not [text for text in texts if "canary" in text]
