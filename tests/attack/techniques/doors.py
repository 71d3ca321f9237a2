"""The API and the operator's pages, with whatever an attacker holds: nothing, the embed key, a token of his own."""

from roxels.dashboard.gate import SESSION as OPERATOR
from tests.attack.people import Browser
from tests.attack.registry import technique
from tests.attack.victims import Victim


def addresses(victim: Victim) -> list[str]:
    """Where her things stand."""
    talk, person = victim.conversation_ids[0], victim.person_id
    return [
        f"/v1/interviews/{talk}",
        f"/v1/conversations/{talk}",
        f"/v1/interviews/{talk}/events",
        f"/v1/interviews?external_id={victim.external_id}",
        f"/v1/persons?external_id={victim.external_id}",
        f"/v1/persons/{person}",
        f"/v1/persons/{person}/conversations",
        f"/v1/persons/{person}/devices",
        "/v1/deliveries",
        "/v1/audit/export",
    ]


async def read_all(attacker: Browser, victim: Victim, **headers: str) -> None:
    """Ask for all of it with these headers."""
    for address in addresses(victim):
        await attacker.ask("GET", address, headers=headers)


@technique("T4")
async def read_without_a_key(attacker: Browser, victim: Victim) -> None:
    """Ask the API for her things with no key."""
    await read_all(attacker, victim)


@technique("T4")
async def read_with_the_embed_key(attacker: Browser, victim: Victim) -> None:
    """Ask the API for her things with the key that stands in the page."""
    await read_all(attacker, victim, authorization=f"Bearer {victim.place.embed_key}")


@technique("T4")
async def read_with_my_own_token(attacker: Browser, victim: Victim) -> None:
    """Ask the API for her things with the token of a session of my own."""
    visit = await attacker.start(victim.place, external_id="mallory")
    await read_all(attacker, victim, authorization=f"Bearer {visit['token']}")


@technique("T23")
async def read_with_a_key_of_live(attacker: Browser, victim: Victim) -> None:
    """Ask for her things with a good secret key of the other environment."""
    await read_all(attacker, victim, authorization=f"Bearer {attacker.ground.secrets['live']}")


@technique("T4")
async def put_the_key_elsewhere(attacker: Browser, victim: Victim) -> None:
    """Send the embed key in the query, in a cookie, and in a header of another name."""
    key, address = victim.place.embed_key, addresses(victim)[0]
    await attacker.ask("GET", f"{address}?key={key}&api_key={key}&token={key}")
    await attacker.ask("GET", address, headers={"cookie": f"authorization=Bearer {key}"})
    await attacker.ask("GET", address, headers={"x-api-key": key, "x-forwarded-authorization": f"Bearer {key}"})


@technique("T4")
async def walk_around_the_address(attacker: Browser, victim: Victim) -> None:
    """Write her address with dots, double slashes, encoded letters and other methods."""
    talk = victim.conversation_ids[0]
    for path in (
        f"/v1//interviews/{talk}",
        f"/v1/embed/../interviews/{talk}",
        f"/v1/interviews/%2e/{talk}",
        f"/v1/interviews/{talk}/",
    ):
        await attacker.ask("GET", path)
    for method in ("HEAD", "OPTIONS", "TRACE", "PROPFIND"):
        await attacker.ask(method, f"/v1/interviews/{talk}", headers={"x-http-method-override": "GET"})


@technique("T4")
async def open_a_fresh_link_to_hers(attacker: Browser, victim: Victim) -> None:
    """Ask for a fresh session of her conversation with the embed key."""
    for path in (f"/v1/interviews/{victim.conversation_ids[0]}/sessions", "/v1/interviews"):
        headers = {"authorization": f"Bearer {victim.place.embed_key}"}
        await attacker.ask("POST", path, headers=headers, json={"template_id": victim.place.template_id})


@technique("T4")
async def take_her_export(attacker: Browser, victim: Victim) -> None:
    """Ask for an export of her with the embed key, and for its file."""
    headers = {"authorization": f"Bearer {victim.place.embed_key}"}
    await attacker.ask("POST", f"/v1/persons/{victim.person_id}/export", headers=headers)
    await attacker.ask("GET", "/v1/jobs/job_1/file", headers=headers)


@technique("T3")
async def erase_or_change_her(attacker: Browser, victim: Victim) -> None:
    """Erase her, end her conversation, rename her, with the embed key and with a token of my own."""
    visit = await attacker.start(victim.place, external_id="mallory")
    for key in (victim.place.embed_key, visit["token"], attacker.ground.secrets["live"]):
        headers = {"authorization": f"Bearer {key}"}
        await attacker.ask("PATCH", f"/v1/persons/{victim.person_id}", headers=headers, json={"name": "poisoned"})
        await attacker.ask("POST", f"/v1/interviews/{victim.conversation_ids[0]}/end", headers=headers)
        await attacker.ask("DELETE", f"/v1/persons/{victim.person_id}", headers=headers)


@technique("T27")
async def look_at_the_operators_pages(attacker: Browser, victim: Victim) -> None:
    """Open her page in the dashboard without signing in."""
    for page in (f"people/{victim.person_id}", f"conversations/{victim.conversation_ids[0]}", ""):
        await attacker.ask("GET", f"/dashboard/{page}")
    for part in ("live", "events", "json"):
        await attacker.ask("GET", f"/dashboard/conversations/{victim.conversation_ids[0]}/{part}")


@technique("T27")
async def forge_the_operators_cookie(attacker: Browser, victim: Victim) -> None:
    """Open her page with a made-up operator's cookie, and with tokens that are good for other things."""
    visit = await attacker.start(victim.place, external_id="mallory")
    for value in ("ops_" + "A" * 43, visit["token"], victim.place.embed_key, attacker.ground.secrets["test"]):
        headers = {"cookie": f"{OPERATOR}={value}; roxels_environment=test"}
        await attacker.ask("GET", f"/dashboard/people/{victim.person_id}", headers=headers)


@technique("T4")
async def look_for_leftovers(attacker: Browser, victim: Victim) -> None:
    """Read what is open to everybody: the measures, the health, the description, the frame, the join page."""
    talk = victim.conversation_ids[0]
    for path in ("/metrics", "/healthz", "/readyz", "/openapi.json", "/embed/frame", f"/join/i/{talk}", "/embed.js"):
        await attacker.ask("GET", path)
    await attacker.ask("GET", "/v1/embed/launcher", params={"key": victim.place.embed_key})
