"""P3 and P4: a list of a million persons, and two thousand who are connected and say nothing."""

import asyncio
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

import aiohttp

from bench import people, stock
from bench.figures import Figure, Scale, median
from bench.serving import Served, served

#: Pages that are looked at: the first, and some on the way.
PAGES = 30


def persons_listed(scale: Scale) -> Sequence[Figure]:
    """P3."""
    few, many = _page(1000), _page(scale.persons)
    return [
        Figure(
            id="P3",
            what=f"a page of persons at {scale.persons:,} rows against 1,000",
            goal="≤ 1.5 ×",
            measured=f"{many / few:.2f} × ({many * 1000:.1f} ms)",
            holds=many <= 1.5 * few,
        )
    ]


def _page(rows: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        stock.stocked(Path(folder), lambda tx, _template: len(stock.persons(tx, rows)))
        with served("roxels", "--data", folder) as process:
            return asyncio.run(_look(process))


async def _look(process: Served) -> float:
    """The middle time of a page, one after the other."""
    took, cursor = [], ""
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {process.config['secret_key']}"}) as http:
        for _ in range(PAGES):
            began = time.perf_counter()
            async with http.get(f"{process.config['url']}/v1/persons?limit=30{cursor}") as answer:
                page = await answer.json()
                assert len(page["items"]) == 30, page
            took.append(time.perf_counter() - began)
            cursor = f"&cursor={quote(page['next_cursor'])}"
    return median(took)


def idle(scale: Scale) -> Sequence[Figure]:
    """P4."""
    with tempfile.TemporaryDirectory() as folder, served("roxels", "--data", folder) as roxels, served("bare") as bare:
        ours, theirs = asyncio.run(_held(scale.idle, roxels, bare))
    return [
        Figure(
            id="P4",
            what=f"memory of an idle open session at {scale.idle:,}, after a turn each (a bare socket beside it)",
            goal="≤ 48 KB",
            measured=f"{ours / 1024:.0f} KB ({theirs / 1024:.0f} KB)",
            holds=ours <= 48 * 1024,
        )
    ]


async def _held(count: int, roxels: Served, bare: Served) -> tuple[float, float]:
    warm = await people.talking(roxels, 20, name="warm {}")
    await people.at_once(warm)
    before, bare_before = roxels.resident, bare.resident
    crowd = await people.talking(roxels, count)
    await people.at_once(crowd)
    sockets = await people.connected(bare, count)
    await asyncio.sleep(2)
    ours, theirs = (roxels.resident - before) / count, (bare.resident - bare_before) / count
    for person in (*warm, *crowd, *sockets):
        person.socket.close()
    return ours, theirs
