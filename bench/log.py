"""P8: how many facts a second become durable, against the bare database with the same rows."""

import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Connection

from bench import stock
from bench.figures import Figure, Scale, median
from roxels import server
from roxels.ambient import RandomIds, SystemClock
from roxels.domain.conversation import fold
from roxels.domain.events import Fact, PersonSaid, encode, name_of
from roxels.settings import Settings
from roxels.storage import log
from roxels.storage.log import Append
from roxels.storage.schema import micros
from roxels.storage.transaction import Reading, Writing

#: Conversations that are written to at the same time.
CROWD = 200
#: The planted facts stand before it.
FIRST = 100
WORDS = "Some words that somebody says"


def durable(scale: Scale) -> Sequence[Figure]:
    """P8."""
    with tempfile.TemporaryDirectory() as folder:
        ids = _plant(Path(folder))
        ours, batch = asyncio.run(_through_the_writer(Path(folder), ids, scale.events))
    with tempfile.TemporaryDirectory() as folder:
        _plant(Path(folder))
        theirs = _raw(Path(folder) / server.DATABASE, scale.events, batch)
    return [
        Figure(
            id="P8",
            what=f"durable facts a second, one process, against `sqlite3.executemany` of the same rows, {batch} each",
            goal="≥ 50 %",
            measured=f"{ours / theirs:.0%} ({ours:,.0f}/s of {theirs:,.0f}/s)",
            holds=ours >= 0.5 * theirs,
        )
    ]


def _plant(data: Path) -> list[str]:
    def plant(tx: Writing, template_id: str) -> list[str]:
        people = stock.persons(tx, CROWD)
        return [stock.conversation(tx, template_id, person_id, n, ["Hello"]) for n, person_id in enumerate(people)]

    return stock.stocked(data, plant)


async def _through_the_writer(data: Path, ids: list[str], count: int) -> tuple[float, int]:
    """Facts a second, and how many the writer put into one commit in the middle."""
    house = server.build(Settings(data=data, log_level="error"), clock=SystemClock(), ids=RandomIds())
    batches: list[int] = []
    write = log.write

    def counted(connection: Connection, batch: Sequence[Append]) -> list[Exception | None]:
        batches.append(len(batch))
        return write(connection, batch)

    appends = [await house.store.read("test", _appends, each, count // len(ids)) for each in ids]

    async def one(mine: list[Append]) -> None:
        for append in mine:
            await house.store.append(append)

    log.write = counted
    try:
        began = time.perf_counter()
        await asyncio.gather(*(one(mine) for mine in appends))
        took = time.perf_counter() - began
    finally:
        log.write = write
        await house.close()
    return count / took, round(median(batches))


def _appends(tx: Reading, conversation_id: str, count: int) -> list[Append]:
    """What is to be kept of one conversation: one fact each, decided beforehand."""
    state, appends = log.read(tx, conversation_id).state, []
    for number in range(count):
        event = PersonSaid(id=f"b{number}", text=WORDS)
        fact = Fact(seq=state.head + 1, at=stock.SINCE, session_id="sess_1", event=event)
        after = fold([fact], state)
        append = Append(
            conversation_id=conversation_id, expected_seq=state.head, before=state, facts=(fact,), state=after
        )
        appends.append(append)
        state = after
    return appends


def _raw(file: Path, count: int, batch: int) -> float:
    """The same rows into the same tables, by the driver alone."""
    database = sqlite3.connect(file, isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    at = micros(stock.SINCE)
    said = [PersonSaid(id=f"b{n}", text=WORDS) for n in range(FIRST, count // CROWD + FIRST)]
    rows = [
        (f"iv_{number:032d}", seq, name_of(words), at, "sess_1", encode(words).decode())
        for seq, words in enumerate(said, FIRST)
        for number in range(CROWD)
    ]
    began = time.perf_counter()
    for start in range(0, len(rows), batch):
        database.execute("BEGIN IMMEDIATE")
        chosen = rows[start : start + batch]
        database.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)", chosen)
        database.executemany(
            "UPDATE conversations SET head = ?, last_activity_at = ? WHERE id = ?",
            [(seq, at, conversation_id) for conversation_id, seq, _, at, _, _ in chosen],
        )
        database.execute("COMMIT")
    took = time.perf_counter() - began
    database.close()
    return len(rows) / took
