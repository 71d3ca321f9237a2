"""Whether somebody is known cannot be told from outside, where the policy asks for more than a claim: not by the
answer, not by what is written, not by how long it takes.

A known and an unknown id take turns. If a threshold on the time could tell one from the other, the known ones would
mostly be slower, or mostly faster, than the unknown ones: the share of pairs in which that is so (the area under the
ROC curve) would be far from a half.
"""

import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import event

from roxels.actions.open import VisitRequest, open_visit
from roxels.ambient import SystemClock
from roxels.domain.ids import Ids
from roxels.domain.proof import Proof
from roxels.storage.transaction import Writing
from tests.attack.credentials import bearer
from tests.attack.ground import SESSION, Ground, Place, ground_in

#: Starts of each kind that are compared, and those before them that are not.
STARTS, WARM = 1000, 50
#: As far as the area may be from a half, to either side: by chance alone it is less than 0.013 in two of three runs.
APART = 0.05
#: Conversations of somebody who has come daily for years.
MANY = 2000


@pytest.fixture(params=["device", "verified"])
async def place(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[tuple[Ground, Place]]:
    async with ground_in(tmp_path, SystemClock()) as ground:
        yield ground, ground.places["test", request.param]


async def known_as(ground: Ground, place: Place, name: str, talks: int = 1) -> str:
    """The external id of somebody with so many verified conversations."""
    external_id = f"{name}_{ground.house.ids.key(8).hex()}"
    wish = VisitRequest(
        template_id=place.template_id,
        external_id=external_id,
        name="Ada Lovelace",
        source="server",
        proof=Proof.verified,
        method="secret_key",
        context={"plan": "gold"},
        resume=False,
    )

    def work(tx: Writing) -> None:
        for _ in range(talks):
            open_visit(tx, wish, ground.house.ids)

    await ground.store.write("test", work)
    return external_id


def area(known: Sequence[float], unknown: Sequence[float]) -> float:
    """The share of pairs in which the known one took longer; ties count half (Mann-Whitney's U by the pairs)."""
    ranks: dict[float, list[int]] = {}
    for rank, value in enumerate(sorted([*known, *unknown]), 1):
        ranks.setdefault(value, []).append(rank)
    total = sum(sum(ranks[value]) / len(ranks[value]) for value in known)
    return (total - len(known) * (len(known) + 1) / 2) / (len(known) * len(unknown))


def test_the_area_tells_what_it_should() -> None:
    assert area([1, 2, 3], [1, 2, 3]) == 0.5
    assert area([4, 5], [1, 2, 3]) == 1
    assert area([1], [2, 3]) == 0
    assert area([2, 2], [1, 2, 3, 2]) == 0.5


#: How somebody is claimed to be who is not proven: names her, and sees that it got no further.
Claiming = Callable[[str], Awaitable[None]]
#: The way in by which that is done.
Entry = Callable[[httpx2.AsyncClient], Awaitable[Claiming]]


async def by_a_start(client: httpx2.AsyncClient) -> Claiming:
    """A visit is started under this id."""

    async def claim(external_id: str) -> None:
        answer = await client.post(SESSION, json={"external_id": external_id})
        assert answer.json()["resumption"]["reason"] == "proof_needed"

    return claim


async def by_set_person(client: httpx2.AsyncClient) -> Claiming:
    """The talk of a stranger is said to be with this id."""
    token = (await client.post(SESSION, json={})).json()["token"]

    async def claim(external_id: str) -> None:
        answer = await client.post(f"{SESSION}/identify", json={"external_id": external_id}, headers=bearer(token))
        assert answer.json() == {"outcome": "kept", "visit": None}

    return claim


async def areas(ids: Ids, claim: Claiming, known: Sequence[str]) -> float:
    """Known and unknown ids in turn, the first of a pair by turns too."""
    times: dict[bool, list[float]] = {True: [], False: []}
    for number in range(WARM + STARTS):
        for is_known in (True, False) if number % 2 else (False, True):
            name = known[number % len(known)]
            external_id = name if is_known else f"{name[:-16]}{ids.key(8).hex()}"
            began = time.perf_counter()
            await claim(external_id)
            times[is_known] += [time.perf_counter() - began] if number >= WARM else []
    return area(times[True], times[False])


@pytest.mark.alone
@pytest.mark.long
@pytest.mark.parametrize(
    ("entry", "persons", "talks"), [(by_a_start, 100, 1), (by_set_person, 100, 1), (by_a_start, 1, MANY)]
)
async def test_time_does_not_tell_who_is_known(
    place: tuple[Ground, Place], entry: Entry, persons: int, talks: int
) -> None:
    ground, where = place
    known = [await known_as(ground, where, "user", talks) for _ in range(persons)]
    async with ground.client(**bearer(where.embed_key)) as client:
        assert await areas(ground.house.ids, await entry(client), known) == pytest.approx(0.5, abs=APART)


class Statements:
    """What the database is told while somebody starts, and how many rows of which table that wrote."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.written: Counter[str] = Counter()

    def listen(self, _connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        """Called after every statement."""
        self.told.append(statement)
        table = re.match(r"(?:INSERT INTO|UPDATE|DELETE FROM) (\w+)", statement)
        if table is not None:
            self.written[table[1]] += max(0, cursor.rowcount)


async def costs(ground: Ground, claim: Claiming) -> tuple[Statements, Statements]:
    """What it costs to claim to be somebody who is known, and somebody who is not."""
    known, engine = await known_as(ground, ground.places["test", "claimed"], "user", 3), ground.store.database.writer
    await claim(known)
    shown = (Statements(), Statements())
    for external_id, statements in zip((known, "user_nobody"), shown, strict=True):
        event.listen(engine, "after_cursor_execute", statements.listen)
        await claim(external_id)
        event.remove(engine, "after_cursor_execute", statements.listen)
    return shown


async def test_who_is_known_costs_the_same_statements(place: tuple[Ground, Place]) -> None:
    ground, where = place
    async with ground.client(**bearer(where.embed_key)) as client:
        known, unknown = await costs(ground, await by_a_start(client))
    assert len(known.told) > 10
    assert known.told == unknown.told
    # The row of a person who is new and how she is found are all that is more: both were tried for the known one too.
    assert unknown.written - known.written == Counter({"persons": 1, "person_words": 1})
    assert known.written - unknown.written == Counter()


async def test_set_person_costs_the_same_statements_and_leaves_nothing(place: tuple[Ground, Place]) -> None:
    ground, where = place
    async with ground.client(**bearer(where.embed_key)) as client:
        known, unknown = await costs(ground, await by_set_person(client))
    assert len(known.told) > 3
    assert known.told == unknown.told
    assert known.written == unknown.written == Counter()
