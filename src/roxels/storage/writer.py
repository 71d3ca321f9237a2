"""Threads that write: one on SQLite, a few on PostgreSQL. Each takes all that waits for it, keeps it in one
transaction, answers, and takes again.

No timer: a lone turn costs one sync to disk, a crowd shares it. Appends of a batch stand in one transaction; actions
(anything else that changes rows) run one by one between batches. What must run outside any transaction does so too
where there is one thread; where there are several it has one more of its own, since it may take long. A batch that
fails as a whole is written again one append at a time, so that a faulty one spoils nobody else's.

Appends of one conversation always wait for the same thread, so they are kept in the order in which they came. Where
somebody else's change at the same moment made work fail (a deadlock, a row that another made first: only where several
write), the same work is done again.
"""

import asyncio
import itertools
import queue
import threading
import zlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import msgspec
from sqlalchemy import Connection

from roxels.storage import log
from roxels.storage.log import Append


class _Action(msgspec.Struct, frozen=True):
    work: Callable[[Connection], Any]


class _Alone(msgspec.Struct, frozen=True):
    work: Callable[[], Any]


class _Waiting(msgspec.Struct, frozen=True):
    item: Append | _Action | _Alone
    loop: asyncio.AbstractEventLoop
    answer: "asyncio.Future[Any]"


_STOP = None

#: Begins a transaction that is committed at its end.
Begin = Callable[[], AbstractContextManager[Connection]]

#: Appends of one transaction at most; what waits beyond goes into the next.
MAX_BATCH = 1000
#: How often the same work is done where others' changes keep getting into its way.
TRIES = 5


class Writer:
    """The way to change the database."""

    def __init__(
        self, begin: Begin, *, threads: int = 1, is_passing: Callable[[Exception], bool] = lambda _fault: False
    ) -> None:
        """`is_passing` says which faults came of somebody else's change at the same moment."""
        self._lanes = [_Lane(begin, f"writer {n}", is_passing) for n in range(threads)]
        self._turns = itertools.cycle(self._lanes)
        self._apart = self._lanes[0] if threads == 1 else _Lane(begin, "writer apart", is_passing)

    def append(self, append: Append) -> "asyncio.Future[None]":
        """Keep it durably: done when the commit has returned. It raises `Behind`, `Superseded` or `Gone`."""
        return self._lane_of(append.conversation_id).put(append)

    async def act(self, work: Callable[[Connection], Any]) -> Any:
        """Run a short piece of work in a transaction of its own and hand back what it returns."""
        return await next(self._turns).put(_Action(work))

    async def alone(self, work: Callable[[], Any]) -> Any:
        """Run work outside any transaction; where there is one thread, all other changes wait for it."""
        return await self._apart.put(_Alone(work))

    def _lane_of(self, conversation_id: str) -> "_Lane":
        if len(self._lanes) == 1:
            return self._lanes[0]
        return self._lanes[zlib.crc32(conversation_id.encode()) % len(self._lanes)]

    def close(self) -> None:
        """Write what waits, then end."""
        for lane in self._lanes:
            lane.close()
        if self._apart is not self._lanes[0]:
            self._apart.close()


class _Lane:
    """One thread that writes, and what waits for it."""

    def __init__(self, begin: Begin, name: str, is_passing: Callable[[Exception], bool]) -> None:
        self._begin = begin
        self._is_passing = is_passing
        self._waiting: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._waiting.put(_STOP)
        self._thread.join()

    def put(self, item: Append | _Action | _Alone) -> "asyncio.Future[Any]":
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()
        self._waiting.put(_Waiting(item, loop, answer))
        return answer

    def _work(self) -> None:
        while True:
            batch, stop = self._take()
            appends = [(waiting, waiting.item) for waiting in batch if isinstance(waiting.item, Append)]
            if appends:
                _answer([waiting for waiting, _ in appends], self._keep([append for _, append in appends]))
            for waiting in batch:
                if not isinstance(waiting.item, Append):
                    _answer([waiting], [self._act(waiting.item)])
            if stop:
                return

    def _take(self) -> tuple[list[_Waiting], bool]:
        first = self._waiting.get()
        batch: list[_Waiting] = []
        item: _Waiting | None = first
        while item is not _STOP and item is not None:
            batch.append(item)
            if len(batch) == MAX_BATCH or self._waiting.empty():
                return batch, False
            item = self._waiting.get()
        return batch, True

    def _keep(self, appends: Sequence[Append]) -> Sequence[Any]:
        try:
            tries = TRIES if len(appends) == 1 else 1
            answers: Sequence[Any] = self._tried(lambda connection: log.write(connection, appends), tries)
        except Exception as fault:
            if len(appends) == 1:
                return [fault]
            return [self._keep([append])[0] for append in appends]
        return answers

    def _act(self, action: _Action | _Alone) -> Any:
        try:
            if isinstance(action, _Alone):
                return action.work()
            return self._tried(action.work, TRIES)
        except Exception as fault:
            return _Raised(fault)

    def _tried(self, work: Callable[[Connection], Any], tries: int) -> Any:
        """What the work answers in a transaction of its own, tried so often."""
        while True:
            tries -= 1
            try:
                with self._begin() as connection:
                    return work(connection)
            except Exception as fault:
                if not tries or not self._is_passing(fault):
                    raise


class _Raised(msgspec.Struct, frozen=True):
    fault: Exception


def _answer(batch: Sequence[_Waiting], results: Sequence[Any]) -> None:
    """Wake those who wait, with one call per event loop."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], Any]]] = {}
    for waiting, result in zip(batch, results, strict=True):
        by_loop.setdefault(waiting.loop, []).append((waiting.answer, result))
    for loop, answers in by_loop.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_settle, answers)


def _settle(answers: list[tuple["asyncio.Future[Any]", Any]]) -> None:
    for future, result in answers:
        if future.done():
            continue
        if isinstance(result, _Raised):
            future.set_exception(result.fault)
        elif isinstance(result, Exception):
            future.set_exception(result)
        else:
            future.set_result(result)
