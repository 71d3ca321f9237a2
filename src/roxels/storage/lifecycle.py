"""Addresses that asked to be told of lifecycle events, and owing them what happens.

`domain.lifecycle` has the table of events.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import delete, func, insert, select, update

from roxels.domain.ids import derived
from roxels.domain.lifecycle import TYPE, EventName, Happened, LostDelivery, of_failure
from roxels.domain.occasions import Owed, Subject
from roxels.storage.owing import Due, owe, row_of
from roxels.storage.pages import Page, Span, page
from roxels.storage.schema import deliveries, lifecycle_webhooks, persons
from roxels.storage.transaction import AcrossWriting, AnySelect, Environment, Reading, Rows, View, Writing

#: The status with which a delivery failed at last, and the name of its `outbound.attempt.Fault`.
Failure = tuple[int | None, str | None]


class Hook(msgspec.Struct, frozen=True, kw_only=True):
    """An address, and what it asked for."""

    id: str
    environment: Environment
    url: str
    events: tuple[EventName, ...]
    created_at: datetime
    updated_at: datetime


def create(tx: Writing, hook: Hook) -> None:
    """Keep a new one."""
    tx.run(insert(lifecycle_webhooks).values(_row(hook)))


def get(tx: Reading, hook_id: str) -> Hook | None:
    """The one of that id."""
    own = lifecycle_webhooks.c.environment == tx.environment
    row = tx.first(tx.held(select(lifecycle_webhooks).where(own, lifecycle_webhooks.c.id == hook_id)))
    return None if row is None else _of(row)


def count(tx: Reading) -> int:
    """How many this environment has."""
    own = lifecycle_webhooks.c.environment == tx.environment
    return int(tx.value(select(func.count()).select_from(lifecycle_webhooks).where(own)))


def listed(tx: Reading, span: Span) -> Page[Hook]:
    """Those of this environment, newest first."""
    query: AnySelect = select(lifecycle_webhooks).where(lifecycle_webhooks.c.environment == tx.environment)
    return page(tx, query, (lifecycle_webhooks.c.created_at, lifecycle_webhooks.c.id), span, _of)


def save(tx: Writing, hook: Hook) -> None:
    """Keep its changes."""
    own = lifecycle_webhooks.c.environment == tx.environment
    tx.run(update(lifecycle_webhooks).where(own, lifecycle_webhooks.c.id == hook.id).values(_row(hook)))


def remove(tx: Writing, hook_id: str) -> None:
    """Forget it. What is owed to it already still goes there."""
    own = lifecycle_webhooks.c.environment == tx.environment
    tx.run(delete(lifecycle_webhooks).where(own, lifecycle_webhooks.c.id == hook_id))


def wanting(view: View, environment: str, name: EventName) -> list[Hook]:
    """Those that asked for such events, oldest first."""
    query = (
        select(lifecycle_webhooks)
        .where(lifecycle_webhooks.c.environment == environment)
        .order_by(lifecycle_webhooks.c.created_at, lifecycle_webhooks.c.id)
    )
    return [hook for hook in map(_of, view.all(query)) if name in hook.events]


def tell(tx: Writing | AcrossWriting, environment: str, happened: Happened) -> int:
    """Owe it to each address that asked for it; says how many."""
    hooks = wanting(tx, environment, happened.name)
    due = [
        Due(
            id=derived("del", happened.id, hook.id),
            environment=environment,
            person_id=happened.person_id,
            owed=Owed(
                type=TYPE,
                goal_id=None,
                commit_id=happened.id,
                revision=1,
                made=happened.request(hook.url, environment),
            ),
        )
        for hook in hooks
    ]
    owe(tx.connection, [row_of(each, happened.conversation_id, happened.at) for each in due])
    tx.owes = tx.owes or bool(due)
    return len(due)


def tell_of_failures(tx: AcrossWriting, failures: Mapping[str, Failure]) -> None:
    """Tell `delivery.failed` of these deliveries, by id. One that was itself of the lifecycle is not told of."""
    if not failures or tx.first(select(lifecycle_webhooks.c.id).limit(1)) is None:
        return
    query = (
        select(deliveries, persons.c.external_id)
        .join(persons, persons.c.id == deliveries.c.person_id)
        .where(deliveries.c.id.in_(failures), deliveries.c.type != TYPE)
        .order_by(deliveries.c.person_id, deliveries.c.place)
    )
    for row in tx.all(query):
        subject = Subject(conversation_id=row.conversation_id, person_id=row.person_id, external_id=row.external_id)
        status_code, error = failures[row.id]
        what = LostDelivery(
            id=row.id,
            type=row.type,
            goal_id=row.goal_id,
            commit_id=row.commit_id,
            destination=row.destination,
            attempts=row.tries,
            status_code=status_code,
            error=error,
        )
        tell(tx, row.environment, of_failure(what, subject, tx.now))


def _row(hook: Hook) -> dict[str, Any]:
    return msgspec.structs.asdict(hook) | {"events": list(hook.events)}


def _of(row: Rows) -> Hook:
    return Hook(**dict(row._mapping) | {"events": tuple(row.events)})
