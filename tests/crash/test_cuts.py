"""A sample of `make crash`: every kind of cut, with both speakers."""

import os
import random
from pathlib import Path

from tests.crash.__main__ import SPEAKERS, campaign
from tests.crash.cutting import CUTS

CUTS_OF_THE_SAMPLE = 80


async def test_nothing_is_lost_repeated_or_replaced(tmp_path: Path) -> None:
    seed = int(os.environ.get("ROXELS_CRASH_SEED", random.SystemRandom().randrange(10**9)))
    print(f"\nROXELS_CRASH_SEED={seed}")
    found = await campaign(CUTS_OF_THE_SAMPLE, seed, tmp_path)
    assert [fault for those in found.values() for each in those for fault in each.faults] == []
    for speaker in SPEAKERS:
        assert {each.cut for each in found[speaker]} == set(CUTS)
        assert sum(each.inside for each in found[speaker]) >= len(found[speaker]) // 2
