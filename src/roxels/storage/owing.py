"""Owe deliveries: rows of the outbox, written in the transaction of what causes them.

    caused by                               owed in
    a commit, a change, the end             `storage.log`, with the facts
    a lifecycle event                       `storage.lifecycle`, with what happened

Each takes the next place among those of its person: an order that no clock can upset. What names nobody has no line to
keep, and place 1.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, func, insert, select

from roxels.domain.occasions import Owed, destination
from roxels.storage.freezing import columns_of
from roxels.storage.schema import deliveries, persons

_others = deliveries.alias()
_NEXT_PLACE = (
    select(func.coalesce(func.max(_others.c.place), 0) + 1)
    .where(_others.c.person_id == bindparam("of_person"))
    .scalar_subquery()
)


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """One delivery that became owed."""

    id: str
    environment: str
    person_id: str | None
    owed: Owed


def owe(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Keep these rows, made by `row_of`, in their order."""
    if not rows:
        return
    ids = {row["person_id"] for row in rows if row["person_id"] is not None}
    if ids:  # held, so that two commits of one person take two places
        owners = select(persons.c.id).where(persons.c.id.in_(ids)).order_by(persons.c.id)
        connection.execute(owners.with_for_update(key_share=True))
    connection.execute(insert(deliveries).values(place=_NEXT_PLACE), list(rows))


def row_of(due: Due, conversation_id: str | None, at: datetime | None) -> dict[str, Any]:
    """The row of a delivery that became owed at that time."""
    return {
        "id": due.id,
        "environment": due.environment,
        "conversation_id": conversation_id,
        "person_id": due.person_id,
        "of_person": due.person_id,
        "goal_id": due.owed.goal_id,
        "commit_id": due.owed.commit_id,
        "revision": due.owed.revision,
        "type": due.owed.type,
        **columns_of(due.owed.made),
        "destination": destination(due.owed.url),
        "captures": msgspec.json.encode(due.owed.captures).decode() if due.owed.captures else None,
        "captured": None,
        "due_at": at,
        "claimed_by": None,
        "tries": 0,
        "created_at": at,
    }
