"""Deliveries that wait for an answer: frozen in the transaction in which what they wait for is settled.

    `request`     the request, frozen; while it is not, only its URL with its placeholders stands in `url`
    `recipe`      what it will be made of; None once it is frozen
    `captures`    which values of the answer later ones use: context key by selector
    `captured`    those values, once the receiver has answered

A recipe is frozen as soon as, for each key it needs, the last earlier delivery of its conversation that captures the
key is delivered or has failed; then a key without a value is named as unknown.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, select, update

from roxels.domain.occasions import Recipe, destination
from roxels.domain.rendering import Frozen
from roxels.storage.schema import deliveries
from roxels.storage.transaction import Rows

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


def freeze_ready(connection: Connection, conversation_ids: Iterable[str], now: datetime) -> int:
    """Freeze what need not wait any more in these conversations; says how many became due."""
    made = 0
    for conversation_id in conversation_ids:
        query = (
            select(deliveries)
            .where(deliveries.c.conversation_id == conversation_id)
            .order_by(deliveries.c.place)
            .with_for_update()
        )
        rows: Sequence[Rows] = connection.execute(query).all()
        for index, row in enumerate(rows):
            if row.recipe is None:
                continue
            recipe = _recipes.decode(row.recipe)
            sources = _sources(recipe, rows[:index])
            if any(each.status in ("due", "waiting") for each in sources):
                continue
            frozen = recipe.freeze(_told(sources))
            values = columns_of(frozen) | {"destination": destination(frozen.url), "due_at": now}
            connection.execute(update(deliveries).where(deliveries.c.id == row.id).values(values))
            made += 1
    return made


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
