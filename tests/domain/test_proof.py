"""The policy, every combination written out: what a session sees is no accident of code."""

import itertools

import msgspec
import pytest

from roxels.domain.errors import Internal
from roxels.domain.proof import POLICIES, Proof, Scope, Sight, Talk, may_stay, opens, sight_of

NONE, OPEN, OWN, PROVEN = Scope.nothing, Scope.unproven, Scope.own_device, Scope.proven

#: (policy of the template that asks, proof, whether there is a browser): what is seen of conversations whose own
#: templates require claimed, device, verified.
SCOPES = {
    ("claimed", "anonymous", False): (NONE, NONE, NONE),
    ("claimed", "anonymous", True): (NONE, NONE, NONE),
    ("claimed", "claimed", False): (OPEN, NONE, NONE),
    ("claimed", "claimed", True): (OPEN, NONE, NONE),
    ("claimed", "device", False): (OPEN, NONE, NONE),
    ("claimed", "device", True): (OPEN, NONE, NONE),
    ("claimed", "verified", False): (PROVEN, PROVEN, PROVEN),
    ("claimed", "verified", True): (PROVEN, PROVEN, PROVEN),
    ("device", "anonymous", False): (NONE, NONE, NONE),
    ("device", "anonymous", True): (NONE, NONE, NONE),
    ("device", "claimed", False): (NONE, NONE, NONE),
    ("device", "claimed", True): (NONE, NONE, NONE),
    ("device", "device", False): (NONE, NONE, NONE),
    ("device", "device", True): (OWN, OWN, NONE),
    ("device", "verified", False): (PROVEN, PROVEN, PROVEN),
    ("device", "verified", True): (PROVEN, PROVEN, PROVEN),
    ("verified", "anonymous", False): (NONE, NONE, NONE),
    ("verified", "anonymous", True): (NONE, NONE, NONE),
    ("verified", "claimed", False): (NONE, NONE, NONE),
    ("verified", "claimed", True): (NONE, NONE, NONE),
    ("verified", "device", False): (NONE, NONE, NONE),
    ("verified", "device", True): (NONE, NONE, NONE),
    ("verified", "verified", False): (PROVEN, PROVEN, PROVEN),
    ("verified", "verified", True): (PROVEN, PROVEN, PROVEN),
}

#: (policy, proof, a device that was verified): whether attributes are told, and a browser's name trusted.
ATTRIBUTES = {
    ("claimed", "anonymous", False): (False, True),
    ("claimed", "anonymous", True): (False, True),
    ("claimed", "claimed", False): (True, True),
    ("claimed", "claimed", True): (True, True),
    ("claimed", "device", False): (True, True),
    ("claimed", "device", True): (True, True),
    ("claimed", "verified", False): (True, False),
    ("claimed", "verified", True): (True, False),
    ("device", "anonymous", False): (False, False),
    ("device", "anonymous", True): (False, False),
    ("device", "claimed", False): (False, False),
    ("device", "claimed", True): (False, False),
    ("device", "device", False): (False, False),
    ("device", "device", True): (True, False),
    ("device", "verified", False): (True, False),
    ("device", "verified", True): (True, False),
    ("verified", "anonymous", False): (False, False),
    ("verified", "anonymous", True): (False, False),
    ("verified", "claimed", False): (False, False),
    ("verified", "claimed", True): (False, False),
    ("verified", "device", False): (False, False),
    ("verified", "device", True): (False, False),
    ("verified", "verified", False): (True, False),
    ("verified", "verified", True): (True, False),
}

BROWSERS = ("mine", "hers", None)
GROUPS = [frozenset(group) for size in range(3) for group in itertools.combinations(BROWSERS, size)]
TALKS = [
    Talk(person_id=who, policy=policy, is_proven=proven, browsers=group)
    for who, policy, proven, group in itertools.product(("ada", "bob"), POLICIES, (False, True), GROUPS)
]


def sight(policy: str, proof: str, browser: str | None = "mine", *, verified: bool = False) -> Sight:
    return sight_of("ada", Proof[proof], browser=browser, policy=Proof[policy], is_verified_device=verified)


def test_every_combination_is_listed() -> None:
    every = set(itertools.product((policy.name for policy in POLICIES), (proof.name for proof in Proof), (False, True)))
    assert set(SCOPES) == set(ATTRIBUTES) == every


@pytest.mark.parametrize("case", SCOPES)
def test_what_is_seen(case: tuple[str, str, bool]) -> None:
    policy, proof, has_browser = case
    assert sight(policy, proof, "mine" if has_browser else None).scopes == SCOPES[case]


@pytest.mark.parametrize("case", ATTRIBUTES)
def test_what_is_told_of_a_person(case: tuple[str, str, bool]) -> None:
    policy, proof, is_verified = case
    seen = sight(policy, proof, verified=is_verified)
    assert (seen.tells_attributes, seen.trusts_browser_name) == ATTRIBUTES[case]
    assert seen.meets_policy == (Proof[proof] >= Proof[policy])


@pytest.mark.parametrize("proof", [proof for proof in Proof if proof < Proof.verified])
@pytest.mark.parametrize("policy", POLICIES)
def test_nothing_less_than_verified_opens_what_was_proven(policy: Proof, proof: Proof) -> None:
    seen = sight(policy.name, proof.name)
    assert not [talk for talk in TALKS if talk.is_proven and opens(seen, talk, frozenset(BROWSERS[:2]))]


@pytest.mark.parametrize("policy", POLICIES)
def test_what_a_stranger_said_never_reaches_a_verified_session(policy: Proof) -> None:
    seen = sight(policy.name, "verified")
    for talk in TALKS:
        foreign = not talk.browsers or talk.browsers - {"mine"}
        if not talk.is_proven and foreign:
            assert not opens(seen, talk, frozenset({"mine"}))


def test_nobody_sees_somebody_else_s() -> None:
    for policy, proof in itertools.product(POLICIES, Proof):
        seen = sight(policy.name, proof.name)
        assert not [talk for talk in TALKS if talk.person_id == "bob" and opens(seen, talk, frozenset({"mine"}))]


@pytest.mark.parametrize("proof", [proof for proof in Proof if proof < Proof.verified])
@pytest.mark.parametrize("policy", POLICIES)
def test_a_lax_template_does_not_tell_what_was_said_under_a_strict_one(policy: Proof, proof: Proof) -> None:
    """What this very browser said is no exception: it would stand in a talk that the lax policy opens to a claim."""
    seen = sight(policy.name, proof.name)
    assert all(talk.policy <= policy for talk in TALKS if opens(seen, talk, frozenset({"mine"})))


@pytest.mark.parametrize(("proof", "is_told"), [(Proof.device, False), (Proof.verified, True)])
def test_a_lax_template_does_not_tell_whom_a_strict_one_protects(proof: Proof, is_told: bool) -> None:
    seen = sight_of("ada", proof, browser="mine", policy=Proof.claimed, strictest=Proof.device, is_verified_device=True)
    assert seen.tells_attributes == is_told


def test_only_the_rule_makes_a_sight() -> None:
    with pytest.raises(Internal):
        Sight("ada", "mine", Proof.verified, True, (PROVEN, PROVEN, PROVEN), True, True)
    seen = sight("claimed", "claimed")
    for more in ({"person_id": "bob"}, {"scopes": (PROVEN, PROVEN, PROVEN)}, {"browser": "hers"}, {"seal": None}):
        with pytest.raises(Internal):
            msgspec.structs.replace(seen, **more)
    assert msgspec.structs.replace(seen) == seen


@pytest.mark.parametrize(("proof", "top"), list(itertools.product(Proof, Proof)))
def test_who_may_stay(proof: Proof, top: Proof) -> None:
    assert may_stay(proof, top) == (proof is Proof.verified or top is not Proof.verified)
