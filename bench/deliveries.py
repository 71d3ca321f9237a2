"""P7: how many webhooks a second reach a receiver on this machine, and whether a kill in the middle loses one."""

import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from sqlalchemy import insert

from bench import stock
from bench.figures import Figure, Scale
from bench.serving import served
from roxels.storage import schema
from roxels.storage.transaction import Writing

#: Persons among whom the deliveries are spread: the order of each is kept.
PEOPLE = 500
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: application/json\r\n\r\n{}"


class Sink:
    """A receiver that takes everything, answers at once, and counts by `webhook-id`."""

    def __init__(self) -> None:
        self.came: Counter[str] = Counter()
        self.url = ""

    async def start(self) -> None:
        """Listen on a free port of this machine."""
        server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()[:2]
        self.url = f"http://{host}:{port}/hook"

    async def until(self, count: int) -> None:
        """Wait until so many different deliveries have come."""
        async with asyncio.timeout(120):
            while len(self.came) < count:
                await asyncio.sleep(0.005)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):  # the sender has gone
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:] if line)
                named = {name.lower(): value for name, value in fields.items()}
                await reader.readexactly(int(named["content-length"]))
                self.came[named["webhook-id"]] += 1
                writer.write(ANSWER)


def delivered(scale: Scale) -> Sequence[Figure]:
    """P7."""
    rate, twice = asyncio.run(_deliver(scale.deliveries))
    return [
        Figure(
            id="P7",
            what=f"{scale.deliveries:,} deliveries to a receiver on this machine, one process, killed (`-9`) half way",
            goal="≥ 500/s, none lost",
            measured=f"{rate:,.0f}/s, none lost, {twice} sent twice (with the same key)",
            holds=rate >= 500,
        )
    ]


async def _deliver(count: int) -> tuple[float, int]:
    """Deliveries a second of an unbroken run, and how many came twice in one that was killed."""
    sink = Sink()
    await sink.start()
    with tempfile.TemporaryDirectory() as folder:
        await asyncio.to_thread(_plant, Path(folder), sink.url, count)
        with served("roxels", "--data", folder):
            await sink.until(1)
            began, already = time.perf_counter(), len(sink.came)
            await sink.until(count)
            rate = (count - already) / (time.perf_counter() - began)
    sink.came.clear()
    with tempfile.TemporaryDirectory() as folder:
        await asyncio.to_thread(_plant, Path(folder), sink.url, count)
        with served("roxels", "--data", folder):
            await sink.until(count // 2)
        with served("roxels", "--data", folder):
            await sink.until(count)
    return rate, sum(times - 1 for times in sink.came.values())


def _plant(data: Path, url: str, count: int) -> None:
    """A folder in which so many deliveries are due."""

    def plant(tx: Writing, template_id: str) -> None:
        people = stock.persons(tx, min(PEOPLE, count))
        talks = [stock.conversation(tx, template_id, person_id, n, ["Hello"]) for n, person_id in enumerate(people)]
        rows = [
            {
                "id": f"del_{number:032d}",
                "environment": "test",
                "conversation_id": talks[number % len(people)],
                "person_id": people[number % len(people)],
                "goal_id": "g1",
                "commit_id": f"commit_{number:032d}",
                "revision": 1,
                "type": "webhook",
                "url": url,
                "destination": url.removesuffix("/hook"),
                "place": number // len(people) + 1,
                "body": '{"data": {"note": "Some words"}}',
                "status": "due",
                "due_at": stock.SINCE,
                "claimed_by": None,
                "tries": 0,
                "created_at": stock.SINCE,
            }
            for number in range(count)
        ]
        tx.connection.execute(insert(schema.deliveries), rows)

    stock.stocked(data, plant)
