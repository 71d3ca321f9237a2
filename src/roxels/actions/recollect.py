"""Recollect what a visit may use of a person's past."""

import msgspec

from roxels.domain.memory import Memory, remember
from roxels.domain.proof import Proof, Sight, owners_sight, sight_of
from roxels.storage import conversations, devices, persons, templates
from roxels.storage.devices import Device
from roxels.storage.sessions import Visit
from roxels.storage.transaction import Reading


def sight(tx: Reading, person_id: str, proof: Proof, browser: str | None, template_id: str) -> Sight:
    """What a session with this proof, held by this browser, sees of this person on this template."""
    device = devices.find(tx, person_id, browser) if browser is not None else None
    return sight_by(tx, person_id, proof, browser, policy=templates.policy(tx, template_id), device=device)


def sight_by(
    tx: Reading, person_id: str, proof: Proof, browser: str | None, *, policy: Proof, device: Device | None
) -> Sight:
    """The same where the policy, and what is known of the browser, are at hand.

    Whoever is known and who is not costs the same work: where the policy is not met, nothing is looked for whose cost
    grows with somebody's past.
    """
    return sight_of(
        person_id,
        proof,
        browser=browser,
        policy=policy,
        strictest=templates.strictest(tx, person_id) if proof >= policy else policy,
        is_verified_device=device is not None and device.is_verified,
    )


def recollect(tx: Reading, person_id: str, visit: Visit, template_id: str) -> Memory:
    """The memory of all other conversations that this visit may see, and what the customer's server keeps of the person
    (`org_context`) where it may be told that."""
    own = sight(tx, person_id, visit.proof, visit.browser, template_id)
    memory = remember(conversations.earlier(tx, own, but=visit.conversation_id))
    person = persons.get(tx, person_id) if own.tells_attributes else None
    return msgspec.structs.replace(memory, attributes=person.org_context) if person is not None else memory


def recollect_all(tx: Reading, person_id: str) -> Memory:
    """The memory of all that was ever said as this person, for the owner of the installation; never for a session."""
    return remember(conversations.earlier(tx, owners_sight(person_id), but=""))
