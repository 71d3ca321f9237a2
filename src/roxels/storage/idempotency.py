"""Answers to POSTs that came with an `Idempotency-Key`: kept for 24 hours, in the transaction that made them true."""

from datetime import timedelta

import msgspec
from sqlalchemy import delete, insert, select

from roxels.storage.schema import idempotency
from roxels.storage.transaction import AcrossWriting, Reading, Writing

KEPT_FOR = timedelta(hours=24)


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """What a request was answered. `body` is sealed; whom it is about stands beside it, so that erasing finds it."""

    key: str
    request_hash: str
    status_code: int
    body: str
    person_id: str | None = None
    conversation_id: str | None = None


def place(key: str) -> str:
    """The row under which an answer is sealed."""
    return f"idempotency:{key}"


def find(tx: Reading, key: str) -> Answered | None:
    """The answer that this key had within the last 24 hours."""
    query = select(*(idempotency.c[name] for name in Answered.__struct_fields__)).where(
        idempotency.c.environment == tx.environment,
        idempotency.c.key == key,
        idempotency.c.created_at > tx.now - KEPT_FOR,
    )
    row = tx.first(query)
    return None if row is None else Answered(**row._mapping)


def keep(tx: Writing, answer: Answered) -> None:
    """Keep an answer; an older one of the same key is out of time and goes."""
    tx.run(delete(idempotency).where(idempotency.c.environment == tx.environment, idempotency.c.key == answer.key))
    row = msgspec.structs.asdict(answer) | {"environment": tx.environment, "created_at": tx.now}
    tx.run(insert(idempotency).values(row))


def sweep(tx: AcrossWriting) -> int:
    """Drop what is older than 24 hours; says how many."""
    return tx.run(delete(idempotency).where(idempotency.c.created_at <= tx.now - KEPT_FOR))
