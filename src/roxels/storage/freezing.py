"""Deliveries that wait for an answer: frozen in the transaction in which what they wait for is settled.

    `request`     the request, frozen; while it is not, only its URL with its placeholders stands in `url`
    `recipe`      what it will be made of; None once it is frozen
    `captures`    which values of the answer later ones use: context key by selector
    `captured`    those values, once the receiver has answered

A recipe is frozen as soon as, for each key it needs, the last earlier delivery of its conversation that captures the
key is delivered or has failed; then a key without a value is named as unknown. One of which no request can be made has
failed, with the fault `unmade`, and keeps its recipe: it spoils nothing for the others.
"""

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import DataError, DBAPIError

from roxels.domain.occasions import Recipe, destination
from roxels.domain.rendering import Frozen
from roxels.storage.schema import attempts, deliveries
from roxels.storage.transaction import Rows

logger = logging.getLogger(__name__)

#: The fault of a delivery of which no request could be made (`outbound.attempt.Fault`).
UNMADE = "unmade"

_recipes = msgspec.json.Decoder(Recipe)
_requests = msgspec.json.Decoder(Frozen)


def request_of(row: Rows) -> Frozen:
    """The frozen request of a delivery."""
    if row.request is None:
        headers = {"Content-Type": "application/json"}
        return Frozen(url=row.url, headers=headers, body=row.body)
    return msgspec.structs.replace(_requests.decode(row.request), url=row.url, body=row.body)


def columns_of(made: Frozen | Recipe) -> dict[str, Any]:
    """What is kept of a request, or of the recipe of one."""
    if isinstance(made, Recipe):
        recipe = msgspec.json.encode(made).decode()
        return {"url": made.output.url, "body": "", "request": None, "recipe": recipe, "status": "waiting"}
    bare = msgspec.structs.replace(made, url="", body=None)
    request = msgspec.json.encode(bare).decode()
    return {"url": made.url, "body": made.body or "", "request": request, "recipe": None, "status": "due"}


def freeze_ready(connection: Connection, conversation_ids: Iterable[str], now: datetime) -> list[Rows]:
    """Freeze what need not wait any more in these conversations; says which ones could not be made and have failed."""
    unmade: list[Rows] = []
    for conversation_id in conversation_ids:
        while failed := _freeze_in(connection, conversation_id, now):
            unmade += failed  # and look again: what waited for these need not wait any more
    return unmade


def _freeze_in(connection: Connection, conversation_id: str, now: datetime) -> list[Rows]:
    """Those that could not be made."""
    query = (
        select(deliveries)
        .where(deliveries.c.conversation_id == conversation_id)
        .order_by(deliveries.c.place)
        .with_for_update()
    )
    rows: Sequence[Rows] = connection.execute(query).all()
    failed: list[Rows] = []
    for index, row in enumerate(rows):
        if row.recipe is None or row.status != "waiting":
            continue
        try:
            with connection.begin_nested():
                _freeze_one(connection, row, rows[:index], now)
        except Exception as fault:
            if isinstance(fault, DBAPIError) and not isinstance(fault, DataError):
                raise  # the database is in trouble, not what it was given
            _give_up(connection, row, now, fault)
            failed.append(row)
    return failed


def _freeze_one(connection: Connection, row: Rows, earlier: Sequence[Rows], now: datetime) -> None:
    """Freeze this one, unless it still waits for an answer."""
    recipe = _recipes.decode(row.recipe)
    sources = _sources(recipe, earlier)
    if any(each.status in ("due", "waiting") for each in sources):
        return
    frozen = recipe.freeze(_told(sources))
    values = columns_of(frozen) | {"destination": destination(frozen.url), "due_at": now}
    connection.execute(update(deliveries).where(deliveries.c.id == row.id).values(values))


def _give_up(connection: Connection, row: Rows, now: datetime, fault: Exception) -> None:
    """It has failed, as an attempt that says so."""
    logger.error(
        "A delivery could not be made and is given up.",
        extra={"action": "deliver", "delivery_id": row.id, "fault": type(fault).__name__},
    )
    connection.execute(
        update(deliveries).where(deliveries.c.id == row.id).values(status="failed", due_at=now, tries=row.tries + 1)
    )
    attempt = {"delivery_id": row.id, "n": row.tries + 1, "at": now, "status_code": None, "duration_ms": 0}
    connection.execute(insert(attempts).values(attempt | {"error": UNMADE, "response_excerpt": ""}))


def _sources(recipe: Recipe, earlier: Sequence[Rows]) -> list[Rows]:
    """For each key that is needed, the last earlier delivery that captures it."""
    found: dict[str, Rows] = {}
    for row in earlier:
        for key in msgspec.json.decode(row.captures) if row.captures else {}:
            if key in recipe.needs:
                found[key] = row
    return list({row.id: row for row in found.values()}.values())


def _told(sources: Sequence[Rows]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for row in sorted(sources, key=lambda each: each.place):
        told |= msgspec.json.decode(row.captured) if row.captured else {}
    return told
