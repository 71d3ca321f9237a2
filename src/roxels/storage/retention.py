"""For how long each environment keeps what; and what is older. Without a rule everything is kept."""

from datetime import datetime

import msgspec
from sqlalchemy import delete, func, insert, select

from roxels.domain.life import Status
from roxels.storage.schema import ERASING, attempts, audit, conversations, deliveries, retention
from roxels.storage.transaction import AnySelect, Reading, Writing

STATUSES: tuple[Status, ...] = ("created", "joined", "processing", "completed", "failed", "expired")


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """Days; None keeps for ever."""

    #: Conversations, from their last activity on; each goes whole, with a receipt.
    transcripts_days: int | None = None
    #: Deliveries that are delivered or have failed, with their bodies, from when they came to be owed.
    deliveries_days: int | None = None
    #: Lines of the audit log.
    audit_days: int | None = None
    updated_at: datetime | None = None


class Overdue(msgspec.Struct, frozen=True, kw_only=True):
    """How much is too old."""

    transcripts: int = 0
    deliveries: int = 0
    audit: int = 0


def get(tx: Reading) -> Rule:
    """The rule of this environment."""
    row = tx.first(select(retention).where(retention.c.environment == tx.environment))
    if row is None:
        return Rule()
    return Rule(**{name: getattr(row, name) for name in Rule.__struct_fields__})


def put(tx: Writing, rule: Rule) -> None:
    """Keep another rule."""
    tx.run(delete(retention).where(retention.c.environment == tx.environment))
    tx.run(insert(retention).values(msgspec.structs.asdict(rule) | {"environment": tx.environment}))


def old_conversations(tx: Reading, before: datetime, limit: int) -> list[str]:
    """Ids of conversations in which nothing happened since then, the oldest first."""
    query = _old_conversations(tx, before).order_by(conversations.c.last_activity_at).limit(limit)
    return [row.id for row in tx.all(query)]


def count_conversations(tx: Reading, before: datetime) -> int:
    """How many those are."""
    return int(tx.value(select(func.count()).select_from(_old_conversations(tx, before).subquery())))


def count_deliveries(tx: Reading, before: datetime) -> int:
    """How many deliveries came to be owed before then and are settled."""
    return int(tx.value(select(func.count()).select_from(_old_deliveries(tx, before).subquery())))


def count_audit(tx: Reading, before: datetime) -> int:
    """How many lines of the audit log are of before then."""
    old = select(audit.c.id).where(audit.c.environment == tx.environment, audit.c.at < before)
    return int(tx.value(select(func.count()).select_from(old.subquery())))


def drop_deliveries(tx: Writing, before: datetime, limit: int) -> int:
    """Remove settled deliveries of before then with their attempts, at most `limit`; says how many."""
    ids = [row.id for row in tx.all(_old_deliveries(tx, before).limit(limit))]
    tx.run(delete(attempts).where(attempts.c.delivery_id.in_(ids)))
    return tx.run(delete(deliveries).where(deliveries.c.id.in_(ids)))


def _old_conversations(tx: Reading, before: datetime) -> AnySelect:
    query: AnySelect = select(conversations.c.id, conversations.c.last_activity_at)
    return query.where(
        conversations.c.status.in_(STATUSES),  # so that the index on (status, last_activity_at) serves
        conversations.c.last_activity_at < before,
        conversations.c.environment == tx.environment,
        conversations.c.epoch != ERASING,
    )


def _old_deliveries(tx: Reading, before: datetime) -> AnySelect:
    query: AnySelect = select(deliveries.c.id)
    return query.where(
        deliveries.c.environment == tx.environment,
        deliveries.c.created_at < before,
        deliveries.c.status.in_(("delivered", "failed")),
    )
