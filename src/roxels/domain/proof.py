"""How sure we are who is there, and what that opens.

`anonymous < claimed < device < verified`. What a session may see of a person's past is one value, `Sight`, and only
this module makes it: storage's readers of a past take a `Sight`, so nothing can read one without having asked here.

The policy (`settings.embedded.history_requires`) is the least proof that opens a person's past:

    policy        anonymous   claimed       device        verified
    claimed       nothing     unproven      unproven      proven         like sees like
    device        nothing     nothing       own device    proven
    verified      nothing     nothing       nothing       proven

    nothing       no conversation
    unproven      every conversation of this person that is not proven, from any browser
    own device    those of them in which nobody but this very browser took part
    proven        every proven conversation, those that are vouched for, and those in which nobody but devices that were
                  verified for her took part

A conversation is *proven* once a session in it was verified, or was opened by a server (whose context may stand in it).
It is *vouched for* while it is adopted on verified grounds (by an operator, or by a server's key) and nobody unverified
has spoken since. So no policy lets a claim open what was verified, and no claimed word reaches a verified session:
whoever talks under somebody's name without proof is not told, and not quoted, to her, unless that is adopted.

An earlier conversation is judged by the stricter of two policies, its own template's and that of the template which
asks. And only a verified session is told under a lax template what was said under a stricter one: what any other is
told stands in a conversation that the lax policy opens, to whoever claims the name.
"""

from enum import Enum, IntEnum
from typing import Literal

import msgspec

from roxels.domain.errors import Internal


class Proof(IntEnum):
    """How a session's person is known; ordered, so that `max` is the highest."""

    anonymous = 0
    claimed = 1
    device = 2
    verified = 3


#: What `history_requires` may say, laxest first.
POLICIES = (Proof.claimed, Proof.device, Proof.verified)

#: How a session was opened. `link`: a fresh session for a conversation that stands, at the proof which that had.
Method = Literal["none", "external_id", "device", "identity_token", "secret_key", "link"]


class _Seal(msgspec.Struct, frozen=True):
    """What a `Sight` was made of, so that no part of it can be replaced."""

    of: tuple[object, ...]


class Scope(Enum):
    """Which of a person's conversations; see the table above."""

    nothing = "nothing"
    unproven = "unproven"
    own_device = "own_device"
    proven = "proven"
    #: For the owner of the installation only.
    everything = "everything"


_TABLE: dict[Proof, tuple[Scope, Scope, Scope, Scope]] = {
    Proof.claimed: (Scope.nothing, Scope.unproven, Scope.unproven, Scope.proven),
    Proof.device: (Scope.nothing, Scope.nothing, Scope.own_device, Scope.proven),
    Proof.verified: (Scope.nothing, Scope.nothing, Scope.nothing, Scope.proven),
}


class Sight(msgspec.Struct, frozen=True):
    """What one session may see of one person's past. Made here only."""

    person_id: str
    #: The browser that holds the session, by the hash of its secret.
    browser: str | None
    proof: Proof
    #: Whether the policy of the template that asks is met.
    meets_policy: bool
    #: What is seen of conversations by the policy of their own template, in the order of `POLICIES`.
    scopes: tuple[Scope, Scope, Scope]
    #: Whether a person's attributes (`name`, `org_context`) are told in this session.
    tells_attributes: bool
    #: Whether a name counts that a browser gave; else only one that a server gave.
    trusts_browser_name: bool
    seal: _Seal | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.seal, _Seal) or self.seal.of != _parts(self):
            raise Internal("a Sight is made by domain.proof alone")


class Talk(msgspec.Struct, frozen=True, kw_only=True):
    """An earlier conversation as the rule judges it. Storage says the same in SQL (`storage.seen`)."""

    person_id: str
    #: What its template requires.
    policy: Proof
    is_proven: bool
    #: The browsers that held its sessions; None stands for one without a device cookie.
    browsers: frozenset[str | None]
    #: An adoption speaks for all that was said in it.
    is_vouched: bool = False


def sight_of(
    person_id: str,
    proof: Proof,
    *,
    browser: str | None,
    policy: Proof,
    strictest: Proof = Proof.claimed,
    is_verified_device: bool = False,
) -> Sight:
    """What a session sees of this person's past conversations.

    `browser`: the one that holds the session, by the hash of its secret; `is_verified_device`: it was verified for this
    person before. `policy`: what the template that is opened requires.

    A device that was never verified proves only that it is the same one again, and whoever claims a name twice has
    one. So under `device` it sees what it said itself, but is told no attributes.

    `strictest`: what the strictest of the templates requires on which somebody talked as this person. Attributes belong
    to no template, so they are judged by it too: else a lax template would tell whom a strict one protects.
    """
    if policy not in POLICIES:
        raise Internal("a policy is claimed, device or verified")
    claimed, device, verified = (_scope(each, policy, proof, browser) for each in POLICIES)
    knows = proof >= policy and (policy is not Proof.device or proof > policy or is_verified_device)
    return _sealed(
        person_id,
        browser,
        proof,
        proof >= policy,
        (claimed, device, verified),
        knows and (proof is Proof.verified or strictest <= policy),
        policy is Proof.claimed and proof < Proof.verified,
    )


def owners_sight(person_id: str) -> Sight:
    """What the owner of the installation sees, in the dashboard and by the API: all of it. Never for a session."""
    everything = (Scope.everything, Scope.everything, Scope.everything)
    return _sealed(person_id, None, Proof.verified, True, everything, True, True)


def opens(sight: Sight, talk: Talk, verified: frozenset[str]) -> bool:
    """Whether this sight opens this conversation. `verified`: the browsers that were verified for the person."""
    if talk.person_id != sight.person_id:
        return False
    match sight.scopes[POLICIES.index(talk.policy)]:
        case Scope.nothing:
            return False
        case Scope.unproven:
            return not talk.is_proven
        case Scope.own_device:
            return not talk.is_proven and talk.browsers == {sight.browser}
        case Scope.proven:
            return talk.is_proven or talk.is_vouched or (bool(talk.browsers) and talk.browsers <= verified)
        case Scope.everything:
            return True


def may_stay(proof: Proof, top: Proof) -> bool:
    """Whether a session goes on in a conversation whose best session has the proof `top`.

    Once a verified session takes part, it is closed to all others, those included that listen already.
    """
    return proof is Proof.verified or top < Proof.verified


def _scope(told: Proof, asking: Proof, proof: Proof, browser: str | None) -> Scope:
    """What is seen of conversations whose template requires `told`, in one whose template requires `asking`."""
    if told > asking and proof is not Proof.verified:
        return Scope.nothing
    scope = _TABLE[max(told, asking)][proof]
    return Scope.nothing if scope is Scope.own_device and browser is None else scope


def _parts(sight: Sight) -> tuple[object, ...]:
    return tuple(getattr(sight, name) for name in sight.__struct_fields__[:-1])


def _sealed(
    person_id: str,
    browser: str | None,
    proof: Proof,
    meets_policy: bool,
    scopes: tuple[Scope, Scope, Scope],
    tells_attributes: bool,
    trusts_browser_name: bool,
) -> Sight:
    parts = (person_id, browser, proof, meets_policy, scopes, tells_attributes, trusts_browser_name)
    return Sight(*parts, _Seal(parts))
