"""Each technique once, against a victim of each kind in turn; `make attack` plays all against all.

Then holes are planted in the product, and the attack has to find every one of them.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from roxels.actions.recollect import recollect, recollect_all
from roxels.storage.store import Store
from roxels.storage.transaction import Environment
from tests.attack.engine import TECHNIQUES, Field, field_in
from tests.attack.ground import ORIGIN

SEED = 20260302


@pytest.fixture
async def field(tmp_path: Path) -> AsyncIterator[Field]:
    async with field_in(tmp_path, SEED) as made:
        yield made


async def test_nothing_is_seen_and_nobody_is_poisoned(field: Field) -> None:
    faults = []
    for number, technique in enumerate(TECHNIQUES.values()):
        attempt = await field.attempt(technique, field.victims[number % len(field.victims)])
        assert attempt.answers, f"{technique.name} reached nothing"
        faults += [] if attempt.is_harmless else [attempt]
    assert faults == []


async def succeeded(field: Field, families: set[str]) -> int:
    """How many techniques of these families get something out of somebody."""
    count = 0
    for technique in TECHNIQUES.values():
        if technique.family in families:
            made = [await field.attempt(technique, victim) for victim in field.victims[3:5]]
            count += any(not attempt.is_harmless for attempt in made)
    return count


class Unfiltered(Store):
    """A store that tells everybody all that was ever said as this person; `recall` searches the same."""

    def __init__(self, store: Store) -> None:
        vars(self).update(vars(store))

    async def read(self, environment: Environment, query: Any, *args: Any, **kwargs: Any) -> Any:
        """The query, but for the one that remembers."""
        if query is recollect:
            return await super().read(environment, recollect_all, args[0])
        return await super().read(environment, query, *args, **kwargs)


async def test_memory_and_recall_without_a_filter_are_found(field: Field) -> None:
    rooms = field.ground.house.rooms
    rooms.ports = msgspec.structs.replace(rooms.ports, store=Unfiltered(rooms.ports.store))
    assert await succeeded(field, {"claims", "tools"}) > 0


def hiding(app: Any) -> Any:
    """The server behind a proxy that says of every request that it comes from our own frame."""

    async def served(scope: Any, receive: Any, send: Any) -> None:
        told = [each for each in scope.get("headers", ()) if each[0] not in (b"origin", b"sec-fetch-site")]
        await app({**scope, "headers": [*told, (b"origin", ORIGIN.encode())]}, receive, send)

    return served


async def test_a_cookie_that_counts_from_anywhere_is_found(field: Field) -> None:
    field.ground.app = hiding(field.ground.app)
    assert await succeeded(field, {"devices"}) > 0
