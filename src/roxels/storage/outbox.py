"""The outbox: what is owed to receivers, from the commit that owes it to the last attempt.

The law of a delivery:

    status      it is                                                    `due_at` says when
    due         to be sent at once                                       that became so
    waiting     held back by an earlier one, or between two attempts     it is looked at again
    delivered   had by the receiver                                      it got there
    failed      refused, or out of attempts; it can be sent again        it was given up

    from                to                           in
    (commit)            due                          storage.log, in the transaction of the commit
    (commit)            waiting                      the same, where it is made of an earlier one's answer
    (lifecycle event)   due                          storage.lifecycle, in the transaction of what happened
    waiting             due                          storage.freezing: that answer is in, or there will be none
    waiting             failed                       storage.freezing: no request can be made of that answer
    due, waiting        waiting                      exchange: an earlier one of its line is not settled
    due, waiting        (the same), claimed          exchange: `claimed_by` names the claim, `due_at` says its end
    claimed             delivered, waiting, failed   exchange: as the attempt came out
    claimed             due                          exchange: broken off. take_over: the claim's process is dead
    waiting             due                          exchange: the one before it was delivered or has failed
    all, unless claimed due                          send_again

A line is what leads to one destination for one person; in it, order is kept by `place`.

A claim is a lease by time: whoever finds its end passed claims anew, under another name, and what the former holder
still brings back is void, since its name no longer stands there. So a delivery may be sent twice (same bytes, same
keys: receivers drop repeats), is never lost, and is settled once per attempt. All of `exchange` is one transaction.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec
from sqlalchemy import ColumnElement, FromClause, Text, and_, bindparam, func, insert, or_, select, update

from roxels.domain.rendering import Frozen
from roxels.storage import lifecycle, secrets
from roxels.storage.freezing import UNMADE, freeze_ready, request_of
from roxels.storage.lifecycle import Failure
from roxels.storage.schema import attempts, deliveries, webhook_secrets
from roxels.storage.transaction import AcrossWriting, AnySelect, Rows, View, Writing

Status = Literal["due", "waiting", "delivered", "failed"]
#: What still blocks the later ones of its line.
UNSETTLED: tuple[Status, ...] = ("due", "waiting")


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery that is being sent, under a claim."""

    id: str
    claim: str
    environment: str
    #: Both None where it names nobody.
    person_id: str | None
    conversation_id: str | None
    commit_id: str
    destination: str
    request: Frozen
    #: Context key by selector, from the receiver's answer.
    captures: dict[str, str] = {}
    #: Attempts made before this one.
    tries: int


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """How an attempt came out, and what follows."""

    delivery: Claimed
    status: Literal["waiting", "delivered", "failed"]
    #: When to look at it again (`waiting`), else when it was settled.
    due_at: datetime
    #: When the attempt began.
    at: datetime
    status_code: int | None
    duration_ms: int
    #: The name of a `outbound.attempt.Fault`.
    error: str | None
    response_excerpt: str
    #: What was captured of the answer.
    captured: dict[str, Any] = {}


class ClaimRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be claimed."""

    #: The claim's name: `<process>.<number>`, never used before.
    claim: str
    #: How long it holds.
    life: timedelta
    #: How many at most, and how many at most that lead to one destination, `busy` included.
    limit: int
    per_destination: int
    #: How many are being sent by this process already, by destination.
    busy: Mapping[str, int] = {}
    #: How many at most to destinations that are in trouble, in place of `per_destination`.
    troubled: Mapping[str, int] = {}

    def room(self, destination: str) -> int:
        """How many more may be sent there now."""
        return self.troubled.get(destination, self.per_destination) - self.busy.get(destination, 0)


class Claims(msgspec.Struct, frozen=True, kw_only=True):
    """What was claimed."""

    taken: list[Claimed] = []
    #: Webhook secrets as they lie in the database: (id, sealed) by environment, oldest first.
    sealed: dict[str, list[tuple[str, str]]] = {}
    #: The secrets that requests name, by environment and name: (id, sealed).
    named: dict[str, dict[str, tuple[str, str]]] = {}
    #: Whether more may be due than was looked at.
    more: bool = False


def exchange(
    tx: AcrossWriting, settled: Sequence[Settled], back: Sequence[Claimed], wish: ClaimRequest | None
) -> Claims:
    """Settle attempts, give back those that were broken off, and claim what is due."""
    _settle(tx, settled)
    _give_back(tx, back)
    return Claims() if wish is None or wish.limit < 1 else _claim(tx, wish)


def take_over(tx: AcrossWriting, is_alive: Callable[[str], bool]) -> int:
    """Free what dead processes had claimed, without waiting for the claims to run out; says how many claims."""
    query = select(deliveries.c.claimed_by).where(_unsettled(), deliveries.c.claimed_by.is_not(None)).distinct()
    dead = [row.claimed_by for row in tx.all(query) if not is_alive(row.claimed_by.rpartition(".")[0])]
    tx.run(
        update(deliveries)
        .where(_unsettled(), deliveries.c.claimed_by == bindparam("dead"))
        .values(status="due", due_at=tx.now, claimed_by=None),
        [{"dead": claim} for claim in dead],
    )
    return len(dead)


def send_again(tx: Writing, delivery_id: str) -> bool:
    """Make it due at once, same bytes and keys, once more if it was settled; False where it is being sent just now."""
    found = tx.run(
        update(deliveries)
        .where(
            deliveries.c.environment == tx.environment,
            deliveries.c.id == delivery_id,
            deliveries.c.claimed_by.is_(None),
            deliveries.c.recipe.is_(None),
        )
        .values(status="due", due_at=tx.now)
    )
    tx.owes = tx.owes or found > 0
    return found > 0


def send_all_again(tx: Writing, destination: str) -> int:
    """The same for all that failed on the way to one destination (scheme, host and port); says how many."""
    found = tx.run(
        update(deliveries)
        .where(
            deliveries.c.environment == tx.environment,
            deliveries.c.destination == destination,
            deliveries.c.status == "failed",
            deliveries.c.recipe.is_(None),
        )
        .values(status="due", due_at=tx.now)
    )
    tx.owes = tx.owes or found > 0
    return found


def _settle(tx: AcrossWriting, settled: Sequence[Settled]) -> None:
    held = _held(tx, [one.delivery for one in settled])
    kept = [one for one in settled if one.delivery.id in held]
    tx.run(
        insert(attempts),
        [
            {
                "delivery_id": one.delivery.id,
                "n": one.delivery.tries + 1,
                "at": one.at,
                "status_code": one.status_code,
                "duration_ms": one.duration_ms,
                "error": one.error,
                "response_excerpt": one.response_excerpt,
            }
            for one in kept
        ],
    )
    tx.run(
        update(deliveries)
        .where(deliveries.c.id == bindparam("of"))
        # what was captured stays, where it was sent again and the answer says nothing now
        .values(claimed_by=None, captured=func.coalesce(bindparam("told", type_=Text), deliveries.c.captured)),
        [
            {
                "of": one.delivery.id,
                "status": one.status,
                "due_at": one.due_at,
                "tries": one.delivery.tries + 1,
                "told": msgspec.json.encode(one.captured).decode() if one.captured else None,
            }
            for one in kept
        ],
    )
    tx.counts.update(("attempts", one.status) for one in kept)
    gone = [one.delivery for one in kept if one.status != "waiting"]
    waited_for = {each.conversation_id for each in gone if each.captures and each.conversation_id is not None}
    unmade = freeze_ready(tx.connection, waited_for, tx.now)
    _let_go_on(tx, [*gone, *unmade])
    failures: dict[str, Failure] = {
        one.delivery.id: (one.status_code, one.error) for one in kept if one.status == "failed"
    }
    lifecycle.tell_of_failures(tx, failures | {each.id: (None, UNMADE) for each in unmade})


def _let_go_on(tx: AcrossWriting, gone: Iterable[Claimed | Rows]) -> None:
    """The next in each line is due, also one that was tried before: it was sent again, or its time comes early."""
    lines = {(delivery.person_id, delivery.destination) for delivery in gone}
    others = deliveries.alias()
    first = (
        select(others.c.id)
        .where(
            others.c.person_id == bindparam("of_person"),
            others.c.destination == bindparam("to_destination"),
            _unsettled(others),
        )
        .order_by(others.c.place)
        .limit(1)
        .scalar_subquery()
    )
    tx.run(
        update(deliveries)
        .where(
            deliveries.c.id == first,
            deliveries.c.claimed_by.is_(None),
            deliveries.c.recipe.is_(None),
        )
        .values(status="due", due_at=tx.now),
        [{"of_person": person_id, "to_destination": destination} for person_id, destination in lines],
    )


def _give_back(tx: AcrossWriting, back: Sequence[Claimed]) -> None:
    held = _held(tx, back)
    tx.run(
        update(deliveries)
        .where(deliveries.c.id == bindparam("of"))
        .values(status="due", due_at=tx.now, claimed_by=None),
        [{"of": each} for each in held],
    )


def _held(tx: AcrossWriting, claimed: Sequence[Claimed]) -> set[str]:
    """Those whose claim still stands: neither overtaken by another, nor erased."""
    names = {delivery.id: delivery.claim for delivery in claimed}
    if not names:
        return set()
    query = select(deliveries.c.id, deliveries.c.claimed_by).where(deliveries.c.id.in_(names)).with_for_update()
    return {row.id for row in tx.all(query) if row.claimed_by == names[row.id]}


def _claim(tx: AcrossWriting, wish: ClaimRequest) -> Claims:
    found = _due(tx, wish)
    until = tx.now + wish.life
    held_until = _held_back(tx, [delivery.id for delivery in found])
    room = Counter({each: wish.room(each) for each in {one.destination for one in found}})
    taken: list[Claimed] = []
    for delivery in found:
        if delivery.id not in held_until and room[delivery.destination] > 0:
            room[delivery.destination] -= 1
            taken.append(delivery)
    tx.run(
        update(deliveries).where(deliveries.c.id == bindparam("of")).values(claimed_by=wish.claim, due_at=until),
        [{"of": delivery.id} for delivery in taken],
    )
    tx.run(
        update(deliveries).where(deliveries.c.id == bindparam("of")).values(status="waiting", claimed_by=None),
        [{"of": each, "due_at": max(until, earlier)} for each, earlier in held_until.items()],
    )
    return Claims(
        taken=taken,
        sealed=signing(tx, {delivery.environment for delivery in taken}),
        named=_named(tx, taken),
        more=len(found) == wish.limit,
    )


def _due(tx: AcrossWriting, wish: ClaimRequest) -> list[Claimed]:
    """What may be looked at now, the longest due first; each status is read in the order of its index."""
    full = [each for each in {**wish.busy, **wish.troubled} if wish.room(each) <= 0]
    found = [
        row
        for status in UNSETTLED
        for row in tx.all(
            select(deliveries)
            .where(
                deliveries.c.status == status,
                deliveries.c.due_at <= tx.now,
                deliveries.c.recipe.is_(None),
                deliveries.c.destination.not_in(full),
            )
            .order_by(deliveries.c.due_at)
            .limit(wish.limit)
            .with_for_update(skip_locked=True)
        )
    ]
    found.sort(key=lambda row: (row.due_at, row.place))
    return [
        Claimed(
            id=row.id,
            claim=wish.claim,
            environment=row.environment,
            person_id=row.person_id,
            commit_id=row.commit_id,
            conversation_id=row.conversation_id,
            destination=row.destination,
            request=request_of(row),
            captures=msgspec.json.decode(row.captures) if row.captures else {},
            tries=row.tries,
        )
        for row in found[: wish.limit]
    ]


def _held_back(tx: AcrossWriting, ids: Collection[str]) -> dict[str, datetime]:
    """Which of these have an earlier one in their line that is not settled, and when that one is looked at again."""
    if not ids:
        return {}
    earlier = deliveries.alias()
    query: AnySelect = (
        select(deliveries.c.id, func.max(earlier.c.due_at).label("until"))
        .join(
            earlier,
            and_(
                earlier.c.person_id == deliveries.c.person_id,
                earlier.c.destination == deliveries.c.destination,
                earlier.c.place < deliveries.c.place,
                _unsettled(earlier),
            ),
        )
        .where(deliveries.c.id.in_(ids))
        .group_by(deliveries.c.id)
    )
    return {row.id: row.until for row in tx.all(query)}


def signing(view: View, environments: Collection[str]) -> dict[str, list[tuple[str, str]]]:
    """The webhook secrets in force, sealed: (id, sealed) by environment, oldest first."""
    if not environments:
        return {}
    query = (
        select(webhook_secrets.c.environment, webhook_secrets.c.id, webhook_secrets.c.sealed)
        .where(webhook_secrets.c.environment.in_(environments), webhook_secrets.c.revoked_at.is_(None))
        .order_by(webhook_secrets.c.created_at, webhook_secrets.c.id)
    )
    found: dict[str, list[tuple[str, str]]] = {}
    for row in view.all(query):
        found.setdefault(row.environment, []).append((row.id, row.sealed))
    return found


def _named(tx: AcrossWriting, taken: Sequence[Claimed]) -> dict[str, dict[str, tuple[str, str]]]:
    wanted: dict[str, set[str]] = {}
    for delivery in taken:
        wanted.setdefault(delivery.environment, set()).update(delivery.request.secrets)
    return {environment: secrets.sealed(tx, environment, names) for environment, names in wanted.items() if names}


def _unsettled(table: FromClause = deliveries) -> ColumnElement[bool]:
    """Written without IN, which `executemany` cannot expand."""
    return or_(*(table.c.status == status for status in UNSETTLED))
