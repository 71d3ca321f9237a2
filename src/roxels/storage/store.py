"""The store: the one async door into the database. What runs behind it is plain synchronous code.

Reads run on a few threads, changes on the writer's; a coroutine never touches a connection itself.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection

from roxels.domain.clock import Clock
from roxels.storage import log
from roxels.storage.database import Backend
from roxels.storage.log import Append
from roxels.storage.transaction import Across, AcrossWriting, Environment, Reading, View, Writing
from roxels.storage.wake import DUE, Wake
from roxels.storage.writer import Writer

P = ParamSpec("P")
T = TypeVar("T")


class Store:
    """Transactions on one database."""

    def __init__(self, database: Backend, clock: Clock, *, threads: int = 4) -> None:
        self.database = database
        self.wake = Wake()
        #: What this process made durable since it started: (what, of which kind) and how often.
        self.counts: Counter[tuple[str, str]] = Counter()
        self._clock = clock
        self._writer = Writer(database.begin, threads=database.writers, is_passing=database.is_passing)
        self._readers = ThreadPoolExecutor(threads, thread_name_prefix="reader")

    async def append(self, append: Append) -> None:
        """Keep facts or a piece durably; see `storage.log` for what refuses it."""
        await self._writer.append(append)
        for what in log.counted(append):
            self.counts[what] += 1
        self.wake.outward(append.conversation_id)
        if append.due:
            self._hint_due()

    async def write(
        self, environment: Environment, action: Callable[Concatenate[Writing, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run an action in a transaction of its own, in one environment."""

        def work(connection: Connection) -> tuple[T, View]:
            tx = Writing(connection, environment, self._clock.now())
            return action(tx, *args, **kwargs), tx

        return await self._act(work)

    async def read(
        self, environment: Environment, query: Callable[Concatenate[Reading, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run queries against one consistent view of one environment."""

        def work() -> T:
            with self.database.readers.begin() as connection:
                return query(Reading(connection, environment, self._clock.now()), *args, **kwargs)

        return await asyncio.get_running_loop().run_in_executor(self._readers, work)

    async def read_across(self, query: Callable[Concatenate[Across, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run queries over all environments: token look-up, worker and sweeps only."""

        def work() -> T:
            with self.database.readers.begin() as connection:
                return query(Across(connection, self._clock.now()), *args, **kwargs)

        return await asyncio.get_running_loop().run_in_executor(self._readers, work)

    async def write_across(
        self, action: Callable[Concatenate[AcrossWriting, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run an action over all environments: worker and sweeps only."""

        def work(connection: Connection) -> tuple[T, View]:
            tx = AcrossWriting(connection, self._clock.now())
            return action(tx, *args, **kwargs), tx

        return await self._act(work)

    async def alone(self, work: Callable[[Backend], T]) -> T:
        """Run blocking work outside any transaction (see `storage.database`); on SQLite all changes wait for it."""
        answer: T = await self._writer.alone(lambda: work(self.database))
        return answer

    async def run(self, work: Callable[[], Any]) -> Any:
        """Run blocking work that needs no transaction on a reader's thread."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, work)

    async def _act(self, work: Callable[[Connection], tuple[T, View]]) -> T:
        result: T
        result, tx = await self._writer.act(work)
        self.counts.update(tx.counts)
        for conversation_id in tx.touched:
            self.wake.hint(conversation_id)
            self.wake.outward(conversation_id)
        if tx.owes:
            self._hint_due()
        return result

    def _hint_due(self) -> None:
        self.wake.hint_due()
        self.wake.outward(DUE)

    def close(self) -> None:
        """Write what waits, then close every connection."""
        self._writer.close()
        self._readers.shutdown()
        self.database.close()
