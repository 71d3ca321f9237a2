"""`roxels`, which kills itself (SIGKILL) at a named point of a commit's or a delivery's life.

`python -m tests.crash.dying POINT PORT ...`; PORT is the receiver's. `POINT:7` is the seventh time that it comes by.

    point             it dies
    commit.begun      a commit is decided; nothing of it is written
    commit.written    it is written, its transaction is not committed
    commit.kept       that transaction is committed; nobody was told
    plan.written      facts and delivery are written, their transaction is not committed
    plan.kept         that transaction is committed; nobody has looked at the outbox
    claim.written     a claim is written, not committed
    claim.kept        it is committed; nothing has been sent
    send.connecting   the receiver's address is about to be connected to
    settle.begun      the receiver has answered; nothing of it is written
    settle.written    the attempt is written, not committed
    settle.kept       it is committed

Nothing in the product knows of this: the points are seen from outside, in the statements that go to the driver and in
the calls that go to the system. (In the midst of a request, it is the receiver who knows: there the test kills.)
"""

import os
import re
import signal
import sqlite3
import sys
from typing import Any, NamedTuple

from sqlalchemy import Dialect, Engine, event
from sqlalchemy.pool import Pool

from roxels.cli import main as roxels


class Writing(NamedTuple):
    """A statement that goes to the database, and a value that it has among its parameters."""

    begins: str
    value: str = ""

    def is_it(self, statement: str, parameters: Any) -> bool:
        """Whether this is it."""
        return re.match(self.begins, statement) is not None and self.value in str(parameters)


POINTS = {
    "commit": Writing(r"INSERT INTO events ", "'goal.committed'"),
    "plan": Writing(r"INSERT INTO deliveries "),
    "claim": Writing(r"UPDATE deliveries SET due_at=\S+, claimed_by=\S+ WHERE"),
    "settle": Writing(r"INSERT INTO attempts "),
}


def die() -> None:
    """Now."""
    os.kill(os.getpid(), signal.SIGKILL)


class Fuse:
    """Waits for one point."""

    def __init__(self, point: str, receiver_port: int) -> None:
        self.receiver_port = receiver_port
        point, _, times = point.partition(":")
        name, _, self.moment = point.partition(".")
        self.writing = POINTS.get(name)
        self.left = int(times or 1)
        #: Connections whose transaction has the statement in it.
        self.lit: set[int] = set()

    def before(self, statement: str, parameters: Any) -> None:
        """A statement is about to go to the database."""
        if self.moment == "begun" and self.writing and self.writing.is_it(statement, parameters):
            self.burn()

    def after(self, connection: Any, statement: str, parameters: Any) -> None:
        """A statement was carried out on this connection."""
        if self.writing is None or not self.writing.is_it(statement, parameters):
            return
        if self.moment == "written":
            self.burn()
        if self.moment == "kept":
            self.lit.add(id(connection))

    def committed(self, connection: Any) -> None:
        """What was done on this connection is committed."""
        if id(connection) in self.lit:
            self.lit.discard(id(connection))
            self.burn()

    def audit(self, name: str, about: tuple[Any, ...]) -> None:
        """A call to the system."""
        if self.moment == "connecting" and name == "socket.connect" and self.receiver_port in about[1]:
            self.burn()

    def burn(self) -> None:
        """It has come by once more."""
        self.left -= 1
        if self.left == 0:
            die()


def watch_sqlite(fuse: Fuse) -> None:
    """What goes to SQLite is seen by the driver's own connections, of which these are a kind."""

    class Cursor(sqlite3.Cursor):
        def execute(self, statement: str, parameters: Any = (), /) -> "Cursor":
            fuse.before(statement, parameters)
            super().execute(statement, parameters)
            fuse.after(self.connection, statement, parameters)
            return self

        def executemany(self, statement: str, rows: Any, /) -> "Cursor":
            fuse.before(statement, rows)
            super().executemany(statement, rows)
            fuse.after(self.connection, statement, rows)
            return self

    class Driver(sqlite3.Connection):
        def cursor(self, _factory: Any = None) -> Any:
            return super().cursor(Cursor)

        def commit(self) -> None:
            super().commit()
            fuse.committed(self)

    def connecting(dialect: Dialect, _record: Any, _arguments: Any, options: dict[str, Any]) -> None:
        if dialect.name == "sqlite":
            options["factory"] = Driver

    event.listen(Engine, "do_connect", connecting)


def watch_postgresql(fuse: Fuse) -> None:
    """What goes to PostgreSQL is seen by SQLAlchemy; a connection comes back to its pool once all is committed."""

    def before(connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if connection.dialect.name == "postgresql":
            fuse.before(statement, parameters)

    def after(connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if connection.dialect.name == "postgresql":
            fuse.after(connection.connection.dbapi_connection, statement, parameters)

    event.listen(Engine, "before_cursor_execute", before)
    event.listen(Engine, "after_cursor_execute", after)
    event.listen(Pool, "checkin", lambda connection, _record: fuse.committed(connection))


def main() -> None:
    """Light the fuse, then be `roxels`."""
    fuse = Fuse(sys.argv.pop(1), int(sys.argv.pop(1)))
    watch_sqlite(fuse)
    watch_postgresql(fuse)
    sys.addaudithook(fuse.audit)
    roxels()


if __name__ == "__main__":
    main()
