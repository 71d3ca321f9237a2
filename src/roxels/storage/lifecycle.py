"""Addresses that asked to be told of lifecycle events, and owing them what happens.

`domain.lifecycle` has the table of events.
"""

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import delete, func, insert, select, update

from roxels.domain.ids import derived
from roxels.domain.lifecycle import TYPE, EventName, Happened
from roxels.domain.occasions import Owed
from roxels.storage.owing import Due, owe, row_of
from roxels.storage.pages import Page, Span, page
from roxels.storage.schema import lifecycle_webhooks
from roxels.storage.transaction import AcrossWriting, AnySelect, Environment, Reading, Rows, View, Writing


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


def _row(hook: Hook) -> dict[str, Any]:
    return msgspec.structs.asdict(hook) | {"events": list(hook.events)}


def _of(row: Rows) -> Hook:
    return Hook(**dict(row._mapping) | {"events": tuple(row.events)})
