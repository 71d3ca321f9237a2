"""Everything that can be asked for in one environment, and every credential that is wrong for something.

    Things     one of each kind of resource, made by the customer's own means: what the `{names}` of addresses stand for
    Wrong      a credential as it is sent; what it is good for, if for anything

The clock of the ground moves on once while these are made, so that some of them are over.
"""

import asyncio
import secrets
from typing import Any, Literal

import httpx2
import jwt
import msgspec

from roxels.dashboard.gate import SESSION as OPERATOR
from roxels.storage import operators
from roxels.storage.transaction import AcrossWriting, Environment
from tests.attack.ground import SESSION, Ground, time_passing
from tests.attack.people import Browser

#: What an address takes. `operator`: a page of the dashboard.
Takes = Literal["secret", "embed", "session", "operator", "anyone"]
#: Longer than any session lives.
LATER = 25 * 3600


class Wrong(msgspec.Struct, frozen=True, kw_only=True):
    """A credential, as it is sent."""

    name: str
    headers: dict[str, str]
    #: What it opens in its own environment.
    opens: Takes | None = None


class Things(msgspec.Struct, frozen=True, kw_only=True):
    """What there is in one environment: ids by the name that they have in addresses."""

    environment: Environment
    external_id: str
    ids: dict[str, str]
    #: Of the open visit of this person, and of her browser.
    token: str
    session_id: str
    cookie: str


def bearer(value: str) -> dict[str, str]:
    """The credential where it belongs."""
    return {"authorization": f"Bearer {value}"}


def like(value: str) -> str:
    """An id of the same form that names nothing."""
    prefix, _, rest = value.rpartition("_")
    return f"{prefix}_{secrets.token_hex(len(rest))[: len(rest)]}" if prefix else value


async def made(
    ground: Ground, environment: Environment, external_id: str, policy: str = "claimed", words: str = "4711"
) -> Things:
    """One of each kind of resource, around a person who said this."""
    place = ground.places[environment, policy]
    browser = Browser(ground)
    visit = await browser.start(place, external_id=external_id)
    ground.voices.is_scripted = True
    await browser.converse(visit, words, "Vee")
    ground.voices.is_scripted = False
    async with ground.owner(environment) as owner:
        (person,) = (await owner.get("/v1/persons", params={"external_id": external_id})).json()["items"]
        about = f"/v1/persons/{person['id']}"
        (talk,) = (await owner.get(f"{about}/conversations")).json()["items"]
        line = (await owner.get(f"{about}/memory")).json()["items"][0]
        (device,) = (await owner.get(f"{about}/devices")).json()["items"]
        sent = (await owner.get("/v1/deliveries", params={"interview_id": talk["id"]})).json()["items"][0]
        key = await _post(owner, f"/v1/embed/keys/{place.template_id}", allowed_domains=["app.example.com"])
        ids = {
            "person_id": person["id"],
            "interview_id": talk["id"],
            "line_id": line["id"],
            "device_id": device["id"],
            "delivery_id": sent["id"],
            "template_id": place.template_id,
            "number": "1",
            "embed_key_id": key["id"],
            "job_id": (await _post(owner, f"{about}/export"))["job"]["id"],
            "receipt_id": await _receipt(ground, owner, external_id),
            "webhook_id": await _hook(owner),
            "key_id": (await _post(owner, "/v1/keys", name="another"))["id"],
            "webhook_secret_id": (await _post(owner, "/v1/webhook-secrets", name="another"))["id"],
            "identity_secret_id": (await _post(owner, "/v1/identity-secrets", name="another"))["id"],
            "secret_id": (await _post(owner, "/v1/secrets", name=f"crm_{secrets.token_hex(4)}", value="hidden"))["id"],
        }
    return Things(
        environment=environment,
        external_id=external_id,
        ids=ids,
        token=visit["token"],
        session_id=visit["session_id"],
        cookie=browser.cookie,
    )


async def wrong(ground: Ground) -> list[Wrong]:
    """Every credential there is, good ones too: each is wrong for most."""
    place, live = ground.places["test", "claimed"], ground.places["live", "claimed"]
    over, late_operator = await _token(ground, "late"), await operator_of(ground)
    ground.clock.advance(LATER)
    running, ended, erased = [await _token(ground, name) for name in ("running", "ended", "erased")]
    operator, signed_out = await operator_of(ground), await operator_of(ground)
    await ground.store.write_across(operators.end_session, signed_out)
    async with ground.client() as stranger, ground.owner() as owner:
        await stranger.post(f"{SESSION}/reset", json={"token": ended})
        async with time_passing(ground.clock):
            await owner.delete("/v1/persons", params={"external_id": "erased"})
        gone = await _post(owner, "/v1/keys", name="gone")
        await owner.delete(f"/v1/keys/{gone['id']}")
        unframed = await _post(owner, f"/v1/embed/keys/{place.template_id}")
        await owner.delete(f"/v1/embed/keys/{unframed['id']}")
        waiting = await _post(owner, "/v1/interviews", template_id=place.template_id, persons=[{"external_id": "w"}])
        signing = await _post(owner, "/v1/webhook-secrets", name="signing")
    secret, kid = ground.signing["test"][1], ground.signing["test"][0].id
    claims = {"sub": "ada", "exp": int(ground.clock.now().timestamp()) + 300}
    good = ground.secrets["test"]
    return [
        Wrong(name="none", headers={}),
        Wrong(name="empty", headers={"authorization": ""}),
        Wrong(name="garbage", headers=bearer("sk_test_" + "A" * 43)),
        Wrong(name="cut short", headers=bearer(good[:-1])),
        Wrong(name="another scheme", headers={"authorization": f"Basic {good}"}),
        Wrong(name="no scheme", headers={"authorization": good}),
        Wrong(name="another header", headers={"x-api-key": good, "cookie": f"authorization=Bearer {good}"}),
        Wrong(name="a secret key", headers=bearer(good), opens="secret"),
        Wrong(name="the other environment's secret key", headers=bearer(ground.secrets["live"]), opens="secret"),
        Wrong(name="a revoked secret key", headers=bearer(gone["value"])),
        Wrong(name="an embed key", headers=bearer(place.embed_key), opens="embed"),
        Wrong(name="the other environment's embed key", headers=bearer(live.embed_key), opens="embed"),
        Wrong(name="a revoked embed key", headers=bearer(unframed["key"])),
        Wrong(name="another session's token", headers=bearer(running), opens="session"),
        Wrong(name="the token of a session that is over", headers=bearer(over)),
        Wrong(name="the token of a session that was revoked", headers=bearer(ended)),
        Wrong(name="the token of a conversation that was erased", headers=bearer(erased)),
        Wrong(name="the id of a session", headers=bearer(waiting["session_id"])),
        Wrong(name="the secret of a join link", headers=bearer(waiting["join_url"].partition("#")[2])),
        Wrong(name="an identity token", headers=bearer(jwt.encode(claims, secret, "HS256", {"kid": kid}))),
        Wrong(name="a webhook secret", headers=bearer(signing["value"])),
        Wrong(name="the operator's cookie", headers={"cookie": f"{OPERATOR}={operator}"}, opens="operator"),
        Wrong(name="the operator's token as a key", headers=bearer(operator)),
        Wrong(name="the cookie of an operator who is signed out", headers={"cookie": f"{OPERATOR}={signed_out}"}),
        Wrong(name="the cookie of an operator of yesterday", headers={"cookie": f"{OPERATOR}={late_operator}"}),
        Wrong(name="a secret key as the operator's cookie", headers={"cookie": f"{OPERATOR}={good}"}),
        Wrong(name="a session's token as the operator's cookie", headers={"cookie": f"{OPERATOR}={running}"}),
    ]


async def settled(ground: Ground, environment: Environment, job_id: str) -> None:
    """Wait until a job has ended."""
    async with asyncio.timeout(10), time_passing(ground.clock), ground.owner(environment) as owner:
        while (await owner.get(f"/v1/jobs/{job_id}")).json()["status"] == "running":
            await asyncio.sleep(0.01)


async def _token(ground: Ground, external_id: str) -> str:
    visit = await Browser(ground).start(ground.places["test", "claimed"], external_id=external_id)
    return str(visit["token"])


async def operator_of(ground: Ground) -> str:
    """The token of an operator who signed in."""
    token, ids = ground.house.ids.secret("ops"), ground.house.ids

    def work(across: AcrossWriting) -> None:
        address = f"{secrets.token_hex(8)}@example.com"
        operators.create(across, address, "a long password", ids)
        found = operators.by_email(across, address)
        assert found is not None
        operators.open_session(across, found[0].id, token)

    await ground.store.write_across(work)
    return token


async def _receipt(ground: Ground, owner: httpx2.AsyncClient, external_id: str) -> str:
    """The receipt of somebody who was erased."""
    erased = await _post(owner, "/v1/persons", external_id=f"erased {external_id}")
    async with time_passing(ground.clock):
        answer = (await owner.delete(f"/v1/persons/{erased['id']}")).json()
    return str(answer["receipt"]["id"])


async def _hook(owner: httpx2.AsyncClient) -> str:
    """A lifecycle webhook; an environment has a few, so the one that is there already."""
    items = (await owner.get("/v1/lifecycle-webhooks")).json()["items"]
    made = items[0] if items else await _post(owner, "/v1/lifecycle-webhooks", url="https://example.com/ops")
    return str(made["id"])


async def _post(owner: httpx2.AsyncClient, path: str, **body: Any) -> dict[str, Any]:
    answer = await owner.post(path, json=body)
    assert answer.status_code in (200, 201, 202), answer.text
    found: dict[str, Any] = answer.json()
    return found
