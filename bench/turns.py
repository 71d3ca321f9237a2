"""P1, P1b, P1c: what the server adds to a turn, how many it carries, and how it serves a crowd that begins at once."""

import asyncio
import random
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from bench import people
from bench.figures import Figure, Scale, at, ms
from bench.people import Person
from bench.serving import Served, served

#: Repeats the arrivals.
SEED = 20_261
#: Turns a second at which two versions can be compared: half of what a process carries is more with each.
STEADY = 1000.0

#: So many talk before a crowd begins: a server that has just been started has to find out how to do each thing.
WARM = 20

Talkers = Callable[[Served, int], Awaitable[list[Person]]]


def own_share(scale: Scale) -> Sequence[Figure]:
    """P1."""
    count = scale.conversations[-1]
    with tempfile.TemporaryDirectory() as folder, served("roxels", "--data", folder) as roxels, served("bare") as bare:
        return asyncio.run(_own_share(scale, roxels, bare, count))


async def _own_share(scale: Scale, roxels: Served, bare: Served, count: int) -> Sequence[Figure]:
    talkers, connected = await people.talking(roxels, count), await people.connected(bare, count)
    turns, took = await people.as_fast_as_they_go(talkers, scale.seconds / 2)
    most = turns / took
    what = (
        f"person's frame in → first agent text out, durable, over an echo under the same load; {count} open "
        f"conversations, turns at random at "
    )
    half, steady = most / 2, min(STEADY, most / 2)
    return [
        await _added(scale, talkers, connected, half, f"{what}half of what the process carries ({most:.0f}/s)", True),
        await _added(scale, talkers, connected, steady, f"the same at {steady:.0f} turns a second", False),
    ]


async def _added(
    scale: Scale, talkers: list[Person], connected: list[Person], rate: float, what: str, has_goal: bool
) -> Figure:
    """What the server adds to an echo at that many turns a second."""
    ours = await people.at_random(talkers, rate, scale.seconds, random.Random(SEED))
    theirs = await people.at_random(connected, rate, scale.seconds, random.Random(SEED))
    p50, p99 = (at(ours, share) - at(theirs, share) for share in (0.5, 0.99))
    return Figure(
        id="P1",
        what=what,
        goal="p50 ≤ 3 ms, p99 ≤ 15 ms" if has_goal else "none",
        measured=f"p50 {ms(p50)}, p99 {ms(p99)} (echo itself: {ms(at(theirs, 0.5))}, {ms(at(theirs, 0.99))})",
        holds=(p50 <= 0.003 and p99 <= 0.015) if has_goal else None,
    )


def throughput(scale: Scale) -> Sequence[Figure]:
    """P1b."""
    figures = []
    for count in scale.conversations:
        ours, our_cpu = _carried(scale, count, "roxels", people.talking)
        theirs, their_cpu = _carried(scale, count, "bare", people.connected)
        figures.append(
            Figure(
                id="P1b",
                what=f"{scale.pieces}-piece answers as fast as they go, {count} conversations, durable, against a bare "
                "server that answers one frame with as many",
                goal="≥ 60 % of its turns/s; ≤ 2 × its CPU",
                measured=f"{ours / theirs:.0%} ({ours:.0f}/s of {theirs:.0f}/s); {our_cpu / their_cpu:.1f} × "
                f"({ms(our_cpu)} a turn)",
                holds=ours >= 0.6 * theirs and our_cpu <= 2 * their_cpu,
            )
        )
    return figures


def _carried(scale: Scale, count: int, kind: str, talkers: Talkers) -> tuple[float, float]:
    """Turns a second, and seconds of processor time for each."""
    with tempfile.TemporaryDirectory() as folder, served(kind, *_arguments(kind, folder, scale.pieces, 0)) as process:
        return asyncio.run(_carry(scale, count, process, talkers))


async def _carry(scale: Scale, count: int, process: Served, talkers: Talkers) -> tuple[float, float]:
    crowd = await talkers(process, count)
    await people.at_once(crowd)
    cpu = process.cpu
    turns, took = await people.as_fast_as_they_go(crowd, scale.seconds)
    return turns / took, (process.cpu - cpu) / turns


def together(scale: Scale) -> Sequence[Figure]:
    """P1c."""
    count, pause = scale.conversations[-1], 0.02
    (our_first, ours), (their_first, theirs) = (
        _begun(count, kind, scale.pieces, pause, talkers)
        for kind, talkers in (("roxels", people.talking), ("bare", people.connected))
    )
    return [
        Figure(
            id="P1c",
            what=f"{count} conversations starting at once, {scale.pieces} pieces 20 ms apart, against the bare server",
            goal="first text p99 within 20 ms; whole answer within 5 %",
            measured=f"first {ms(our_first - their_first)} later; whole {ours / theirs - 1:+.1%}",
            holds=our_first - their_first <= 0.02 and ours / theirs <= 1.05,
        )
    ]


def _begun(count: int, kind: str, pieces: int, pause: float, talkers: Talkers) -> tuple[float, float]:
    """Of a crowd that begins at once, some time after others: p99 to the first text, and the middle whole answer."""
    with tempfile.TemporaryDirectory() as folder, served(kind, *_arguments(kind, folder, pieces, pause)) as process:

        async def begin() -> list[tuple[float, float]]:
            crowd = await talkers(process, WARM + count)
            await people.at_once(crowd[:WARM])
            return await people.at_once(crowd[WARM:])

        turns = asyncio.run(begin())
    return at([first for first, _ in turns], 0.99), at([whole for _, whole in turns], 0.5)


def _arguments(kind: str, folder: str, pieces: int, pause: float) -> list[object]:
    kept = ["--data", Path(folder)] if kind == "roxels" else []
    return [*kept, "--pieces", pieces, "--pause", pause]
