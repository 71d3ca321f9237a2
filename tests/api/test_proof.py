"""Like sees like, at every entry point: what a claim, a device and a verified session find of a person's past."""

from typing import Any

import httpx2
import pytest

from roxels.actions.recollect import recollect
from roxels.domain.events import FieldCaptured, PersonSaid, SessionJoined
from roxels.storage import sessions
from roxels.storage.transaction import Reading
from tests.api.conftest import TEMPLATE, Door, make

SESSION = "/v1/embed/sessions"
CANARY = "canary-7b1f"


class Place:
    """A template with a policy, and its two keys."""

    def __init__(self, door: Door, policy: str) -> None:
        self.door = door
        self.policy = policy
        self.template_id = self.secret = self.embed_key = ""

    async def made(self) -> "Place":
        embedded = {"resumption": True, "history_requires": self.policy}
        raw = {**TEMPLATE, "settings": {"embedded": embedded}}
        self.template_id, self.secret, self.embed_key = await make(self.door, "test", raw)
        return self

    async def claim(self, external_id: str, **body: Any) -> dict[str, Any]:
        async with self.door.client(self.embed_key) as browser:
            answer = await browser.post(SESSION, json={"external_id": external_id, **body})
            assert answer.status_code == 201, answer.text
            visit: dict[str, Any] = answer.json()
            return visit

    async def open(self, external_id: str, **body: Any) -> dict[str, Any]:
        async with self.door.client(self.secret) as server:
            person = {"external_id": external_id, "name": f"Ada {CANARY}"}
            whole = {"template_id": self.template_id, "persons": [person], "context": {"plan": CANARY}, **body}
            opened: dict[str, Any] = (await server.post("/v1/interviews", json=whole)).json()
            return opened

    async def entered(self, external_id: str) -> dict[str, Any]:
        """A verified visit in which something was said."""
        opened = await self.open(external_id)
        async with self.door.client() as browser:
            answer = await browser.post(f"{SESSION}/exchange", json={"session_id": opened["session_id"]})
            assert answer.status_code == 201
        await self.door.record(
            opened["id"],
            SessionJoined(),
            PersonSaid(id=f"m_{opened['session_id']}", text=f"My PIN is {CANARY}"),
            FieldCaptured(goal_id="company", field="company", value=CANARY),
            session_id=opened["session_id"],
        )
        return opened

    async def memory_of(self, token: str) -> str:
        """What the agent is given of the past, as text."""
        visit = await self.door.store.read_across(sessions.by_token, token)
        assert visit is not None

        def read(tx: Reading) -> str:
            return repr(recollect(tx, visit.person_id, visit, self.template_id))

        return await self.door.store.read("test", read)


@pytest.fixture(params=["claimed", "device", "verified"])
async def place(door: Door, request: pytest.FixtureRequest) -> Place:
    return await Place(door, request.param).made()


async def test_a_claim_never_finds_what_was_verified(place: Place) -> None:
    await place.entered("ada")
    visit = await place.claim("ada")
    expected = "new_person" if place.policy == "claimed" else "proof_needed"
    report = visit["resumption"]
    assert (report["resumed"], report["reason"], report["turns"]) == (False, expected, 0)
    assert CANARY not in str(visit) + await place.memory_of(visit["token"])


async def test_a_verified_visit_finds_what_was_verified_and_no_claims(place: Place) -> None:
    opened = await place.entered("ada")
    claimed = await place.claim("ada", context={"note": "poison-1"}, person_name="poison-2")
    talk = await talk_of(place, claimed["session_id"])
    await place.door.record(talk, PersonSaid(id="m1", text="poison-3"), session_id=claimed["session_id"])
    again = await place.open("ada")
    assert (again["id"], again["resumed"], again["reason"]) == (opened["id"], True, "resumed")
    assert again["person"]["name"] == f"Ada {CANARY}"
    fresh = await place.open("ada", resume=False)
    async with place.door.client() as browser:
        entered = (await browser.post(f"{SESSION}/exchange", json={"session_id": fresh["session_id"]})).json()
    memory = await place.memory_of(entered["token"])
    assert CANARY in memory
    assert "poison" not in memory


async def talk_of(place: Place, session_id: str) -> str:
    async with place.door.client(place.secret) as server:
        items = (await server.get("/v1/interviews", params={"limit": 200})).json()["items"]
    found: str = next(item["id"] for item in items if session_id in [each["id"] for each in item["sessions"]])
    return found


async def test_the_name_that_a_server_gave_is_told_only_where_the_policy_is_met(place: Place) -> None:
    await place.entered("ada")
    async with place.door.client(place.secret) as server:
        visit = await place.claim("ada")
        facts = (await server.get(f"/v1/interviews/{await talk_of(place, visit['session_id'])}/events")).json()
    assert (CANARY in str(facts)) == (place.policy == "claimed"), "personalisation, as the seed has it"


@pytest.mark.parametrize("policy", ["device", "verified"])
async def test_known_and_unknown_look_alike_to_a_claimant(door: Door, policy: str) -> None:
    place = await Place(door, policy).made()
    await place.entered("ada")
    await place.claim("carol")
    shown = []
    for external_id in ("ada", "carol", "nobody"):
        visit = await place.claim(external_id)
        for name in ("session_id", "token", "expires_at"):
            del visit[name]
        shown.append(visit)
    assert shown[0] == shown[1] == shown[2]
    assert shown[0]["resumption"]["reason"] == "proof_needed"


@pytest.mark.parametrize("policy", ["device", "verified"])
async def test_the_owner_reads_the_whole_reason(door: Door, policy: str) -> None:
    place = await Place(door, policy).made()
    await place.entered("ada")
    for external_id, judged in (("ada", "proof_needed"), ("nobody", "new_person")):
        visit = await place.claim(external_id)
        async with door.client(place.secret) as server:
            talk = (await server.get(f"/v1/interviews/{await talk_of(place, visit['session_id'])}")).json()
            items = (await server.get("/v1/interviews", params={"external_id": external_id})).json()["items"]
        assert visit["resumption"]["reason"] == "proof_needed"
        assert [each["reason"] for each in talk["sessions"]] == [judged]
        assert [each["reason"] for each in items[0]["sessions"]] == [judged]


async def test_under_claimed_plain_ids_resume_from_any_browser(door: Door) -> None:
    place = await Place(door, "claimed").made()
    await place.claim("ada")
    assert (await place.claim("ada"))["resumption"]["reason"] == "resumed"


async def test_a_lax_template_does_not_tell_of_a_strict_one(door: Door) -> None:
    strict, lax = await Place(door, "device").made(), await Place(door, "claimed").made()
    visit = await strict.claim("ada")
    talk = await talk_of(strict, visit["session_id"])
    await door.record(talk, PersonSaid(id="m1", text=CANARY), session_id=visit["session_id"])
    asking = await lax.claim("ada")
    assert CANARY not in await lax.memory_of(asking["token"])


async def test_tightening_a_policy_closes_what_was_open(door: Door) -> None:
    place = await Place(door, "claimed").made()
    await place.claim("ada")
    async with door.client(place.secret) as server:
        settings = {"embedded": {"resumption": True, "history_requires": "verified"}}
        changed = await server.patch(f"/v1/templates/{place.template_id}", json={"settings": settings})
        assert changed.status_code == 200
    assert (await place.claim("ada"))["resumption"]["reason"] == "proof_needed"


async def test_a_fresh_link_does_not_lift_a_talk(door: Door, server: httpx2.AsyncClient) -> None:
    place = await Place(door, "claimed").made()
    visit = await place.claim("ada")
    talk = await talk_of(place, visit["session_id"])
    link = (await server.post(f"/v1/interviews/{talk}/sessions", json={})).json()
    async with door.client() as browser:
        entered = (await browser.post(f"{SESSION}/exchange", json={"session_id": link["session_id"]})).json()
    assert entered["resumption"]["proof"] == "claimed"
    assert (await place.claim("ada"))["resumption"]["reason"] == "resumed", "still open to claims"
