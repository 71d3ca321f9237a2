"""What is measured, and the table that it is written to."""

import os
import platform
import statistics
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

PAGE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the table. `holds` is None where there is no goal."""

    id: str
    what: str
    goal: str
    measured: str
    holds: bool | None


class Scale(msgspec.Struct, frozen=True, kw_only=True):
    """How much is measured: `whole` for the page, `small` for a test that the measuring works at all."""

    name: str
    conversations: tuple[int, ...]
    seconds: float
    pieces: int
    messages: int
    others: int
    persons: int
    idle: int
    past: int
    deliveries: int
    events: int


WHOLE = Scale(
    name="whole",
    conversations=(50, 200),
    seconds=10.0,
    pieces=200,
    messages=1000,
    others=10_000,
    persons=1_000_000,
    idle=2000,
    past=1000,
    deliveries=5000,
    events=40_000,
)
SMALL = Scale(
    name="small",
    conversations=(3,),
    seconds=0.3,
    pieces=10,
    messages=20,
    others=20,
    persons=1000,
    idle=5,
    past=20,
    deliveries=20,
    events=200,
)

#: What a profile says of those that were missed at some time; it stands on the page while they are.
PROFILES = {
    "P1": "Most of the time is the one commit that keeps the participant's words with the answer's first ones, and the "
    "wait for the one before it, on a core that is much busier in small batches than half of what it carries in large "
    "ones. The tail is the log of SQLite that is written back to the database within a commit.",
    "P1c": "Until the first text each of the 200 conversations is read, decided, asked, kept and sent in one process; "
    "the bare server only sends. After that the pieces come as they do there.",
    "P2": "A third is reading and decoding the rows of the conversation and folding them, a tenth encoding its "
    "messages, a tenth sending them; the rest is the connection, the hello, and the commit that somebody joined.",
    "P4": "A connection costs what a bare one does; on top of it come two tasks, the layers around a request, and the "
    "facts of the conversation, which stay while somebody listens.",
    "P8": "SQLite's own share is the same on both sides, some half of ours. The rest is making rows, the event loop "
    "that hands facts over and wakes who waits, and foreign keys, which the raw side does not check.",
}

#: Measures one or more figures.
Measuring = Callable[[Scale], Sequence[Figure]]


def at(values: Sequence[float], share: float) -> float:
    """The value below which that share of all lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def median(values: Sequence[float]) -> float:
    """The middle one."""
    return statistics.median(values)


def ms(seconds: float) -> str:
    """`3.2 ms`."""
    return f"{seconds * 1000:.1f} ms"


def page(figures: Sequence[Figure], now: datetime) -> str:
    """`docs/benchmarks.md`."""
    marks = {True: "yes", False: "**no**", None: ""}
    rows = "".join(
        f"| {each.id} | {each.what} | {each.goal} | {each.measured} | {marks[each.holds]} |\n" for each in figures
    )
    missed = [name for name in PROFILES if any(each.id == name and each.holds is False for each in figures)]
    why = "".join(f"- **{name}.** {PROFILES[name]}\n" for name in missed)
    reasons = f"## What is missed, and what a profile says\n\n{why}\n" if missed else ""
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
    return f"""<!-- Written by `make bench`. -->

# Figures

```bash
make bench
```

measures all of this again in about ten minutes, and writes this page. The server runs on one core, the load comes from
the other, both on one machine over loopback. What lasts is a ratio to a bare counterpart that is measured in the same
run; absolute values depend on the machine. Goals that are not held are marked.

Measured on {now:%Y-%m-%d} on {machine}, SQLite with `synchronous=FULL`.

| | what | goal | measured | held |
| --- | --- | --- | --- | --- |
{rows}
{reasons}What is measured stands in `bench/`, one module per figure.
"""


def write(figures: Sequence[Figure]) -> None:
    """Write the page."""
    PAGE.write_text(page(figures, datetime.now(UTC)), encoding="utf-8")
