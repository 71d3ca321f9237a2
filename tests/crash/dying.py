"""`roxels`, which kills itself (SIGKILL) at a named point of a delivery's life.

`python -m tests.crash.dying POINT PORT ...`; PORT is the receiver's.

    point             it dies
    plan.written      facts and delivery are written, their transaction is not committed
    plan.kept         that transaction is committed; nobody has looked at the outbox
    claim.written     a claim is written, not committed
    claim.kept        it is committed; nothing has been sent
    send.connecting   the receiver's address is about to be connected to
    settle.begun      the receiver has answered; nothing of it is written
    settle.written    the attempt is written, not committed
    settle.kept       it is committed

Nothing in the product knows of this: the points are seen from outside, in the statements that go to the database and in
the calls that go to the system. (In the midst of a request, it is the receiver who knows: there the test kills.)
"""

import os
import re
import signal
import sys
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.pool import Pool

from roxels.cli import main as roxels

POINTS = {
    "plan": re.compile(r"INSERT INTO deliveries "),
    "claim": re.compile(r"UPDATE deliveries SET due_at=\S+, claimed_by=\S+ WHERE"),
    "settle": re.compile(r"INSERT INTO attempts "),
}


def die() -> None:
    """Now."""
    os.kill(os.getpid(), signal.SIGKILL)


class Fuse:
    """Waits for one point."""

    def __init__(self, point: str, receiver_port: int) -> None:
        self.receiver_port = receiver_port
        name, _, self.moment = point.partition(".")
        self.statement = POINTS.get(name)
        #: Connections whose transaction has the statement in it.
        self.lit: set[int] = set()

    def before(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        """A statement is about to go to the database."""
        if self.moment == "begun" and self.statement and self.statement.match(statement):
            die()

    def after(self, connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        """A statement was carried out."""
        if self.statement is None or not self.statement.match(statement):
            return
        if self.moment == "written":
            die()
        if self.moment == "kept":
            self.lit.add(id(connection.connection.dbapi_connection))

    def checkin(self, connection: Any, _record: Any) -> None:
        """A connection comes back to its pool: what it did is committed."""
        if id(connection) in self.lit:
            die()

    def audit(self, name: str, about: tuple[Any, ...]) -> None:
        """A call to the system."""
        if self.moment == "connecting" and name == "socket.connect" and self.receiver_port in about[1]:
            die()


def main() -> None:
    """Light the fuse, then be `roxels`."""
    fuse = Fuse(sys.argv.pop(1), int(sys.argv.pop(1)))
    event.listen(Engine, "before_cursor_execute", fuse.before)
    event.listen(Engine, "after_cursor_execute", fuse.after)
    event.listen(Pool, "checkin", fuse.checkin)
    sys.addaudithook(fuse.audit)
    roxels()


if __name__ == "__main__":
    main()
