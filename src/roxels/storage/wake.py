"""Hints that a log has moved, or that a delivery is due: a reason to look, never a truth.

Within a process a committed action hints at once. What another process on the same SQLite file wrote is found by
looking where they stand, ten times a second, while anyone else is alive. On PostgreSQL, processes tell each other
(`storage.postgresql`), and look once a second in case a hint was lost.
"""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import select

from roxels.storage.schema import ERASING, conversations
from roxels.storage.transaction import Across

Listener = Callable[[str], None]

#: Told outward instead of a conversation's id: a delivery has become due.
DUE = "due"


class Wake:
    """Who wants to hear that a log has moved."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []
        self._delivering: list[Callable[[], None]] = []
        #: Hears of every log that this process moved, so that it can tell other processes; it must return at once.
        self.outward: Callable[[str], None] = _nobody

    def listen(self, listener: Listener) -> None:
        """Call `listener(conversation_id)` for every hint, on the event loop; it must return at once."""
        self._listeners.append(listener)

    def hint(self, conversation_id: str) -> None:
        """The log of this conversation may have moved."""
        for listener in self._listeners:
            listener(conversation_id)

    def listen_due(self, listener: Callable[[], None]) -> None:
        """Call `listener()` whenever a delivery has become due in this process; it must return at once."""
        self._delivering.append(listener)

    def hint_due(self) -> None:
        """A delivery may be due."""
        for listener in self._delivering:
            listener()


def _nobody(_conversation_id: str) -> None:
    """There is nobody to tell."""


#: How far a log is, and when what is remembered beside it last changed from outside.
Stand = tuple[int, datetime | None]


def stands(view: Across, ids: list[str]) -> dict[str, Stand]:
    """Where these conversations stand; those that are gone, or going, are not named."""
    query = select(conversations.c.id, conversations.c.head, conversations.c.memory_changed_at).where(
        conversations.c.id.in_(ids), conversations.c.epoch != ERASING
    )
    return {row.id: (row.head, row.memory_changed_at) for row in view.all(query)}
