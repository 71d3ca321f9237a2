"""What is of one environment never reaches the other, whatever is taken across; see `fuzz`."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.attack.fuzz import Fuzz, fuzz_on
from tests.attack.ground import ground_in

#: `make attack` sends five times as many.
SEED, COUNT = 20260302, 2_000


@pytest.fixture
async def fuzz(tmp_path: Path) -> AsyncIterator[Fuzz]:
    async with ground_in(tmp_path) as ground:
        yield await fuzz_on(ground, SEED)


async def test_nothing_crosses(fuzz: Fuzz) -> None:
    print(f"seed {SEED}")
    assert await fuzz.crossings(COUNT) == []
    done = sum(count for status, count in fuzz.statuses.items() if status < 300)
    assert done > COUNT / 4, f"who reaches nothing crosses nothing: {fuzz.statuses}"
    assert fuzz.foreign > COUNT / 4
