"""Connections: how the database is opened so that what it promises is true.

SQLite: WAL, `synchronous=FULL` (a commit that returned survives a power cut), `secure_delete=ON` (what is deleted is
overwritten), foreign keys checked. The writer begins IMMEDIATE (the driver's own default begins at the first change and
loses updates between read and write); readers are `query_only`.

What is deleted is not yet gone from the files. `secure_delete` overwrites a deleted row where it stands, but SQLite
moves rows between pages as they fill, and leaves old copies in the unused space of pages (found in every test of
random keys); and the write-ahead log keeps the pages of before. So erasing ends in a sweep of two steps:

    compact      VACUUM: every page is written anew, with nothing in its unused space
    empty_log    wal_checkpoint(TRUNCATE): the log is folded in and cut to nothing; held up by whoever reads from it

Compacting takes some 10 ms per MB (1.6 s for 150 MB, measured on two shared cores), and changes wait for it while reads
go on. There is no size above which it is left out: that would break the promise. Nothing less will do: tried with the
same search, `incremental_vacuum` took under 1 ms and left words behind. Instead `actions.eraser` lets many erasures
share one sweep, and rests after each.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool, StaticPool

from roxels.storage.leases import Peers, Processes
from roxels.storage.schema import metadata

#: How long a connection waits for another process's lock.
BUSY_SECONDS = 30
#: Pages (of 4 KB) in the write-ahead log before it is folded in, by the commit that comes then. Most are the same few,
#: written again and again: four times SQLite's own measure folds each less often, and fewer answers wait for it.
LOG_PAGES = 4000
#: What SQLite answers for `synchronous=FULL`.
FULL = 2

MIGRATIONS = Path(__file__).parent / "migrations" / "versions"


class Backend(Protocol):
    """A database as the rest of the house needs it: SQLite (`Database`), or PostgreSQL (`storage.postgresql`)."""

    #: For changes, on the threads of `storage.writer` only.
    writer: Engine
    #: For reading; a change is refused.
    readers: Engine
    #: Threads that may change at once.
    writers: int

    def begin(self) -> AbstractContextManager[Connection]:
        """A transaction that may change, committed at its end; on the threads of `storage.writer` only."""
        ...

    def create_all(self) -> None:
        """Make every table at once, without migrations: for tests and for comparing."""
        ...

    def revision(self) -> str | None:
        """The migration this database stands at, None when it is empty."""
        ...

    def compact(self) -> None:
        """Leave nothing of deleted rows in the pages, as far as this database can. Only through `Store.alone`."""
        ...

    def empty_log(self) -> bool:
        """Leave nothing in the write-ahead log, as far as this database can; False while readers hold it."""
        ...

    def is_durable(self) -> bool:
        """Whether a commit that returned survives a power cut."""
        ...

    def is_passing(self, fault: Exception) -> bool:
        """Whether this fault came of somebody else's change at the same moment: the same work is done again."""
        ...

    def join(self, own_id: str) -> Peers:
        """Announce this process to the others that share the database."""
        ...

    def close(self) -> None:
        """Close every connection."""
        ...


class Database:
    """One SQLite file with its two ways in."""

    writers = 1

    def __init__(self, path: Path, *, readers: int = 8) -> None:
        """Open `path` (made when absent) for one writer and up to `readers` readers at once."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.writer = _engine(path, "BEGIN IMMEDIATE", query_only=False, size=1)
        self.readers = _engine(path, "BEGIN", query_only=True, size=readers)
        self._held: Connection | None = None

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A transaction that may change, committed at its end; on the writer's thread only.

        The connection is kept from one to the next: to take it anew costs as much as keeping a fact.
        """
        if self._held is None:
            self._held = self.writer.connect()
        try:
            with self._held.begin():
                yield self._held
        except BaseException:
            # SQLAlchemy takes a commit that failed for over and sends no rollback; the pool does when it gets it back.
            held, self._held = self._held, None
            held.close()
            raise

    def create_all(self) -> None:
        """Make every table at once, without migrations: for tests and for comparing."""
        with self.writer.begin() as connection:
            metadata.create_all(connection)

    def revision(self) -> str | None:
        """The migration this database stands at, None when it is empty."""
        return standing(self.readers)

    def compact(self) -> None:
        """Leave nothing of deleted rows in the pages. Only through `Store.alone`; needs as much disk again."""
        with closing(self.writer.raw_connection()) as connection:
            connection.cursor().execute("VACUUM")

    def empty_log(self, *, patience_ms: int = 20) -> bool:
        """Leave nothing in the write-ahead log; False while readers hold it. Only through `Store.alone`."""
        with closing(self.writer.raw_connection()) as connection:
            cursor = connection.cursor()
            cursor.execute(f"PRAGMA busy_timeout={patience_ms}")
            try:
                busy, _, _ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            finally:
                cursor.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}")
            return not busy

    def is_durable(self) -> bool:
        """Whether each commit is synced to disk (`synchronous=FULL`)."""
        with self.readers.connect() as connection:
            return int(connection.exec_driver_sql("PRAGMA synchronous").scalar_one()) >= FULL

    def is_passing(self, _fault: Exception) -> bool:
        """Never: there is one writer, and who comes second waits."""
        return False

    def join(self, own_id: str) -> Peers:
        """A file lock beside the database: processes that share it are on one machine."""
        return Processes(self.path.parent / "processes", own_id)

    def close(self) -> None:
        """Close every connection."""
        if self._held is not None:
            self._held.close()
        self.writer.dispose()
        self.readers.dispose()


def standing(readers: Engine) -> str | None:
    """The migration that a database stands at."""
    with readers.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def newest_revision() -> str:
    """The migration that the code expects: the last file's number."""
    return max(path.stem for path in MIGRATIONS.glob("[0-9]*.py")).split("_")[0]


def _engine(path: Path, begin: str, *, query_only: bool, size: int) -> Engine:
    pool: Any = StaticPool if size == 1 else QueuePool
    limits = {} if size == 1 else {"pool_size": size, "max_overflow": 0, "pool_timeout": 30}
    engine = create_engine(
        f"sqlite:///{path}",
        poolclass=pool,
        connect_args={"check_same_thread": False, "timeout": BUSY_SECONDS, "isolation_level": None},
        hide_parameters=True,  # what people said must not reach a log through a database error
        **limits,
    )

    def on_connect(connection: Any, _record: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "secure_delete=ON",
            "foreign_keys=ON",
            f"wal_autocheckpoint={LOG_PAGES}",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        if query_only:
            cursor.execute("PRAGMA query_only=ON")
        cursor.close()

    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine, "connect", on_connect)
    event.listen(engine, "begin", on_begin)
    return engine
