"""Erasing under way: what is pending survives a crash; what is done answers a repeated wish for a day."""

from collections.abc import Collection
from datetime import datetime
from typing import Literal

import msgspec
from sqlalchemy import and_, delete, insert, or_, select, update

from roxels.domain.receipts import Kind, Reason
from roxels.storage import finding
from roxels.storage.persons import count_conversation
from roxels.storage.roads import remove
from roxels.storage.schema import ERASING, conversations, erasures, person_words, persons, receipts, sessions
from roxels.storage.transaction import Across, AnySelect, Environment, Reading, Rows, Writing

#: removing: rows are left.   sweeping: they are gone, the files are not clean yet.   done: the receipt stands.
State = Literal["removing", "sweeping", "done"]

#: Rows that one transaction removes at most, so that nobody waits long for it.
AT_ONCE = 500


class Erasure(msgspec.Struct, frozen=True, kw_only=True):
    """One wish to be forgotten. Its id is that of the receipt to come."""

    id: str
    environment: Environment
    kind: Kind
    subject: str
    alias: str | None
    #: Whom it is about, while rows are left.
    subject_id: str | None
    reason: Reason
    state: State
    counts: dict[str, int]
    created_at: datetime
    ended_at: datetime | None = None


def begin(tx: Writing, erasure: Erasure) -> Erasure:
    """Write the wish down: from this transaction on it will be carried out."""
    tx.run(insert(erasures).values(msgspec.structs.asdict(erasure)))
    return erasure


def get(tx: Reading, erasure_id: str) -> Erasure | None:
    """The erasure of that id."""
    query = select(erasures).where(erasures.c.environment == tx.environment, erasures.c.id == erasure_id)
    return _first(tx, tx.held(query))


def of_subject(tx: Reading, subject: str, since: datetime) -> Erasure | None:
    """The erasure of this hashed subject that is pending, or was done after `since`."""
    return _newest(tx, select(erasures).where(erasures.c.subject == subject), since)


def of_alias(tx: Reading, alias: str, since: datetime) -> Erasure | None:
    """The same by the hash of an external id; where it was erased more than once, the last time."""
    return _newest(tx, select(erasures).where(erasures.c.alias == alias), since)


def pending(view: Across) -> list[Erasure]:
    """What is not done yet, of all environments, oldest first."""
    query = select(erasures).where(erasures.c.state.in_(("removing", "sweeping"))).order_by(erasures.c.created_at)
    return [_of(row) for row in view.all(query)]


def fence(tx: Writing, kind: Kind, subject_id: str) -> int:
    """Take the next `AT_ONCE` conversations of the subject away from everybody, and end their visits.

    Whoever listens is told once this is committed. Says how many there were.
    """
    is_theirs = conversations.c.id == subject_id
    if kind == "person":
        is_theirs = or_(conversations.c.person_id == subject_id, conversations.c.linked_person_id == subject_id)
    query = (
        select(conversations.c.id)
        .where(conversations.c.environment == tx.environment, is_theirs, conversations.c.epoch != ERASING)
        .limit(AT_ONCE)
    )
    ids = [row.id for row in tx.all(query)]
    if kind == "person":
        _count_off(tx, ids, subject_id)
    tx.run(update(conversations).where(conversations.c.id.in_(ids)).values(epoch=ERASING, speaker=None))
    tx.run(
        update(sessions)
        .where(sessions.c.conversation_id.in_(ids), sessions.c.ended_at.is_(None))
        .values(ended_at=tx.now)
    )
    tx.touched.update(ids)
    return len(ids)


def _count_off(tx: Writing, ids: list[str], subject_id: str) -> None:
    """Others to whom a conversation belongs have one fewer."""
    query = select(conversations.c.person_id).where(
        conversations.c.id.in_(ids), conversations.c.person_id != subject_id
    )
    for row in tx.all(query):
        count_conversation(tx, row.person_id, -1)


def selves(tx: Reading, person_id: str) -> list[str]:
    """Anonymous persons of whom a conversation was adopted by this one, and who have none left."""
    adopted = select(conversations.c.linked_person_id).where(
        conversations.c.environment == tx.environment, conversations.c.person_id == person_id
    )
    own = select(conversations.c.id).where(conversations.c.person_id == persons.c.id)
    query = select(persons.c.id).where(
        persons.c.environment == tx.environment,
        persons.c.id.in_(adopted),
        persons.c.external_id.is_(None),
        ~own.exists(),
    )
    return [row.id for row in tx.all(query)]


def shared(tx: Reading, person_id: str) -> list[str]:
    """Conversations that are this person's and were another's, or the other way round."""
    query = select(conversations.c.id).where(
        conversations.c.environment == tx.environment,
        or_(
            conversations.c.linked_person_id == person_id,
            and_(conversations.c.person_id == person_id, conversations.c.linked_person_id.is_not(None)),
        ),
    )
    return [row.id for row in tx.all(query)]


def estrange(tx: Writing, person_id: str) -> dict[str, int]:
    """Take a person's row away from her ids and attributes: whoever comes with her `external_id` now is a stranger.

    Says what was removed with it: that by which she was found.
    """
    tx.run(
        update(persons)
        .where(persons.c.environment == tx.environment, persons.c.id == person_id)
        .values(is_estranged=True, external_id=None, name=None, email=None, phone=None, metadata={}, org_context={})
    )
    words = finding.forget(tx, person_id)
    return {person_words.name: words} if words else {}


def take_step(tx: Writing, erasure: Erasure, *, taken: int = 0) -> Erasure:
    """Fence, then remove, `AT_ONCE` rows; with the last ones, the subject's id goes too.

    `taken`: so many rows went in this transaction already.
    """
    if erasure.state != "removing" or erasure.subject_id is None:
        return erasure
    if fence(tx, erasure.kind, erasure.subject_id) == AT_ONCE:
        return erasure
    removed = remove(tx, erasure.kind, erasure.subject_id, AT_ONCE - taken)
    counts = {name: erasure.counts.get(name, 0) + removed.get(name, 0) for name in {**erasure.counts, **removed}}
    if sum(removed.values()) == AT_ONCE - taken:
        return _save(tx, msgspec.structs.replace(erasure, counts=counts))
    return _save(tx, msgspec.structs.replace(erasure, counts=counts, state="sweeping", subject_id=None))


def end(tx: Writing, erasure: Erasure) -> None:
    """The receipt stands."""
    _save(tx, msgspec.structs.replace(erasure, state="done", ended_at=tx.now))


def unknown(tx: Reading, receipt_ids: Collection[str]) -> bool:
    """Whether one of these stands neither among the receipts nor among what is being erased."""
    ids = list(receipt_ids)
    known = {
        row.id
        for table in (receipts, erasures)
        for start in range(0, len(ids), AT_ONCE)
        for row in tx.all(select(table.c.id).where(table.c.id.in_(ids[start : start + AT_ONCE])))
    }
    return not known.issuperset(ids)


def standing(tx: Reading, kind: Kind, after: str, limit: int) -> list[str]:
    """Ids of persons or conversations that stand, in their order, page by page."""
    table = persons if kind == "person" else conversations
    query = select(table.c.id).where(table.c.environment == tx.environment, table.c.id > after)
    return [row.id for row in tx.all(query.order_by(table.c.id).limit(limit))]


def drop_old(tx: Writing, before: datetime) -> None:
    """Forget what was done before then: a repeated wish finds nothing any more."""
    tx.run(delete(erasures).where(erasures.c.state == "done", erasures.c.ended_at < before))


def _save(tx: Writing, erasure: Erasure) -> Erasure:
    values = {
        "counts": erasure.counts,
        "state": erasure.state,
        "subject_id": erasure.subject_id,
        "ended_at": erasure.ended_at,
    }
    tx.run(update(erasures).where(erasures.c.id == erasure.id).values(values))
    return erasure


def _newest(tx: Reading, query: AnySelect, since: datetime) -> Erasure | None:
    return _first(
        tx,
        query.where(
            erasures.c.environment == tx.environment,
            (erasures.c.state != "done") | (erasures.c.ended_at > since),
        ).order_by(erasures.c.created_at.desc(), erasures.c.id.desc()),
    )


def _first(tx: Reading, query: AnySelect) -> Erasure | None:
    row = tx.first(query.limit(1))
    return None if row is None else _of(row)


def _of(row: Rows) -> Erasure:
    return Erasure(**row._mapping)
