"""What a sight opens in SQL is what the rule opens, over pasts that real visits made."""

import itertools
from typing import Any

import pytest
from sqlalchemy import select

from roxels.actions.adopt import adopt
from roxels.actions.open import VisitRequest, open_visit
from roxels.domain.proof import POLICIES, Proof, Talk, opens, sight_of
from roxels.storage import devices, schema, templates
from roxels.storage.seen import seen
from roxels.storage.store import Store
from roxels.storage.transaction import Reading, Writing
from roxels.testing import CountedIds
from tests.actions.planting import Chance
from tests.storage.conftest import TEMPLATE

BROWSERS = ("mine", "hers", None)


def template(policy: Proof) -> dict[str, Any]:
    return {**TEMPLATE, "settings": {"embedded": {"resumption": True, "history_requires": policy.name}}}


def wish(chance: Chance, template_ids: list[str]) -> VisitRequest:
    is_server = chance.below(5) == 0
    proof = Proof.verified if is_server or chance.below(5) == 0 else Proof.claimed
    return VisitRequest(
        template_id=template_ids[chance.below(3)],
        external_id=["ada", "bob"][chance.below(2)],
        name=None,
        source="server" if is_server else "browser",
        proof=proof,
        method="secret_key" if is_server else "identity_token" if proof is Proof.verified else "external_id",
        context={},
        resume=chance.below(10) < 7,
        browser=None if is_server else BROWSERS[chance.below(3)],
        wants_token=not is_server,
    )


def talks(tx: Reading) -> dict[str, Talk]:
    """All conversations as the rule judges them, read without it."""
    policies = {row.id: Proof(row.history_requires) for row in tx.all(select(schema.templates))}
    held: dict[str, set[str | None]] = {}
    for row in tx.all(select(schema.sessions)):
        if row.token_hash is not None:
            held.setdefault(row.conversation_id, set()).add(row.browser_hash)
    return {
        row.id: Talk(
            person_id=row.person_id,
            policy=policies[row.template_id],
            is_proven=row.is_proven,
            is_vouched=row.is_vouched,
            browsers=frozenset(held.get(row.id, ())),
        )
        for row in tx.all(select(schema.conversations))
    }


@pytest.mark.parametrize("seed", range(3))
async def test_sql_says_what_the_rule_says(store: Store, ids: CountedIds, seed: int) -> None:
    chance = Chance(seed)

    def visits(tx: Writing) -> None:
        template_ids = [templates.create(tx, template(policy), ids) for policy in POLICIES]
        for _ in range(90):
            open_visit(tx, wish(chance, template_ids), ids)
        unproven = [id for id, talk in talks(tx).items() if not talk.is_proven]
        for talk in unproven[::4]:
            adopt(tx, talk, talks(tx)[unproven[0]].person_id)
        for device in devices.of_person(tx, next(iter(talks(tx).values())).person_id)[:1]:
            devices.revoke(tx, device)

    def compare(tx: Reading) -> int:
        found = 0
        persons = {row.id for row in tx.all(select(schema.persons))}
        for person_id, proof, policy, browser in itertools.product(persons, Proof, POLICIES, BROWSERS):
            verified = frozenset(each.browser for each in devices.of_person(tx, person_id) if each.is_verified)
            sight = sight_of(person_id, proof, browser=browser, policy=policy)
            by_rule = {id for id, talk in talks(tx).items() if opens(sight, talk, verified)}
            by_sql = {row.id for row in tx.all(select(schema.conversations.c.id).where(seen(tx, sight)))}
            assert by_sql == by_rule, (proof, policy, browser)
            found += len(by_sql)
        return found

    await store.write("test", visits)
    assert await store.read("test", compare) > 100
