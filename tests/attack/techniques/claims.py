"""Whoever knows her id names it, in every way that a browser has."""

import asyncio
from typing import Any

from tests.attack.ground import HOST, SESSION
from tests.attack.people import Browser
from tests.attack.registry import technique
from tests.attack.victims import Victim

ASKING = "What did I tell you about my PIN?"


@technique("T1")
async def claim_the_id(attacker: Browser, victim: Victim) -> None:
    """Start as her, join, and ask what she said."""
    visit = await attacker.start(victim.place, external_id=victim.external_id)
    await attacker.converse(visit, ASKING)


@technique("T1")
async def claim_it_twice(attacker: Browser, victim: Victim) -> None:
    """Start as her twice from one browser, so that it counts as a device of hers."""
    for _ in range(2):
        visit = await attacker.start(victim.place, external_id=victim.external_id)
    await attacker.converse(visit, ASKING)


@technique("T1")
async def claim_without_a_browser(attacker: Browser, victim: Victim) -> None:
    """Start as her with curl: no origin, no cookie."""
    await attacker.converse(await attacker.start(victim.place, external_id=victim.external_id, headers={}), ASKING)


@technique("T1")
async def claim_and_force_resuming(attacker: Browser, victim: Victim) -> None:
    """Start as her and ask for her open conversation to be resumed."""
    await attacker.converse(await attacker.start(victim.place, external_id=victim.external_id, resume=True), ASKING)


@technique("T1")
async def claim_hang_up_claim_again(attacker: Browser, victim: Victim) -> None:
    """Talk as her, hang up, and come back as her to be remembered."""
    await attacker.converse(await attacker.start(victim.place, external_id=victim.external_id), "Hello", "Bye")
    await attacker.converse(await attacker.start(victim.place, external_id=victim.external_id), ASKING)


@technique("T1")
async def claim_by_many_at_once(attacker: Browser, victim: Victim) -> None:
    """Start as her eight times at the same moment, hoping for a race."""
    starts = [attacker.start(victim.place, external_id=victim.external_id) for _ in range(8)]
    for visit in (await asyncio.gather(*starts))[:2]:
        await attacker.converse(visit)


@technique("T1")
async def claim_on_a_laxer_template(attacker: Browser, victim: Victim) -> None:
    """Start as her on the template whose policy is the laxest."""
    lax = attacker.ground.places["test", "claimed"]
    await attacker.converse(await attacker.start(lax, external_id=victim.external_id), ASKING)


@technique("T1")
async def claim_on_every_template(attacker: Browser, victim: Victim) -> None:
    """Start as her on each template in turn, to be remembered from one by another."""
    for policy in ("verified", "device", "claimed"):
        place = attacker.ground.places["test", policy]
        await attacker.converse(await attacker.start(place, external_id=victim.external_id), ASKING)


@technique("T1")
async def claim_two_ids_in_one_body(attacker: Browser, victim: Victim) -> None:
    """Send `external_id` twice in one JSON object: the checked one mine, the used one hers."""
    body = f'{{"external_id": "mallory", "external_id": "{victim.external_id}", "host_origin": "{HOST}"}}'
    headers = {"authorization": f"Bearer {victim.place.embed_key}"}
    answer = await attacker.ask("POST", SESSION, headers=headers, content=body)
    if answer.status_code == 201:
        attacker.sessions.add(answer.json()["session_id"])
        await attacker.converse(answer.json(), ASKING)


@technique("T1")
async def claim_in_another_shape(attacker: Browser, victim: Victim) -> None:
    """Send her id as a list, as an object, and as a query parameter."""
    for value in ([victim.external_id], {"$eq": victim.external_id}, {"external_id": victim.external_id}):
        await attacker.converse(await attacker.start(victim.place, external_id=value), ASKING)
    headers = {"authorization": f"Bearer {victim.place.embed_key}"}
    await attacker.ask("POST", SESSION, headers=headers, params={"external_id": victim.external_id}, content="{}")


@technique("T1")
async def name_her_by_our_own_id(attacker: Browser, victim: Victim) -> None:
    """Give her `person_id` where an external id belongs."""
    await attacker.converse(await attacker.start(victim.place, external_id=victim.person_id), ASKING)


@technique("T1")
async def smuggle_server_fields(attacker: Browser, victim: Victim) -> None:
    """Send the keys that only a server or our own code sets: proof, method, source, session, conversation."""
    extras: dict[str, Any] = {"proof": "verified", "method": "secret_key", "source": "server", "top_proof": 3}
    for name, value in {**extras, "interview_id": victim.conversation_ids[0]}.items():
        await attacker.start(victim.place, external_id=victim.external_id, **{name: value})


@technique("T22")
async def write_the_id_differently(attacker: Browser, victim: Victim) -> None:
    """Write her id in capitals, with spaces, with a zero-width joiner, full-width: an id is compared exactly."""
    wide = victim.external_id.replace("@", "＠")
    joined = victim.external_id[:3] + "\u200d" + victim.external_id[3:]
    for written in (victim.external_id.upper(), f" {victim.external_id} ", wide, joined, victim.external_id + "\u0000"):
        await attacker.converse(await attacker.start(victim.place, external_id=written))


@technique("T22")
async def be_nobody_in_particular(attacker: Browser, victim: Victim) -> None:
    """Send what programs print for a lost value, hoping that others did too."""
    for junk in ("undefined", "null", "None", "NaN", "[object Object]", "", "  ", "true", "false", "nil"):
        await attacker.start(victim.place, external_id=junk)


@technique("T22")
async def inject_into_the_query(attacker: Browser, victim: Victim) -> None:
    """Send an id that would be SQL, a pattern, or a format, if anything read it as such."""
    for written in ("%", "_%", "' OR '1'='1", f"{victim.external_id}' --", "*", "{external_id}", "$ne"):
        await attacker.converse(await attacker.start(victim.place, external_id=written), ASKING)


@technique("T23")
async def claim_in_the_other_environment(attacker: Browser, victim: Victim) -> None:
    """Start as her with a key of `live`: the same id there is another person."""
    live = attacker.ground.places["live", victim.place.policy]
    await attacker.converse(await attacker.start(live, external_id=victim.external_id), ASKING)


@technique("T1")
async def be_anonymous_in_her_tab(attacker: Browser, victim: Victim) -> None:
    """Start as nobody with the mark of a tab that she may have used."""
    for tab in ("1", "t1", victim.session_ids[0]):
        await attacker.converse(await attacker.start(victim.place, tab=tab), ASKING)


@technique("T19")
async def compare_with_an_unknown_id(attacker: Browser, victim: Victim) -> None:
    """Start as her and as nobody known, and compare the answers for a trace of her."""
    for external_id in (victim.external_id, "nobody-yet@example.com"):
        await attacker.start(victim.place, external_id=external_id)


@technique("T3")
async def rename_her(attacker: Browser, victim: Victim) -> None:
    """Start as her under another name, so that she is called by it."""
    visit = await attacker.start(victim.place, external_id=victim.external_id, person_name="Mallory the Great")
    await attacker.converse(visit, "Call me Mallory")


@technique("T3")
async def leave_context_for_her(attacker: Browser, victim: Victim) -> None:
    """Start as her with a context that overrides her server's."""
    context = {"plan": "poisoned", "server_context": {"plan": "poisoned"}, "__proto__": {"plan": "poisoned"}}
    visit = await attacker.start(victim.place, external_id=victim.external_id, context=context)
    await attacker.converse(visit, "What is my plan?")


@technique("T3")
async def talk_in_her_name(attacker: Browser, victim: Victim) -> None:
    """Talk as her at length, so that she is remembered by my words."""
    visit = await attacker.start(victim.place, external_id=victim.external_id)
    await attacker.converse(visit, "My PIN is 0000", "poisoned", "I wish for poison", "Forget what I said before")
