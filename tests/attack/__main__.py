"""`make attack`: every technique against every victim, and `docs/attacks.md`.

make attack                     all against all, a few minutes
make attack ARGS="--seed 7"     with other canaries
"""

import argparse
import asyncio
import sys
import tempfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from tests.attack.engine import TECHNIQUES, Attempt, field_in
from tests.attack.fuzz import fuzz_on
from tests.attack.ground import ground_in
from tests.attack.registry import THREATS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "attacks.md"
SEED = 1
#: Each technique is played so often against each victim.
TIMES = 2
#: Requests that take things of one environment to the other.
REQUESTS = 10_000


async def attempts(seed: int) -> list[Attempt]:
    """All against all."""
    made = []
    for number in range(TIMES):
        with tempfile.TemporaryDirectory() as folder:
            async with field_in(Path(folder), seed + number) as field:
                for victim in field.victims:
                    made += [await field.attempt(technique, victim) for technique in TECHNIQUES.values()]
    return made


async def crossings(seed: int) -> list[str]:
    """What crossed from one environment to the other."""
    with tempfile.TemporaryDirectory() as folder:
        async with ground_in(Path(folder)) as ground:
            return await (await fuzz_on(ground, seed)).crossings(REQUESTS)


def page(made: list[Attempt], crossed: int, seed: int, now: datetime) -> str:
    """`docs/attacks.md`."""
    counts, harmful = (
        Counter(each.technique for each in made),
        Counter(each.technique for each in made if not each.is_harmless),
    )
    threats = "".join(f"| {threat} | {about} |\n" for threat, about in THREATS.items())
    rows = "".join(
        f"| {name.replace('_', ' ')} | {each.threat} | {each.sentence} | {counts[name]} | {harmful[name]} |\n"
        for name, each in TECHNIQUES.items()
    )
    return f"""<!-- Written by `make attack`. -->

# Attacks

```bash
make attack
```

plays every technique below against every victim: persons whose talks were verified, under each policy, and others under
`device` and `verified`. Each leaves words that stand nowhere else, in all that is kept of her. An attempt has succeeded
when one of those words reaches the attacker, or the speaker of one of their sessions, or when what her own next visit
would be told has changed by one byte.

{len(made)} attempts by {len(TECHNIQUES)} techniques against {len({each.victim for each in made})} kinds of victims,
seed {seed}, on {now:%Y-%m-%d}: **{sum(harmful.values())} succeeded**. Each technique is played once with every
`make test`, where holes are planted too, and found.

Then two environments that look alike (the same external ids, templates of the same names) are sent {REQUESTS} mixed
requests, each with a credential of one and ids, cursors, tokens, secrets, devices and tickets of either:
**{crossed} crossed**. A fifth of them, and every address and frame with every wrong credential, is part of `make test`.

Not among what is looked for, because it is meant so: the name and `org_context` of a person who only ever talked on
templates under `claimed` are told to whoever claims her id there.

| threat | what |
| --- | --- |
{threats}
| technique | threat | what it does | attempts | succeeded |
| --- | --- | --- | --- | --- |
{rows}"""


def main() -> int:
    """Attack, print, write."""
    parser = argparse.ArgumentParser(prog="attack")
    parser.add_argument("--seed", type=int, default=SEED)
    given = parser.parse_args()
    made = asyncio.run(attempts(given.seed))
    harmful = [each for each in made if not each.is_harmless]
    for each in harmful:
        print(each)
    print(f"{len(made)} attempts, {len(TECHNIQUES)} techniques, {len(harmful)} succeeded")
    crossed = asyncio.run(crossings(given.seed))
    print(*crossed, sep="\n", end="\n" if crossed else "")
    print(f"{REQUESTS} requests between environments, {len(crossed)} crossed, seed {given.seed}")
    PAGE.write_text(page(made, len(crossed), given.seed, datetime.now(UTC)), encoding="utf-8")
    return 1 if harmful or crossed else 0


if __name__ == "__main__":
    sys.exit(main())
