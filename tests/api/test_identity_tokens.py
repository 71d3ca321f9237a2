"""Identity tokens: what a customer's server signed proves who it is; what does not hold is refused, never a claim."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections import Counter
from typing import Any, get_args

import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from roxels.actions.identify import Why
from tests.api.conftest import Door, make, told
from tests.api.test_browser import SESSION

SECRETS = "/v1/identity-secrets"


class Backend:
    """A customer's server: it signs."""

    def __init__(self, door: Door, kid: str, key: Any, alg: str) -> None:
        self.door, self.kid, self.key, self.alg = door, kid, key, alg

    def claims(self, **more: Any) -> dict[str, Any]:
        now = int(self.door.clock.now().timestamp())
        return {"sub": "ada", "exp": now + 300} | more

    def sign(self, claims: dict[str, Any] | None = None, **header: Any) -> str:
        return jwt.encode(self.claims() if claims is None else claims, self.key, self.alg, {"kid": self.kid, **header})


async def new_secret(door: Door, key: str, **body: Any) -> dict[str, Any]:
    async with door.client(key) as server:
        answer = await server.post(SECRETS, json={"name": "web", **body})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


@pytest.fixture
async def backend(door: Door) -> Backend:
    made = await new_secret(door, door.secret)
    return Backend(door, made["kid"], made["value"], "HS256")


async def present(door: Door, token: str, key: str = "", **body: Any) -> httpx2.Response:
    async with door.client(key or door.embed_key) as browser:
        return await browser.post(SESSION, json={"identity_token": token, **body})


def edwards() -> tuple[str, str]:
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(), public


async def test_a_token_that_holds_is_verified(door: Door, backend: Backend) -> None:
    claims = backend.claims(name="Ada Lovelace", context={"plan": "gold"}, jti="1", aud="roxels")
    visit = (await present(door, backend.sign(claims), external_id="ada", context={"plan": "mine"})).json()
    assert visit["resumption"]["proof"] == "verified"
    async with door.client(door.secret) as server:
        (item,) = (await server.get("/v1/interviews")).json()["items"]
        talk = (await server.get(f"/v1/interviews/{item['id']}")).json()
    assert (item["persons"][0]["external_id"], item["persons"][0]["name"]) == ("ada", "Ada Lovelace")
    assert talk["context"] == {"plan": "gold"}, "the server's word wins"
    assert item["sessions"][0]["method"] == "identity_token"


async def test_one_signed_with_a_key_of_their_own(door: Door) -> None:
    private, public = edwards()
    made = await new_secret(door, door.secret, alg="EdDSA", public_key=public)
    assert "value" not in made
    backend = Backend(door, made["kid"], private, "EdDSA")
    assert (await present(door, backend.sign())).json()["resumption"]["proof"] == "verified"
    told(await present(door, Backend(door, made["kid"], edwards()[0], "EdDSA").sign()), 401, "identity_token_invalid")


def swapped(backend: Backend, header: dict[str, Any], key: bytes | None) -> str:
    """A token made by hand, as an attacker makes it."""

    def part(value: dict[str, Any]) -> bytes:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")

    signed = part({"kid": backend.kid, **header}) + b"." + part(backend.claims())
    mac = b"" if key is None else hmac.new(key, signed, hashlib.sha256).digest()
    return (signed + b"." + base64.urlsafe_b64encode(mac).rstrip(b"=")).decode()


BAD: dict[str, Any] = {
    "no exp": lambda it: it.sign({"sub": "ada"}),
    "exp too far": lambda it: it.sign(it.claims(exp=it.claims()["exp"] + 24 * 3600)),
    "exp is text": lambda it: it.sign(it.claims(exp="9999999999")),
    "not yet": lambda it: it.sign(it.claims(nbf=it.claims()["exp"])),
    "issued in the future": lambda it: it.sign(it.claims(iat=it.claims()["exp"])),
    "foreign audience": lambda it: it.sign(it.claims(aud="others")),
    "foreign audiences": lambda it: it.sign(it.claims(aud=["others"])),
    "no subject": lambda it: it.sign({"exp": it.claims()["exp"]}),
    "subject null": lambda it: it.sign(it.claims(sub=None)),
    "subject undefined": lambda it: it.sign(it.claims(sub="undefined")),
    "name is a list": lambda it: it.sign(it.claims(name=["x"])),
    "context is text": lambda it: it.sign(it.claims(context="x")),
    "jti is a number": lambda it: it.sign(it.claims(jti=7)),
    "no kid": lambda it: jwt.encode(it.claims(), it.key, "HS256"),
    "unknown kid": lambda it: it.sign(kid="idk_nope"),
    "another algorithm": lambda it: jwt.encode(it.claims(), it.key, "HS384", {"kid": it.kid}),
    "alg none": lambda it: swapped(it, {"alg": "none"}, None),
    "alg None": lambda it: swapped(it, {"alg": "None"}, None),
    "no signature": lambda it: swapped(it, {"alg": "HS256"}, None),
    "another key": lambda it: swapped(it, {"alg": "HS256"}, b"x" * 40),
    "kid as key": lambda it: swapped(it, {"alg": "HS256"}, it.kid.encode()),
    "altered": lambda it: it.sign()[:-4] + "AAAA",
    "no JWT": lambda it: "x",
    "empty": lambda it: "",
    "huge": lambda it: "x" * 90_000,
}


@pytest.mark.parametrize("fault", BAD)
async def test_what_does_not_hold_is_refused_and_never_a_claim(door: Door, backend: Backend, fault: str) -> None:
    token = BAD[fault](backend)
    assert told(await present(door, token), 401, "identity_token_invalid")["field"] == "identity_token"
    told(await present(door, token, external_id="ada"), 401, "identity_token_invalid")
    async with door.client(door.secret) as server:
        assert (await server.get("/v1/interviews")).json()["items"] == []
        assert (await server.get("/v1/persons")).json()["items"] == []


#: What is counted of each; the others are `malformed`.
REASONS = {
    "no exp": "times", "exp too far": "times", "exp is text": "times", "not yet": "times",
    "issued in the future": "times", "foreign audience": "audience", "foreign audiences": "audience",
    "no subject": "subject", "subject null": "subject", "subject undefined": "subject", "name is a list": "subject",
    "no kid": "secret", "unknown kid": "secret", "another algorithm": "signature", "alg none": "signature",
    "alg None": "signature", "no signature": "signature", "another key": "signature", "kid as key": "signature",
    "altered": "signature",
}  # fmt: skip


async def test_what_is_refused_is_counted_by_its_reason(door: Door, backend: Backend) -> None:
    once = backend.sign(backend.claims(jti="once"))
    for token in (once, once, backend.sign(backend.claims(exp=1)), *(bad(backend) for bad in BAD.values())):
        await present(door, token)
    async with door.client((await present(door, backend.sign())).json()["token"]) as frame:
        await frame.post(f"{SESSION}/identify", json={"identity_token": "x"})
    expected = Counter(REASONS.get(fault, "malformed") for fault in BAD) + Counter(["replayed", "expired", "malformed"])
    counted = {why: count for (name, why), count in door.store.counts.items() if name == "identity_tokens_refused"}
    assert counted == expected
    assert set(counted) == set(get_args(Why)), "each is told, and there are no others"


async def test_a_public_key_is_no_secret(door: Door) -> None:
    _, public = edwards()
    made = await new_secret(door, door.secret, alg="EdDSA", public_key=public)
    backend = Backend(door, made["kid"], None, "EdDSA")
    told(await present(door, swapped(backend, {"alg": "HS256"}, public.encode())), 401, "identity_token_invalid")


async def test_clocks_may_differ_by_a_minute(door: Door, backend: Backend) -> None:
    token = backend.sign()
    door.clock.advance(359)
    assert (await present(door, token)).status_code == 201
    door.clock.advance(1)
    assert told(await present(door, token), 401, "identity_token_expired")["field"] == "identity_token"


async def test_one_with_a_jti_lets_in_once(door: Door, backend: Backend) -> None:
    token = backend.sign(backend.claims(jti="only"))
    answers = await asyncio.gather(*(present(door, token) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [201] + [401] * 7
    again = backend.sign(backend.claims(jti="only", sub="bob"))
    told(await present(door, again), 401, "identity_token_invalid")


async def test_another_id_beside_it_is_refused(door: Door, backend: Backend) -> None:
    token = backend.sign(backend.claims(jti="x"))
    assert told(await present(door, token, external_id="bob"), 400, "validation_error")["field"] == "external_id"
    assert (await present(door, token)).status_code == 201, "nothing was used up"


async def test_the_secret_binds_the_environment(door: Door, backend: Backend) -> None:
    _, live_secret, live_key = await make(door, "live")
    told(await present(door, backend.sign(), live_key), 401, "identity_token_invalid")
    async with door.client(live_secret) as server:
        assert (await server.get(SECRETS)).json()["items"] == []
        told(await server.delete(f"{SECRETS}/{backend.kid}"), 404, "not_found")


async def test_secrets_change_over_and_are_revoked(door: Door, backend: Backend) -> None:
    made = await new_secret(door, door.secret)
    newer = Backend(door, made["kid"], made["value"], "HS256")
    assert [(await present(door, each.sign())).status_code for each in (backend, newer)] == [201, 201]
    async with door.client(door.secret) as server:
        revoked = (await server.delete(f"{SECRETS}/{backend.kid}")).json()
        listed = (await server.get(SECRETS)).json()["items"]
    assert revoked["revoked_at"] is not None
    assert [each["id"] for each in listed] == [newer.kid, backend.kid]
    assert "value" not in str(listed)
    told(await present(door, backend.sign()), 401, "identity_token_invalid")
    assert (await present(door, newer.sign())).status_code == 201


async def test_what_was_proven_lasts_as_long_as_the_template_says(door: Door) -> None:
    raw = {"name": "x", "goals": [{"id": "g"}], "settings": {"embedded": {"proof_hours": 1}}}
    _, _, key = await make(door, "test", raw)
    made = await new_secret(door, door.secret)
    visit = (await present(door, Backend(door, made["kid"], made["value"], "HS256").sign(), key)).json()
    assert visit["expires_at"] == "2026-03-02T10:00:00Z"


@pytest.mark.parametrize(
    "body", [{"alg": "EdDSA"}, {"alg": "HS256", "public_key": "x"}, {"alg": "EdDSA", "public_key": "x"}]
)
async def test_keys_that_cannot_be_used(door: Door, body: dict[str, Any]) -> None:
    async with door.client(door.secret) as server:
        assert told(await server.post(SECRETS, json=body), 400, "validation_error")["field"] == "public_key"
