"""Persons over REST: upsert, merge, look-up by either identifier; and one person however many come at once."""

import asyncio
import json
from typing import Any

import httpx2
import pytest

from tests.api.conftest import Door, told


async def test_upsert_creates_then_merges(server: httpx2.AsyncClient) -> None:
    body: dict[str, Any] = {"external_id": "ada", "name": "Ada", "email": "a@x.test", "metadata": {"a": 1, "b": 2}}
    first = await server.post("/v1/persons", json=body)
    assert first.status_code == 201
    body = {"external_id": "ada", "email": None, "metadata": {"b": None, "c": {"d": 3}}, "org_context": {"plan": "pro"}}
    second = await server.post("/v1/persons", json=body)
    assert second.status_code == 200
    person = second.json()
    assert person["id"] == first.json()["id"]
    assert (person["name"], person["email"], person["phone"]) == ("Ada", None, None)
    assert person["metadata"] == {"a": 1, "c": {"d": 3}}
    assert person["org_context"] == {"plan": "pro"}
    assert (await server.get(f"/v1/persons/{person['id']}")).json() == person
    assert (await server.get("/v1/persons?external_id=ada")).json()["items"] == [person]


async def test_nobody_is_matched_by_email(server: httpx2.AsyncClient) -> None:
    first = await server.post("/v1/persons", json={"external_id": "a", "email": "same@x.test"})
    second = await server.post("/v1/persons", json={"external_id": "b", "email": "same@x.test"})
    third = await server.post("/v1/persons", json={"email": "same@x.test"})
    assert len({answer.json()["id"] for answer in (first, second, third)}) == 3


async def test_patch_changes_what_is_sent(server: httpx2.AsyncClient) -> None:
    made = (await server.post("/v1/persons", json={"external_id": "ada", "name": "Ada", "phone": "1"})).json()
    patched = (await server.patch(f"/v1/persons/{made['id']}", json={"name": "Ada L."})).json()
    assert (patched["name"], patched["phone"]) == ("Ada L.", "1")
    assert (await server.patch(f"/v1/persons/{made['id']}", json={"metadata": None})).json()["metadata"] == {}
    refusal = await server.patch(f"/v1/persons/{made['id']}", json={"external_id": "bob"})
    assert told(refusal, 400, "validation_error")["field"] == "external_id"
    told(await server.patch("/v1/persons/person_nope", json={}), 404, "not_found")


async def test_a_browsers_name_never_replaces_a_servers(
    door: Door, server: httpx2.AsyncClient, browser: httpx2.AsyncClient
) -> None:
    async def name_of(external_id: str) -> Any:
        return (await server.get(f"/v1/persons?external_id={external_id}")).json()["items"][0]["name"]

    await browser.post("/v1/embed/sessions", json={"external_id": "ada", "person_name": "ada_from_browser"})
    assert await name_of("ada") == "ada_from_browser"
    await server.post("/v1/persons", json={"external_id": "ada", "name": "Ada Lovelace"})
    assert await name_of("ada") == "Ada Lovelace"
    await browser.post("/v1/embed/sessions", json={"external_id": "ada", "person_name": "Mallory"})
    assert await name_of("ada") == "Ada Lovelace"
    body = {"template_id": door.template_id, "persons": [{"external_id": "ada", "name": "Ada King"}]}
    await server.post("/v1/interviews", json=body)
    assert await name_of("ada") == "Ada King"


async def test_her_conversations_and_how_many(door: Door, server: httpx2.AsyncClient) -> None:
    for _ in range(2):
        body = {"template_id": door.template_id, "persons": [{"external_id": "ada"}], "resume": False}
        opened = (await server.post("/v1/interviews", json=body)).json()
        door.clock.advance(1)
    person_id = opened["person"]["id"]
    found = (await server.get(f"/v1/persons/{person_id}/conversations?limit=1")).json()
    assert ([item["id"] for item in found["items"]], found["has_more"]) == ([opened["id"]], True)
    assert (await server.get(f"/v1/persons/{person_id}")).json()["conversation_count"] == 2
    told(await server.get("/v1/persons/person_nope/conversations"), 404, "not_found")


async def test_the_latest_seen_come_first(door: Door, server: httpx2.AsyncClient, browser: httpx2.AsyncClient) -> None:
    for external_id in ("a", "b", "c", "a"):
        door.clock.advance(1)
        await browser.post("/v1/embed/sessions", json={"external_id": external_id})
    first = (await server.get("/v1/persons?limit=2")).json()
    rest = (await server.get(f"/v1/persons?limit=2&cursor={first['next_cursor']}")).json()
    assert [person["external_id"] for person in first["items"] + rest["items"]] == ["a", "c", "b"]
    assert (rest["has_more"], rest["next_cursor"]) == (False, None)


async def test_fifty_first_visits_at_once_are_one_person_in_one_conversation_of_each_kind(
    door: Door, server: httpx2.AsyncClient, browser: httpx2.AsyncClient
) -> None:
    def visit(number: int) -> Any:
        if number % 2:
            return browser.post("/v1/embed/sessions", json={"external_id": "ada"})
        body = {"template_id": door.template_id, "persons": [{"external_id": "ada"}]}
        return server.post("/v1/interviews", json=body)

    answers = await asyncio.gather(*(visit(number) for number in range(50)))
    assert {answer.status_code for answer in answers} <= {200, 201}
    (person,) = (await server.get("/v1/persons")).json()["items"]
    talks = (await server.get("/v1/interviews")).json()["items"]
    assert person["conversation_count"] == 2
    assert [len(talk["sessions"]) for talk in talks] == [25, 25]
    assert sorted({session["proof"] for talk in talks for session in talk["sessions"]}) == ["claimed", "verified"]
    for talk in talks:
        assert len({session["proof"] for session in talk["sessions"]}) == 1
        assert sum(session["reason"] != "resumed" for session in talk["sessions"]) == 1


JUNK = [
    "undefined",
    "UNDEFINED",
    "null",
    "None",
    "nil",
    "NaN",
    "true",
    "False",
    "[object Object]",
    "",
    "   ",
    "\t\n",
    "x" * 256,
    "a\0b",
    "\ud800",
    42,
    1.5,
    True,
    ["ada"],
    {"id": "ada"},
]
GOOD = [
    "prod:user_123",
    "🌍👩‍💻",
    "x" * 255,
    "🌍" * 255,
    " ada ",
    "dev:none",
    "Ada",
    "ADA",
    "e\u0301",
    "\u00e9",
    "a'; DROP TABLE persons;--",
    "42",
    "../..",
    "a\u202eb",
]


def entries(door: Door, external_id: Any) -> list[tuple[str, str, dict[str, Any], str]]:
    """Every entry point of REST: key, path, body, field."""
    body = {"template_id": door.template_id, "persons": [{"external_id": external_id}]}
    return [
        (door.secret, "/v1/interviews", body, "persons[0].external_id"),
        (door.secret, "/v1/conversations", body, "persons[0].external_id"),
        (door.secret, "/v1/persons", {"external_id": external_id}, "external_id"),
        (door.embed_key, "/v1/embed/sessions", {"external_id": external_id}, "external_id"),
    ]


@pytest.mark.parametrize("junk", JUNK, ids=repr)
async def test_lost_values_are_refused_at_every_entry(door: Door, junk: Any) -> None:
    for key, path, body, field in entries(door, junk):
        async with door.client(key) as client:
            error = told(await client.post(path, content=escaped(body)), 400, "validation_error")
            assert error["field"] == field, path
            if isinstance(junk, str) and len(junk) > 3:
                assert junk not in error["message"] or junk.strip() in ("undefined", "null", "None")
    async with door.client(door.secret) as server:
        assert (await server.get("/v1/persons")).json()["items"] == []


@pytest.mark.parametrize("good", GOOD, ids=repr)
async def test_odd_but_good_ids_survive_at_every_entry(door: Door, good: str) -> None:
    for key, path, body, _ in entries(door, good):
        async with door.client(key) as client:
            assert (await client.post(path, content=escaped(body))).status_code in (200, 201), path
    async with door.client(door.secret) as server:
        (person,) = (await server.get("/v1/persons", params={"external_id": good})).json()["items"]
        assert person["external_id"] == good
        assert (await server.get(f"/v1/persons/{person['id']}")).json()["external_id"] == good


@pytest.mark.parametrize("absent", [{}, {"external_id": None}])
async def test_null_is_as_absent(door: Door, absent: dict[str, None]) -> None:
    async with door.client(door.embed_key) as browser:
        answer = await browser.post("/v1/embed/sessions", json=absent)
    assert answer.json()["resumption"]["proof"] == "anonymous"


def escaped(body: Any) -> bytes:
    """JSON with everything beyond ASCII written as `\\u…`, halves of surrogate pairs too."""
    return json.dumps(body).encode()
