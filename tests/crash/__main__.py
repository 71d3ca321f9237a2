"""`make crash`: cut answers of real servers five hundred times, and write `docs/reliability.md`.

make crash                                  500 cuts, four kinds, both speakers: some minutes
make crash ARGS="--cuts 80 --seed 7"        fewer, or again what a seed did; nothing is written
"""

import argparse
import asyncio
import os
import platform
import random
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import aiohttp

from roxels.testing.model import Interviewer, ModelServer
from tests.crash.cutting import CUTS, Cut, Found, cut_round, unbroken
from tests.processes import Demo

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
WHOLE = 500
#: People in one round.
CROWD = 10
SPEAKERS = ("scripted", "model")


async def campaign(cuts: int, seed: int, folder: Path) -> dict[str, list[Found]]:
    """So many cuts, half of them for each speaker; what was found, by speaker."""
    async with ModelServer(Interviewer(size=4, pause=0.02)) as model:
        return {speaker: await _speak(speaker, cuts // len(SPEAKERS), seed, folder, model.url) for speaker in SPEAKERS}


async def _speak(speaker: str, cuts: int, seed: int, folder: Path, model_url: str) -> list[Found]:
    if speaker == "model":
        demo = Demo(folder / speaker, limits="off", model_url=model_url, model="test-model")
    else:
        demo = Demo(folder / speaker, limits="off", scripted_cps="250")
    found: list[Found] = []
    await asyncio.to_thread(demo.start)
    try:
        async with aiohttp.ClientSession() as http:
            whole = await unbroken(demo, http)
            for number in range(0, cuts, CROWD):
                kind: Cut = CUTS[number // CROWD % len(CUTS)]
                crowd = [(f"person {n}", kind) for n in range(number, min(number + CROWD, cuts))]
                found += await cut_round(demo, http, whole, crowd, seed + number)
                print(f"{speaker}: {len(found)} of {cuts} cuts, {_faulty(found)} faults", flush=True)
    finally:
        await asyncio.to_thread(demo.kill)
    return found


def _faulty(found: Sequence[Found]) -> int:
    return sum(bool(each.faults) for each in found)


def page(found: dict[str, list[Found]], seed: int, now: datetime) -> str:
    """`docs/reliability.md`."""
    rows = "".join(
        f"| {speaker} | {kind} | {len(those)} | {sum(each.inside for each in those)} | {_faulty(those)} |\n"
        for speaker, each_found in found.items()
        for kind in CUTS
        if (those := [each for each in each_found if each.cut == kind])
    )
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
    return f"""<!-- Written by `make crash`. -->

# Reliability

```bash
make crash
```

starts real servers, lets people talk, and cuts them off at random places: the server is killed (`kill -9`) or
restarted (SIGTERM), the connection is dropped, the tab is closed. Everybody comes back and finishes. Each is judged
from the bytes that they received, against the same talk without a cut. A fault is a character that was lost, repeated
or replaced, a message of a person that was lost or doubled, a commit that was missing or came twice.

| speaker | cut by | cuts | inside an answer | faults |
| --- | --- | --- | --- | --- |
{rows}
The model is a local server with the real protocol (`roxels.testing.model`); no language model was at hand.

Measured on {now:%Y-%m-%d} on {machine}, SQLite; `make crash ARGS="--seed {seed}"` repeats these cuts.
A sample runs with every `make test`. Beside it one test aims (`make test ARGS="-m long"`): eight visits talk into one
conversation for 500 turns while the server dies twelve times between deciding and committing
([test_one_commit](../tests/crash/test_one_commit.py)). What a power cut would do is up to the disk: every commit is
synced before anything is shown.
"""


def main() -> int:
    """Cut, print, write."""
    parser = argparse.ArgumentParser(prog="crash")
    parser.add_argument("--cuts", type=int, default=WHOLE)
    parser.add_argument("--seed", type=int, default=None)
    given = parser.parse_args()
    seed = random.SystemRandom().randrange(10**9) if given.seed is None else given.seed
    print(f"seed {seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(campaign(given.cuts, seed, Path(folder)))
    for fault in (fault for those in found.values() for each in those for fault in each.faults):
        print(fault)
    if given.cuts == WHOLE:
        PAGE.write_text(page(found, seed, datetime.now(UTC)), encoding="utf-8")
    return 1 if any(_faulty(those) for those in found.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
