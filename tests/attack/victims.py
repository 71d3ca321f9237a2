"""Those whose past is worth stealing. Each leaves canaries, words that stand nowhere else, in all that is kept of her.

    proof       policies                     how she talks
    verified    claimed, device, verified    her server opens the session; her browser exchanges it
    device      device, verified             her browser comes back with its cookie
    claimed     device, verified             a browser without a cookie names her

`next_prompt` is what the speaker would be told at her next visit. It is worked out in a transaction that is rolled
back, so that asking changes nothing.
"""

import json
from collections.abc import Sequence
from typing import Any

import msgspec

from roxels.actions.open import VisitRequest, open_visit
from roxels.actions.recollect import recollect
from roxels.agent import prompt
from roxels.agent.ports import Scene
from roxels.domain.ids import hashed
from roxels.domain.proof import Proof
from roxels.storage import sessions, templates
from roxels.storage.transaction import Writing
from tests.attack.ground import Ground, Place
from tests.attack.people import Browser

#: (proof, policy): the victims of the spec's R2.
KINDS = [("verified", policy) for policy in ("claimed", "device", "verified")] + [
    (proof, policy) for proof in ("device", "claimed") for policy in ("device", "verified")
]


class Victim(msgspec.Struct, frozen=True, kw_only=True):
    """One of them, and what an attacker may have found out: ids are no secrets."""

    proof: str
    place: Place
    external_id: str
    person_id: str
    conversation_ids: tuple[str, ...]
    session_ids: tuple[str, ...]
    join_secrets: tuple[str, ...]
    browser: Browser
    #: Where each stands: transcript, data, memory, attributes, context.
    canaries: dict[str, str]

    @property
    def label(self) -> str:
        """What kind of victim."""
        return f"{self.proof} under {self.place.policy}"


async def make_victim(ground: Ground, proof: str, policy: str, canaries: Sequence[str]) -> Victim:
    """A person with two conversations behind her, the second still open."""
    place = ground.places["test", policy]
    external_id = f"{proof}-{policy}@example.com"
    browser = Browser(ground)
    kept = dict(zip(("memory", "transcript", "data", "attributes", "context"), canaries, strict=True))
    talks = [(f"{kept['memory']} is what I like", "Vee"), (f"{kept['data']}", f"Call me {kept['transcript']}")]
    opened: list[dict[str, Any]] = []
    for number, words in enumerate(talks):
        if proof == "verified":
            opened.append(await _open(ground, place, external_id, kept))
            visit = await browser.exchange(session_id=opened[-1]["session_id"])
        else:
            headers: dict[str, str] | None = None if proof == "device" else {}
            visit = await browser.start(place, external_id=external_id, headers=headers, resume=number == 0)
        await browser.converse(visit, *words)
        if number == 0:
            await _end_all(ground, external_id)
    async with ground.owner() as owner:
        person = (await owner.get("/v1/persons", params={"external_id": external_id})).json()["items"][0]
        # Under `claimed` attributes are told to whoever claims the id: that is personalisation, as documented.
        told = {"name": f"Vee {kept['attributes']}", "org_context": {"note": kept["attributes"]}}
        hidden = {"metadata": {"note": kept["attributes"]}}
        await owner.patch(f"/v1/persons/{person['id']}", json=hidden | (told if policy != "claimed" else {}))
        talked = (await owner.get("/v1/interviews", params={"external_id": external_id})).json()["items"]
    return Victim(
        proof=proof,
        place=place,
        external_id=external_id,
        person_id=person["id"],
        conversation_ids=tuple(item["id"] for item in talked),
        session_ids=tuple(session["id"] for item in talked for session in item["sessions"]),
        join_secrets=tuple(each["join_url"].partition("#")[2] for each in opened),
        browser=browser,
        canaries=kept,
    )


async def _open(ground: Ground, place: Place, external_id: str, kept: dict[str, str]) -> dict[str, Any]:
    body = {
        "template_id": place.template_id,
        "persons": [{"external_id": external_id}],
        "context": {"plan": kept["context"]},
    }
    async with ground.owner() as owner:
        answer = await owner.post("/v1/interviews", json=body)
    assert answer.status_code == 201, answer.text
    opened: dict[str, Any] = answer.json()
    return opened


async def _end_all(ground: Ground, external_id: str) -> None:
    async with ground.owner() as owner:
        items = (await owner.get("/v1/interviews", params={"external_id": external_id})).json()["items"]
        for item in items:
            await owner.post(f"/v1/interviews/{item['id']}/end")


class _Worked(Exception):
    """Carries what was worked out, and rolls back."""

    def __init__(self, text: str) -> None:
        super().__init__("worked out")
        self.text = text


async def next_prompt(ground: Ground, victim: Victim) -> str:
    """What the speaker would be told if she came now: to go on, and to begin anew."""
    return "\n".join([await _prompt(ground, victim, resume=resume) for resume in (True, False)])


async def _prompt(ground: Ground, victim: Victim, *, resume: bool) -> str:
    def work(tx: Writing) -> None:
        raise _Worked(_told(tx, ground, victim, resume))

    try:
        await ground.store.write("test", work)
    except _Worked as worked:
        return worked.text
    raise AssertionError("the prompt is worked out in a transaction that is rolled back")


def _told(tx: Writing, ground: Ground, victim: Victim, resume: bool) -> str:
    is_verified = victim.proof == "verified"
    cookie = next(iter(victim.browser.jar.values()), None)
    wish = VisitRequest(
        template_id=victim.place.template_id,
        external_id=victim.external_id,
        name=None,
        source="server" if is_verified else "browser",
        proof=Proof.verified if is_verified else Proof.claimed,
        method="secret_key" if is_verified else "external_id",
        context={},
        resume=resume,
        browser=hashed(cookie) if cookie and victim.proof == "device" else None,
    )
    opened = open_visit(tx, wish, ground.house.ids)
    visit = sessions.by_token(tx, opened.token or "")
    kept = templates.version(tx, opened.state.template_id, opened.state.template_version)
    assert visit is not None
    assert kept is not None
    scene = Scene(
        environment=visit.environment,
        template=kept.read(),
        state=opened.state,
        session_id=visit.session_id,
        external_id=victim.external_id,
        person_name=opened.state.person_name,
        memory=recollect(tx, visit.person_id, visit, opened.state.template_id),
        now=ground.clock.now(),
    )
    return json.dumps(prompt.messages(scene), ensure_ascii=False)
