"""Saying during a talk who it is with: the table of `actions.recognise`, under every policy."""

from typing import Any

import httpx2
import pytest

from roxels.domain.events import PersonSaid
from tests.api.conftest import Door, told
from tests.api.test_browser import SESSION
from tests.api.test_devices import Browser
from tests.api.test_identity_tokens import Backend, new_secret
from tests.api.test_proof import Place, talk_of

IDENTIFY = f"{SESSION}/identify"


@pytest.fixture(params=["claimed", "device", "verified"])
async def place(door: Door, request: pytest.FixtureRequest) -> Place:
    return await Place(door, request.param).made()


async def backend_of(place: Place) -> Backend:
    made = await new_secret(place.door, place.secret)
    return Backend(place.door, made["kid"], made["value"], "HS256")


async def start(place: Place, **body: Any) -> dict[str, Any]:
    async with place.door.client(place.embed_key) as browser:
        visit: dict[str, Any] = (await browser.post(SESSION, json=body)).json()
    return visit


async def identify(place: Place, token: str, **body: Any) -> httpx2.Response:
    async with place.door.client(token) as browser:
        return await browser.post(IDENTIFY, json=body)


async def outcome(place: Place, token: str, **body: Any) -> tuple[str, dict[str, Any] | None]:
    answer = await identify(place, token, **body)
    assert answer.status_code == 200, answer.text
    assert "person_" not in answer.text, "nothing leads to a person"
    said = answer.json()
    return said["outcome"], said["visit"]


async def whole(place: Place, talk: str) -> dict[str, Any]:
    async with place.door.client(place.secret) as server:
        found: dict[str, Any] = (await server.get(f"/v1/interviews/{talk}")).json()
    return found


async def test_a_claim_adopts_the_anonymous_talk_of_this_tab_where_claims_are_enough(place: Place) -> None:
    visit = await start(place)
    talk = await talk_of(place, visit["session_id"])
    await place.door.record(talk, PersonSaid(id="m1", text="hello"), session_id=visit["session_id"])
    said, new = await outcome(place, visit["token"], external_id="ada")
    found = await whole(place, talk)
    if place.policy != "claimed":
        assert (said, new) == ("kept", None)
        assert found["persons"][0]["external_id"] is None
        assert (await outcome(place, visit["token"]))[0] == "unchanged", "it goes on as it was"
        return
    assert said == "adopted"
    assert new is not None
    assert (new["resumption"]["turns"], new["resumption"]["proof"]) == (1, "claimed"), "the same talk goes on"
    assert found["persons"][0]["external_id"] == "ada"
    told(await identify(place, visit["token"]), 401, "unauthorized")
    again = await start(place, external_id="ada")
    assert (again["resumption"]["resumed"], await talk_of(place, again["session_id"])) == (True, talk)


async def test_a_token_adopts_under_every_policy_and_only_then_is_used_up(place: Place) -> None:
    backend = await backend_of(place)
    token = backend.sign(backend.claims(jti="once", name="Ada"))
    other = await start(place, external_id="bob")
    assert await outcome(place, other["token"], identity_token=token) == ("detached", None)
    visit = await start(place)
    said, new = await outcome(place, visit["token"], identity_token=token)
    assert (said, new and new["resumption"]["proof"]) == ("adopted", "verified")
    third = await start(place)
    told(await identify(place, third["token"], identity_token=token), 401, "identity_token_invalid")
    assert (await outcome(place, third["token"]))[0] == "unchanged", "a bad token changes nothing"


async def test_the_same_id_moves_nothing_but_a_name(place: Place) -> None:
    visit = await start(place, external_id="ada")
    assert await outcome(place, visit["token"], external_id="ada") == ("unchanged", None)
    assert await outcome(place, visit["token"], external_id="ada", person_name="Ada L.") == ("renamed", None)
    assert await outcome(place, visit["token"], external_id="ada", person_name="Ada L.") == ("unchanged", None)


async def test_a_new_name_does_not_tell_who_has_one_already(place: Place) -> None:
    async with place.door.client(place.secret) as server:
        body = {"template_id": place.template_id, "persons": [{"external_id": "known", "name": "Known of Old"}]}
        assert (await server.post("/v1/interviews", json=body)).status_code == 201
    said = {}
    for who in ("known", "new"):
        visit = await start(place, external_id=who)
        said[who] = await outcome(place, visit["token"], external_id=who, person_name="Z")
    if place.policy == "claimed":
        assert said == {"known": ("unchanged", None), "new": ("renamed", None)}, "a claim is told names there"
    else:
        assert said == {"known": ("renamed", None), "new": ("renamed", None)}


async def test_a_better_proof_opens_a_new_visit_by_the_opening_rule(place: Place) -> None:
    backend = await backend_of(place)
    visit = await start(place, external_id="ada")
    talk = await talk_of(place, visit["session_id"])
    said, new = await outcome(place, visit["token"], identity_token=backend.sign())
    assert said == "reopened"
    assert new is not None
    assert new["resumption"]["proof"] == "verified"
    assert await talk_of(place, new["session_id"]) != talk, "claimed words are not for a verified visit"
    assert (await whole(place, talk))["status"] in ("created", "joined"), "that one stays open"
    told(await identify(place, visit["token"]), 401, "unauthorized")


@pytest.mark.parametrize("who", [{"external_id": "bob"}, {}])
async def test_another_id_is_detached_and_the_talk_stays_its_owner_s(place: Place, who: dict[str, str]) -> None:
    visit = await start(place, external_id="ada")
    talk = await talk_of(place, visit["session_id"])
    before = await whole(place, talk)
    assert await outcome(place, visit["token"], **who) == ("detached", None)
    assert await whole(place, talk) == before


async def test_a_claim_does_not_adopt_what_a_server_opened(place: Place) -> None:
    async with place.door.client(place.secret) as server:
        body = {"template_id": place.template_id, "context": {"plan": "gold"}}
        opened = (await server.post("/v1/interviews", json=body)).json()
    async with place.door.client() as browser:
        visit = (await browser.post(f"{SESSION}/exchange", json={"session_id": opened["session_id"]})).json()
    assert (await outcome(place, visit["token"], external_id="ada"))[0] == "kept"


async def test_a_browser_that_talked_as_her_adopts_under_device(door: Door) -> None:
    place = await Place(door, "device").made()
    browser = Browser(door, place.embed_key)
    await browser.start("ada")
    visit = await browser.start(None)
    browser.key = visit["token"]
    assert (await browser.post(IDENTIFY, external_id="eve")).json()["outcome"] == "kept"
    answer = (await browser.post(IDENTIFY, external_id="ada")).json()
    assert (answer["outcome"], answer["visit"]["resumption"]["proof"]) == ("adopted", "device")
    stolen = Browser(door, (await Browser(door, place.embed_key).start(None))["token"])
    assert (await stolen.post(IDENTIFY, external_id="ada")).json()["outcome"] == "kept", "another browser is not"


@pytest.mark.parametrize("policy", ["device", "verified"])
async def test_known_and_unknown_look_alike(door: Door, policy: str) -> None:
    place = await Place(door, policy).made()
    await place.entered("ada")
    answers = []
    for who in ("ada", "nobody-ever"):
        visit = await start(place)
        answers.append((await identify(place, visit["token"], external_id=who)).content)
    assert answers[0] == answers[1]


async def test_a_lost_value_is_refused_by_name(place: Place) -> None:
    visit = await start(place)
    assert told(await identify(place, visit["token"], external_id="undefined"), 400, "validation_error")["field"]
    told(await identify(place, "st_nobody"), 401, "unauthorized")
