"""Hints that a conversation's log has moved: a reason to look, never a truth.

Within a process a committed action hints at once. What another process on the same SQLite file wrote shows in
`PRAGMA data_version`, which is polled while anyone else is alive (4 microseconds a look).
"""

from collections.abc import Callable

from sqlalchemy import Connection, select

from roxels.storage.schema import conversations
from roxels.storage.transaction import Across

Listener = Callable[[str], None]


class Wake:
    """Who wants to hear that a log has moved."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> None:
        """Call `listener(conversation_id)` for every hint, on the event loop; it must return at once."""
        self._listeners.append(listener)

    def hint(self, conversation_id: str) -> None:
        """The log of this conversation may have moved."""
        for listener in self._listeners:
            listener(conversation_id)


def data_version(connection: Connection) -> int:
    """SQLite's count of commits by other connections than this one."""
    return int(connection.exec_driver_sql("PRAGMA data_version").scalar_one())


def heads(view: Across, ids: list[str]) -> dict[str, int]:
    """Where these logs stand."""
    query = select(conversations.c.id, conversations.c.head).where(conversations.c.id.in_(ids))
    return {row.id: row.head for row in view.all(query)}
