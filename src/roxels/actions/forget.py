"""Forget a conversation or a person: the transactions that `actions.eraser` puts together into a job.

    forget      the wish is written down, and with it the person is gone for everybody, and her `external_id` is
                nobody's. The first 500 conversations answer `Gone`, and their visits have ended; the first rows go
    take_step   the next conversations, then the next rows, at most 500 a transaction, as often as it takes
    seal        the receipt, once the files are clean

Each can be the last before a crash; what follows is found in `erasures`.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Literal, assert_never

import msgspec

from roxels.actions.audit import Auditor
from roxels.domain.errors import Internal, NotFound
from roxels.domain.ids import Ids
from roxels.domain.lifecycle import of_erasure
from roxels.domain.receipts import Kind, Reason, Receipt, alias_of, digest, sealed, subject_of
from roxels.storage import conversations, erasures, jobs, lifecycle, persons, receipts
from roxels.storage.audit import SYSTEM, Actor
from roxels.storage.erasures import Erasure
from roxels.storage.receipts import ChainLink
from roxels.storage.transaction import Reading, Writing
from roxels.storage.vault import Signer

#: How long a repeated wish is answered with the same receipt.
REPEATABLE = timedelta(hours=24)


By = Literal["interview", "person", "external_id"]


class ErasureRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Whom to forget: a conversation (`interview`) or person by our id, or a person by the customer's own."""

    by: By
    id: str
    reason: Reason
    #: What hides the subject in receipts: `vault.Keyring.subject_salt`.
    salt: bytes
    #: Who wishes it, for the audit log.
    actor: Actor = SYSTEM


def forget(tx: Writing, wish: ErasureRequest, ids: Ids) -> Erasure:
    """Begin to erase, or find what was begun before. Raises `NotFound`, a day after it was done at the latest."""
    erasures.drop_old(tx, tx.now - REPEATABLE)
    match wish.by:
        case "interview":
            return _forget_conversation(tx, wish, ids)
        case "person":
            return _forget_person(tx, wish, wish.id, ids)
        case "external_id":
            person = persons.find(tx, wish.id)
            if person is not None:
                return _forget_person(tx, wish, person.id, ids)
            return _begun(erasures.of_alias(tx, alias_of(wish.salt, tx.environment, wish.id), tx.now - REPEATABLE))
        case _:
            assert_never(wish.by)


class Kin(msgspec.Struct, frozen=True):
    """What is erased with a person beside what is hers by now.

    `selves`: anonymous persons who she was before she said who she is; nothing else is theirs. `shared`: conversations
    that were somebody else's at some time, and that a backup may show as theirs.
    """

    selves: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()


def kin_of(tx: Reading, wish: ErasureRequest) -> Kin:
    """Whom and what this wish concerns beside its subject."""
    match wish.by:
        case "interview":
            return Kin()
        case "person":
            person_id = wish.id  # also where erasing her has begun, and was broken off before the rest
        case "external_id":
            person = persons.find(tx, wish.id)
            if person is None:
                return Kin()
            person_id = person.id
        case _:
            assert_never(wish.by)
    return Kin(tuple(erasures.selves(tx, person_id)), tuple(erasures.shared(tx, person_id)))


def take_step(tx: Writing, erasure_id: str) -> Erasure:
    """Remove the next rows. Raises `NotFound`."""
    return erasures.take_step(tx, _begun(erasures.get(tx, erasure_id)))


def seal(tx: Writing, erasure_id: str, signer: Signer) -> Receipt:
    """Issue the receipt of what is erased and swept, once; it takes the next place in the chain. Raises `NotFound`."""
    erasure = _begun(erasures.get(tx, erasure_id))
    kept = receipts.get(tx, erasure_id)
    if kept is not None:
        erasures.end(tx, erasure)  # it can come from the erase list, where a backup was restored
        return kept
    if erasure.state != "sweeping":
        raise Internal("A receipt is issued only for what is erased.")
    last = receipts.last(tx)
    receipt = Receipt(
        id=erasure.id,
        subject=erasure.subject,
        counts=erasure.counts,
        erased_at=msgspec.to_builtins(tx.now),
        reason=erasure.reason,
        prev=digest(last.receipt) if last else None,
        key_id=signer.key_id,
    )
    receipt = sealed(receipt, signer.sign)
    receipts.add(tx, ChainLink(n=last.n + 1 if last else 1, receipt=receipt))
    if erasure.kind == "person":
        lifecycle.tell(tx, tx.environment, of_erasure(receipt, tx.now))
    erasures.end(tx, erasure)
    return receipt


def _forget_conversation(tx: Writing, wish: ErasureRequest, ids: Ids) -> Erasure:
    person_id = conversations.owner(tx, wish.id)
    if person_id is None:
        return _begun(_of_subject(tx, wish, "interview", wish.id))
    for each in (person_id, conversations.linked_person(tx, wish.id)):
        if each is not None:
            jobs.drop_exports(tx, each)  # they hold this conversation too
            conversations.touch(tx, each)  # and a talk that is under way quotes it
    persons.count_conversation(tx, person_id, -1)
    return _begin(tx, wish, "interview", wish.id, alias=None, ids=ids, removed={})


def _forget_person(tx: Writing, wish: ErasureRequest, person_id: str, ids: Ids) -> Erasure:
    person = persons.get(tx, person_id)  # held from here on, so that of many wishes one begins
    begun = _of_subject(tx, wish, "person", person_id)
    if begun is not None or person is None:
        return _begun(begun)
    alias = None if person.external_id is None else alias_of(wish.salt, tx.environment, person.external_id)
    removed = erasures.estrange(tx, person_id)
    return _begin(tx, wish, "person", person_id, alias=alias, ids=ids, removed=removed)


def _begin(
    tx: Writing, wish: ErasureRequest, kind: Kind, id: str, *, alias: str | None, ids: Ids, removed: Mapping[str, int]
) -> Erasure:
    erasure = Erasure(
        id=ids.new("rcpt"),
        environment=tx.environment,
        kind=kind,
        subject=subject_of(wish.salt, kind, id),
        alias=alias,
        subject_id=id,
        reason=wish.reason,
        state="removing",
        counts=dict(removed),
        created_at=tx.now,
    )
    auditor = Auditor(ids=ids, salt=wish.salt)
    auditor.note(tx, wish.actor, "erase.begun", (kind, id), receipt_id=erasure.id, reason=wish.reason)
    return erasures.take_step(tx, erasures.begin(tx, erasure), taken=sum(removed.values()))


def _of_subject(tx: Reading, wish: ErasureRequest, kind: Kind, id: str) -> Erasure | None:
    return erasures.of_subject(tx, subject_of(wish.salt, kind, id), tx.now - REPEATABLE)


def _begun(erasure: Erasure | None) -> Erasure:
    if erasure is None:
        raise NotFound
    return erasure
