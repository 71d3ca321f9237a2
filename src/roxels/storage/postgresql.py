"""PostgreSQL: many processes and machines on one database, with the same code and the same promises as on SQLite.

    commits          `synchronous_commit=on`: a commit that returned survives a power cut (if the server has `fsync`)
    changes          READ COMMITTED on a few threads; whatever is read to be changed is locked first (`View.held`), and
                     work that others' changes got into the way of is done again
    reading          REPEATABLE READ, read-only: one consistent view
    who is alive     each process holds an advisory lock in a session of its own; it falls when the process dies
    hints            NOTIFY after the commit, outside it: ids only; a lost one costs a second (`Rooms.watch_others`)

Erasing: `compact` is VACUUM (`storage.vacuuming`), after which the rows' space is free to be used again. PostgreSQL has
no way to overwrite it at once, and its log keeps old pages until it recycles them; docs/operations.md says what to do.
"""

import hashlib
import logging
import queue
import threading
from asyncio import AbstractEventLoop, get_running_loop
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, suppress
from typing import Any

from sqlalchemy import Connection, Engine, ExceptionContext, Row, create_engine, event, make_url, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from roxels.storage.database import standing
from roxels.storage.leases import Peers
from roxels.storage.schema import metadata
from roxels.storage.vacuuming import vacuum
from roxels.storage.wake import DUE, Wake

logger = logging.getLogger(__name__)

#: What a database is told of a connection: commits on disk; a dead machine is noticed in seconds, not hours.
OPTIONS = (
    "-c synchronous_commit=on -c lock_timeout=30s -c tcp_keepalives_idle=5 "
    "-c tcp_keepalives_interval=2 -c tcp_keepalives_count=3"
)
#: States in which the same work may succeed when done again: serialization, deadlock, a row made or gone meanwhile.
PASSING = frozenset({"40001", "40P01", "23505", "23503"})
#: Classes of faults whose text holds values of rows: data, integrity.
VALUED = frozenset({"22", "23"})
CHANNEL = "roxels"
#: PostgreSQL shows the 64 bits of a lock as two halves.
HALF = 0xFFFFFFFF
#: Bytes of one hint; PostgreSQL takes fewer than 8,000.
MAX_HINT = 7000
#: Seconds between two attempts to reach a database that was lost.
AGAIN = 0.5


class PostgreSQL:
    """One PostgreSQL database with its two ways in."""

    def __init__(self, url: str, *, writers: int = 4, readers: int = 8) -> None:
        """`url`: postgresql+psycopg://user:password@host/name; nothing is asked of the server yet."""
        self._url = _with_driver(url)
        self.writers = writers
        # one more connection for what runs outside any transaction (`storage.writer`)
        self.writer = self._engine("READ COMMITTED", OPTIONS, writers + 1)
        self.readers = self._engine("REPEATABLE READ", f"{OPTIONS} -c default_transaction_read_only=on", readers)

    def begin(self) -> AbstractContextManager[Connection]:
        """A transaction that may change, committed at its end."""
        return self.writer.begin()

    def create_all(self) -> None:
        """Make every table at once, without migrations: for tests and for comparing."""
        with self.writer.begin() as connection:
            metadata.create_all(connection)

    def revision(self) -> str | None:
        """The migration this database stands at, None when it is empty."""
        return standing(self.readers)

    def compact(self) -> None:
        """The space of deleted rows is free to be used again, and the planner has forgotten them."""
        vacuum(self.writer)

    def empty_log(self) -> bool:
        """Nothing to do: the server recycles its log by itself."""
        return True

    def is_durable(self) -> bool:
        """Whether commits wait for the disk, here and on the server."""
        with self.readers.connect() as connection:
            return all(
                connection.execute(text(f"SHOW {name}")).scalar() != "off" for name in ("synchronous_commit", "fsync")
            )

    def is_passing(self, fault: Exception) -> bool:
        """Whether the same work may succeed when it is done again."""
        return isinstance(fault, DBAPIError) and getattr(fault.orig, "sqlstate", None) in PASSING

    def join(self, own_id: str) -> Peers:
        """An advisory lock in a session of its own."""
        return Sessions(self._engine("AUTOCOMMIT", OPTIONS, 0), self.readers, own_id)

    def close(self) -> None:
        """Close every connection."""
        self.writer.dispose()
        self.readers.dispose()

    def _engine(self, isolation: str, options: str, size: int) -> Engine:
        limits: dict[str, Any] = {"pool_size": size, "max_overflow": 0, "pool_timeout": 30, "pool_pre_ping": True}
        engine = create_engine(
            self._url,
            isolation_level=isolation,
            paramstyle="format",  # in order, as SQLite has them: `storage.prepared`
            connect_args={"options": options, "connect_timeout": 10},
            hide_parameters=True,  # what people said must not reach a log through a database error
            **(limits if size else {"poolclass": NullPool}),
        )
        event.listen(engine, "handle_error", _without_values)
        return engine


class Sessions:
    """The processes that share a PostgreSQL database: each holds an advisory lock under the hash of its id.

    One thread holds the lock and listens, another tells. Either comes back by itself when the database was away; the
    lock that was lost meanwhile is fenced by the epoch of each conversation.
    """

    look_every = 1.0

    def __init__(self, engine: Engine, readers: Engine, own_id: str) -> None:
        self.own_id = own_id
        self._engine = engine
        self._readers = readers
        self._wake: Wake | None = None
        self._loop: AbstractEventLoop | None = None
        self._hints: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._closing = threading.Event()
        self._held = self._hold()
        self._listener = threading.Thread(target=self._listen, name="listener", daemon=True)
        self._teller = threading.Thread(target=self._tell, name="teller", daemon=True)
        self._listener.start()
        self._teller.start()

    def is_alive(self, process_id: str) -> bool:
        """Whether that process still holds its lock."""
        if process_id == self.own_id:
            return True
        key = _key(process_id)
        return any((row.high, row.low) == (key >> 32 & HALF, key & HALF) for row in self._holders())

    def others(self) -> list[str]:
        """The other processes that are alive."""
        names = [row.name.removeprefix(_NAME) for row in self._holders() if row.name.startswith(_NAME)]
        return [name for name in names if name != self.own_id]

    def exchange_hints(self, wake: Wake) -> None:
        """Tell the others what this process writes, and wake on what they write."""
        self._wake, self._loop = wake, get_running_loop()
        wake.outward = self._hints.put

    def close(self) -> None:
        """Leave: the conversations of this process are free."""
        if self._wake is not None:
            self._wake.outward = lambda _id: None
        self._closing.set()
        self._hints.put(None)
        self._listener.join()
        self._teller.join()
        self._engine.dispose()

    # within

    def _holders(self) -> Sequence[Row[*tuple[Any, ...]]]:
        with self._readers.connect() as connection:
            return connection.execute(text(_HOLDERS)).all()

    def _hold(self) -> Connection:
        connection = self._engine.connect()
        connection.execute(text("SELECT set_config('application_name', :name, false)"), {"name": _NAME + self.own_id})
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _key(self.own_id)})
        connection.execute(text(f"LISTEN {CHANNEL}"))
        return connection

    def _listen(self) -> None:
        while not self._closing.is_set():
            try:
                if self._held.closed:
                    self._held = self._hold()
                driver: Any = self._held.connection.driver_connection
                while not self._closing.is_set():
                    for notification in driver.notifies(timeout=0.2, stop_after=1):
                        self._hear(notification.payload)
            except Exception as fault:  # of the driver, which is imported only where PostgreSQL is used
                self._lost(fault)
        with suppress(SQLAlchemyError):
            self._held.close()

    def _lost(self, fault: Exception) -> None:
        logger.warning(
            "The session that holds this process's lock was lost; it is opened again.",
            extra={"action": "session_lost", "fault": type(fault).__name__},
        )
        with suppress(SQLAlchemyError):
            self._held.invalidate()
        with suppress(SQLAlchemyError):
            self._held.close()
        self._closing.wait(AGAIN)

    def _hear(self, payload: str) -> None:
        sender, *ids = payload.split(" ")
        wake, loop = self._wake, self._loop
        if sender == self.own_id or wake is None or loop is None:
            return
        for each in ids:
            with suppress(RuntimeError):  # the loop is closed: nobody is left to wake
                if each == DUE:
                    loop.call_soon_threadsafe(wake.hint_due)
                else:
                    loop.call_soon_threadsafe(wake.hint, each)

    def _tell(self) -> None:
        connection: Connection | None = None
        while True:
            first = self._hints.get()
            waiting = [first]
            while not self._hints.empty():
                waiting.append(self._hints.get())
            try:
                connection = connection or self._engine.connect()
                for payload in _payloads(self.own_id, [each for each in waiting if each is not None]):
                    connection.execute(
                        text("SELECT pg_notify(:channel, :payload)"), {"channel": CHANNEL, "payload": payload}
                    )
            except SQLAlchemyError:  # a hint that is lost loses nothing
                if connection is not None:
                    with suppress(SQLAlchemyError):
                        connection.invalidate()
                    connection = None
            if None in waiting:
                if connection is not None:
                    connection.close()
                return


_NAME = "roxels "
_HOLDERS = """
SELECT coalesce(a.application_name, '') AS name, l.classid::bigint AS high, l.objid::bigint AS low
FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


def _without_values(context: ExceptionContext) -> None:
    """Leave no row in the text of an error: the server names the values that it refused ("Key (external_id)=(ada)")."""
    diagnosis = getattr(context.original_exception, "diag", None)
    state = getattr(context.original_exception, "sqlstate", None)
    if diagnosis is None or state is None or state[:2] not in VALUED:
        return
    place = ", ".join(filter(None, (diagnosis.table_name, diagnosis.column_name, diagnosis.constraint_name)))
    safe = f"{type(context.original_exception).__name__} ({state}) {place}".strip()
    for fault in (context.original_exception, context.sqlalchemy_exception):
        if fault is not None:
            fault.args = (safe,)


def _key(process_id: str) -> int:
    """The advisory lock of a process: 64 bits of a hash, as PostgreSQL's signed number."""
    return int.from_bytes(hashlib.blake2b(process_id.encode(), digest_size=8).digest(), "big", signed=True)


def _payloads(own_id: str, ids: Iterable[str]) -> list[str]:
    """Hints of many conversations as few messages: the sender, then ids."""
    payloads: list[str] = []
    for each in dict.fromkeys(ids):
        if payloads and len(payloads[-1]) + len(each) < MAX_HINT:
            payloads[-1] += f" {each}"
        else:
            payloads.append(f"{own_id} {each}")
    return payloads


def _with_driver(url: str) -> str:
    """The address with the driver that is installed; `postgresql://` alone names none."""
    made = make_url(url)
    named = made.set(drivername="postgresql+psycopg") if made.drivername in ("postgresql", "postgres") else made
    return named.render_as_string(hide_password=False)
