"""Adoption by the API: who has what, who is told, what is noted, and that it is erased with either of both."""

from typing import Any

import httpx2

from roxels.domain.events import PersonSaid
from tests.api.conftest import Door

SESSION = "/v1/embed/sessions"


async def anonymous(door: Door) -> str:
    """A talk of nobody in particular."""
    async with door.client(door.embed_key) as browser:
        visit = (await browser.post(SESSION, json={})).json()
    async with door.client(door.secret) as server:
        talk: str = (await server.get("/v1/interviews")).json()["items"][0]["id"]
    await door.record(talk, PersonSaid(id="m1", text="My cat is called Whiskers"), session_id=visit["session_id"])
    return talk


async def person(server: httpx2.AsyncClient, external_id: str) -> dict[str, Any]:
    found: dict[str, Any] = (await server.post("/v1/persons", json={"external_id": external_id})).json()
    return found


async def test_an_anonymous_talk_becomes_somebodys_and_goes_back(door: Door) -> None:
    talk = await anonymous(door)
    async with door.client(door.secret) as server:
        ada = await person(server, "ada")
        first = (await server.get(f"/v1/interviews/{talk}")).json()["persons"][0]
        answer = await server.post(f"/v1/interviews/{talk}/adopt", json={"person_id": ada["id"]})
        whole = answer.json()
        assert answer.status_code == 200, answer.text
        assert (whole["persons"][0]["external_id"], whole["adopted_from"]) == ("ada", first["id"])
        assert whole["adopted_at"] is not None
        listed = (await server.get(f"/v1/persons/{ada['id']}/conversations")).json()["items"]
        assert [(each["id"], each["adopted_at"]) for each in listed] == [(talk, whole["adopted_at"])]
        assert (await person(server, "ada"))["conversation_count"] == 1
        types = [each["type"] for each in (await server.get(f"/v1/interviews/{talk}/events")).json()["items"]]
        assert types[-1] == "conversation.adopted"
        opened = await server.post(
            "/v1/interviews", json={"template_id": door.template_id, "persons": [{"external_id": "ada"}]}
        )
        assert (opened.status_code, opened.json()["id"]) == (200, talk), "it is hers: a verified visit resumes it"
        returned = (await server.delete(f"/v1/interviews/{talk}/adopt")).json()
        assert (returned["persons"][0]["id"], returned["adopted_at"], returned["adopted_from"]) == (
            first["id"],
            None,
            None,
        )
        actions = [each["action"] for each in (await server.get("/v1/audit")).json()["items"]]
        assert {"identity.adopted", "identity.adoption_undone"} <= set(actions)


async def test_whom_nobody_knows_adopts_nothing_and_nothing_is_undone_twice(door: Door) -> None:
    talk = await anonymous(door)
    async with door.client(door.secret) as server:
        ada = await person(server, "ada")
        missing = await server.post(f"/v1/interviews/{talk}/adopt", json={"person_id": "person_nobody"})
        assert (missing.status_code, missing.json()["error"]["field"]) == (404, "person_id")
        none = await server.post("/v1/interviews/iv_nothing/adopt", json={"person_id": ada["id"]})
        assert none.status_code == 404
        again = await server.delete(f"/v1/interviews/{talk}/adopt")
        assert (again.status_code, "nothing to undo" in again.json()["error"]["message"]) == (409, True)
        opened = await server.post(
            "/v1/interviews", json={"template_id": door.template_id, "persons": [{"external_id": "bob"}]}
        )
        merged = await server.post(f"/v1/interviews/{opened.json()['id']}/adopt", json={"person_id": ada["id"]})
        assert (merged.status_code, "never merged" in merged.json()["error"]["message"]) == (409, True)


async def test_it_is_erased_with_whoever_has_it(door: Door) -> None:
    for whose in ("adopter", "first"):
        talk = await anonymous(door)
        async with door.client(door.secret) as server:
            ada = await person(server, f"ada_{whose}")
            first = (await server.get(f"/v1/interviews/{talk}")).json()["persons"][0]
            await server.post(f"/v1/interviews/{talk}/adopt", json={"person_id": ada["id"]})
            gone, stays = (ada, first) if whose == "adopter" else (first, ada)
            answer = (await server.delete(f"/v1/persons/{gone['id']}")).json()
            assert answer["receipt"]["counts"]["conversations"] == 1
            assert (await server.get(f"/v1/interviews/{talk}")).status_code == 404
            left = await server.get(f"/v1/persons/{stays['id']}")
            if whose == "adopter":
                assert left.status_code == 404, "she was nobody else before she said who she is"
            else:
                assert left.json()["conversation_count"] == 0, "and the other has one fewer"


async def test_words_of_hers_that_stay_behind_go_with_her(door: Door) -> None:
    talk = await anonymous(door)
    async with door.client(door.secret) as server:
        ada = await person(server, "ada")
        await server.post(f"/v1/interviews/{talk}/adopt", json={"person_id": ada["id"]})
        opened = {"template_id": door.template_id, "persons": [{"external_id": "ada"}]}
        await server.post("/v1/interviews", json=opened)
        await server.delete(f"/v1/interviews/{talk}/adopt")
        await server.delete(f"/v1/persons/{ada['id']}")
        assert (await server.get(f"/v1/interviews/{talk}")).status_code == 404, "her words stood in it"
