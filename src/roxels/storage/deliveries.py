"""Deliveries as their owner sees them: what is owed, what is sent, what was tried. `storage.outbox` moves them on."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import select

from roxels.domain.rendering import Frozen
from roxels.storage.freezing import request_of
from roxels.storage.pages import Page, Span, page
from roxels.storage.schema import attempts, deliveries
from roxels.storage.transaction import AnySelect, Reading, Rows


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One try, counted from 1. `error` names what went wrong before or beside a status."""

    n: int
    at: datetime
    status_code: int | None
    duration_ms: int
    error: str | None
    response_excerpt: str | None


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """What a commit owes to one address."""

    id: str
    conversation_id: str | None
    goal_id: str | None
    commit_id: str
    revision: int
    type: str
    url: str
    status: str
    due_at: datetime
    claimed_by: str | None
    created_at: datetime
    request: str | None = None
    attempts: tuple[Attempt, ...] = ()

    @property
    def unknown(self) -> tuple[str, ...]:
        """Variables of the output that had no value when the request was made."""
        return () if self.request is None else msgspec.json.decode(self.request, type=Frozen).unknown

    @property
    def method(self) -> str:
        """How the receiver is called."""
        return "POST" if self.request is None else msgspec.json.decode(self.request, type=Frozen).method


class DeliveryFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which deliveries a list shows; None is any."""

    status: str | None = None
    conversation_id: str | None = None
    type: str | None = None


_SHOWN: AnySelect = select(*(deliveries.c[name] for name in Delivery.__struct_fields__ if name != "attempts"))


def get(tx: Reading, delivery_id: str) -> Delivery | None:
    """The delivery of that id, with its attempts."""
    row = tx.first(_SHOWN.where(deliveries.c.environment == tx.environment, deliveries.c.id == delivery_id))
    return None if row is None else _with_attempts(tx, [_bare(row)])[0]


def request(tx: Reading, delivery_id: str) -> Frozen | None:
    """What every attempt sends, with secrets by name; None while it waits for the answer that it is made of."""
    row = tx.first(select(deliveries).where(deliveries.c.environment == tx.environment, deliveries.c.id == delivery_id))
    return None if row is None or row.recipe is not None else request_of(row)


def of_conversation(tx: Reading, conversation_id: str) -> list[Delivery]:
    """All that one conversation owes, in the order in which it came to owe it."""
    query = _SHOWN.where(
        deliveries.c.environment == tx.environment, deliveries.c.conversation_id == conversation_id
    ).order_by(deliveries.c.place)
    return _with_attempts(tx, [_bare(row) for row in tx.all(query)])


def listed(tx: Reading, wanted: DeliveryFilter, span: Span) -> Page[Delivery]:
    """The deliveries of this environment, newest first."""
    query = _SHOWN.where(deliveries.c.environment == tx.environment)
    if wanted.status is not None:
        query = query.where(deliveries.c.status == wanted.status)
    if wanted.type is not None:
        query = query.where(deliveries.c.type == wanted.type)
    if wanted.conversation_id is not None:
        query = query.where(deliveries.c.conversation_id == wanted.conversation_id)
    found = page(tx, query, (deliveries.c.created_at, deliveries.c.id), span, _bare)
    return Page(items=_with_attempts(tx, found.items), next=found.next)


def _bare(row: Rows) -> Delivery:
    return Delivery(**row._mapping)


def _with_attempts(tx: Reading, found: Sequence[Delivery]) -> list[Delivery]:
    made: dict[str, list[Attempt]] = {delivery.id: [] for delivery in found}
    query = select(attempts).where(attempts.c.delivery_id.in_(made)).order_by(attempts.c.delivery_id, attempts.c.n)
    for row in tx.all(query) if made else []:
        values = dict(row._mapping)
        made[values.pop("delivery_id")].append(Attempt(**values))
    return [msgspec.structs.replace(delivery, attempts=tuple(made[delivery.id])) for delivery in found]
