"""Identity tokens that her server never signed, or not for this."""

import base64
import json
from typing import Any

import jwt

from roxels.storage.transaction import Environment
from tests.attack.people import Browser
from tests.attack.registry import technique
from tests.attack.victims import Victim

ASKING = "What did I tell you about my PIN?"
WEAK = "0123456789abcdef0123456789abcdef"


def claims(attacker: Browser, victim: Victim, **more: Any) -> dict[str, Any]:
    """What a good token of hers says."""
    now = int(attacker.ground.clock.now().timestamp())
    return {"sub": victim.external_id, "exp": now + 300} | more


def kid(attacker: Browser, environment: Environment = "test") -> str:
    """The public name of the customer's secret."""
    return attacker.ground.signing[environment][0].id


def signed_by_the_customer(attacker: Browser, what: dict[str, Any], environment: Environment = "test") -> str:
    """A token as the customer's backend makes it: techniques alter it, or take it elsewhere."""
    secret, value = attacker.ground.signing[environment]
    return jwt.encode(what, value, "HS256", {"kid": secret.id})


def written(header: dict[str, Any], what: dict[str, Any], signature: str = "") -> str:
    """A token put together by hand."""
    parts = (base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in (header, what))
    return ".".join([*parts, signature])


async def present(attacker: Browser, victim: Victim, token: str, **body: Any) -> None:
    """Start with this token, and ask."""
    await attacker.converse(await attacker.start(victim.place, identity_token=token, **body), ASKING)


@technique("T6")
async def sign_nothing(attacker: Browser, victim: Victim) -> None:
    """A token whose algorithm is `none`, in every spelling."""
    for alg in ("none", "None", "NONE", "nOnE", ""):
        await present(attacker, victim, written({"alg": alg, "kid": kid(attacker)}, claims(attacker, victim)))


@technique("T6")
async def sign_with_my_own_secret(attacker: Browser, victim: Victim) -> None:
    """A token under the customer's `kid`, signed by me."""
    await present(attacker, victim, jwt.encode(claims(attacker, victim), WEAK, "HS256", {"kid": kid(attacker)}))


@technique("T6")
async def sign_with_what_is_public(attacker: Browser, victim: Victim) -> None:
    """A token signed with the embed key, and with the `kid` itself."""
    for secret in (victim.place.embed_key, kid(attacker).ljust(32, "0")):
        await present(attacker, victim, jwt.encode(claims(attacker, victim), secret, "HS256", {"kid": kid(attacker)}))


@technique("T6")
async def swap_the_algorithm(attacker: Browser, victim: Victim) -> None:
    """A token that names another algorithm than its secret has."""
    for alg in ("HS384", "HS512"):
        token = jwt.encode(claims(attacker, victim), WEAK * 2, alg, {"kid": kid(attacker)})
        await present(attacker, victim, token)
    for alg in ("EdDSA", "RS256", "ES256"):
        header = {"alg": alg, "kid": kid(attacker)}
        await present(attacker, victim, written(header, claims(attacker, victim), "AAAA"))


@technique("T6")
async def change_whom_it_names(attacker: Browser, victim: Victim) -> None:
    """A good token of mine, with her id written over mine."""
    mine = signed_by_the_customer(attacker, claims(attacker, victim, sub="mallory"))
    head, _, signature = mine.split(".")
    body = written({}, claims(attacker, victim)).split(".")[1]
    await present(attacker, victim, ".".join([head, body, signature]))


@technique("T6")
async def cut_the_signature(attacker: Browser, victim: Victim) -> None:
    """A token without its signature, with half of it, and with one letter changed."""
    mine = signed_by_the_customer(attacker, claims(attacker, victim, sub="mallory"))
    head, _, signature = mine.split(".")
    body = written({}, claims(attacker, victim)).split(".")[1]
    for cut in ("", signature[:20], signature[:-2] + "AA"):
        await present(attacker, victim, ".".join([head, body, cut]))


@technique("T6")
async def use_an_expired_one(attacker: Browser, victim: Victim) -> None:
    """A token of hers that was found in a log, an hour after its end."""
    long_ago = int(attacker.ground.clock.now().timestamp()) - 3600
    await present(attacker, victim, signed_by_the_customer(attacker, claims(attacker, victim, exp=long_ago)))


@technique("T6")
async def use_one_that_never_ends(attacker: Browser, victim: Victim) -> None:
    """A token without `exp`, and one that ends in a year."""
    later = int(attacker.ground.clock.now().timestamp()) + 365 * 86400
    for what in ({"sub": victim.external_id}, claims(attacker, victim, exp=later)):
        await present(attacker, victim, signed_by_the_customer(attacker, what))


@technique("T6")
async def use_one_for_somebody_else(attacker: Browser, victim: Victim) -> None:
    """A token whose audience is another service."""
    for audience in ("other", ["other"], ""):
        await present(attacker, victim, signed_by_the_customer(attacker, claims(attacker, victim, aud=audience)))


@technique("T6")
async def use_one_twice(attacker: Browser, victim: Victim) -> None:
    """A one-use token of hers, seen after she used it."""
    jti = f"seen-{attacker.ground.house.ids.new('msg')}"
    token = signed_by_the_customer(attacker, claims(attacker, victim, sub=f"passer-by {jti}", jti=jti))
    await victim.browser.start(victim.place, identity_token=token, headers={})
    await present(attacker, victim, token)


@technique("T6")
async def stay_when_the_secret_is_revoked(attacker: Browser, victim: Victim) -> None:
    """A visit as her by a secret that got out; once that is revoked, go on in it, and come back as its browser."""
    async with attacker.ground.owner() as owner:
        leaked = (await owner.post("/v1/identity-secrets", json={"name": "leaked"})).json()
        token = jwt.encode(claims(attacker, victim), leaked["value"], "HS256", {"kid": leaked["kid"]})
        visit = await attacker.start(victim.place, identity_token=token)
        await owner.delete(f"/v1/identity-secrets/{leaked['kid']}")
    await attacker.converse(visit, ASKING)
    await attacker.converse(await attacker.start(victim.place, external_id=victim.external_id), ASKING)
    await present(attacker, victim, token)


@technique("T23")
async def use_one_of_the_other_environment(attacker: Browser, victim: Victim) -> None:
    """A good token of `live`, presented with a key of `test`."""
    await present(attacker, victim, signed_by_the_customer(attacker, claims(attacker, victim), "live"))


@technique("T6")
async def name_another_secret(attacker: Browser, victim: Victim) -> None:
    """A token whose `kid` is a path, a pattern, a list, or missing."""
    for name in ("../../dev/null", "%", "' OR 1=1 --", ""):
        await present(attacker, victim, jwt.encode(claims(attacker, victim), WEAK, "HS256", {"kid": name}))
    await present(attacker, victim, written({"alg": "HS256", "kid": [kid(attacker)]}, claims(attacker, victim), "AA"))
    await present(attacker, victim, jwt.encode(claims(attacker, victim), WEAK, "HS256"))


@technique("T6")
async def bring_the_key_along(attacker: Browser, victim: Victim) -> None:
    """A token that carries or points to the key by which it wants to be checked."""
    for extra in ({"jwk": {"kty": "oct", "k": WEAK}}, {"jku": "https://evil.example/keys"}, {"x5u": "https://evil"}):
        header = {"kid": kid(attacker), **extra}
        await present(attacker, victim, jwt.encode(claims(attacker, victim), WEAK, "HS256", header))


@technique("T6")
async def fall_back_to_a_claim(attacker: Browser, victim: Victim) -> None:
    """A bad token beside her id, hoping that the id is taken when the token is not."""
    await present(attacker, victim, "not.a.token", external_id=victim.external_id)


@technique("T6")
async def be_two_people(attacker: Browser, victim: Victim) -> None:
    """A good token of mine beside her id."""
    mine = signed_by_the_customer(attacker, claims(attacker, victim, sub="mallory"))
    await present(attacker, victim, mine, external_id=victim.external_id)
