"""What a server keeps of a person (`org_context`) is told in the sessions that meet the policy, and in no other."""

import pytest

from roxels.actions import author, people, recollect
from roxels.actions.open import Opened, VisitRequest, open_visit
from roxels.domain.ids import Ids
from roxels.domain.memory import Memory
from roxels.domain.proof import Method, Proof
from roxels.storage import sessions
from roxels.storage.store import Store
from roxels.storage.transaction import Reading, Writing
from roxels.testing import CountedIds
from tests.storage.conftest import TEMPLATE

METHODS: dict[Proof, Method] = {Proof.claimed: "external_id", Proof.verified: "secret_key"}


def come(tx: Writing, policy: str, proof: Proof, ids: Ids) -> Opened:
    """Somebody comes as Ada, of whom something is kept."""
    template = author.create(tx, {**TEMPLATE, "settings": {"embedded": {"history_requires": policy}}}, ids)
    people.upsert(tx, "ada", {"org_context": {"plan": "gold"}}, ids)
    wish = VisitRequest(
        template_id=template.id,
        external_id="ada",
        name=None,
        source="browser" if proof is Proof.claimed else "server",
        proof=proof,
        method=METHODS[proof],
        context={},
    )
    return open_visit(tx, wish, ids)


def remembered(tx: Reading, opened: Opened) -> Memory:
    """What this visit is told."""
    visit = sessions.by_id(tx, opened.session_id)
    assert visit is not None
    return recollect.recollect(tx, visit.person_id, visit, opened.state.template_id)


@pytest.mark.parametrize(
    ("policy", "proof", "told"),
    [
        ("claimed", Proof.claimed, {"plan": "gold"}),
        ("device", Proof.claimed, {}),
        ("verified", Proof.claimed, {}),
        ("claimed", Proof.verified, {"plan": "gold"}),
        ("device", Proof.verified, {"plan": "gold"}),
        ("verified", Proof.verified, {"plan": "gold"}),
    ],
)
async def test_attributes_are_told_where_the_policy_is_met(
    store: Store, ids: CountedIds, policy: str, proof: Proof, told: dict[str, str]
) -> None:
    opened = await store.write("test", come, policy, proof, ids)
    assert (await store.read("test", remembered, opened)).attributes == told
