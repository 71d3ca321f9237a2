"""Who speaks for a conversation: one process at a time, known by a lock that dies with it.

Each process holds a lock that the system frees when it dies: on SQLite a file lock on a file named after it, on
PostgreSQL an advisory lock of its session (`storage.postgresql`). A conversation's row names its speaker; a speaker
whose lock is free is dead, and its conversations are free at once, without waiting for any time-out. Taking a
conversation raises its `epoch`, so that what a former speaker still has in hand is refused (`Superseded`).
"""

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from sqlalchemy import select, update

from roxels.storage.schema import ERASING, conversations
from roxels.storage.transaction import AcrossWriting, Writing
from roxels.storage.wake import Wake


class Peers(Protocol):
    """The processes that share one database, as seen by one of them."""

    own_id: str
    #: Seconds between two looks at what the others wrote, while nobody hints at it.
    look_every: float

    def is_alive(self, process_id: str) -> bool:
        """Whether that process still holds its lock."""
        ...

    def others(self) -> list[str]:
        """The other processes that are alive."""
        ...

    def exchange_hints(self, wake: Wake) -> None:
        """Tell the others what this process writes, and wake on what they write. Called on the event loop, once."""
        ...

    def close(self) -> None:
        """Leave: the conversations of this process are free."""
        ...


class Processes:
    """The processes that share one SQLite file: each holds a lock on a file of its own."""

    look_every = 0.1

    def __init__(self, folder: Path, own_id: str) -> None:
        """Announce this process; `folder` lies beside the database."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.own_id = own_id
        self._handle = _locked(folder / own_id)

    def is_alive(self, process_id: str) -> bool:
        """Whether that process still holds its lock; the file of a dead one is removed."""
        if process_id == self.own_id:
            return True
        try:
            handle = os.open(self._folder / process_id, os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        else:
            (self._folder / process_id).unlink(missing_ok=True)
            return False
        finally:
            os.close(handle)

    def others(self) -> list[str]:
        """The other processes that are alive."""
        return [path.name for path in self._folder.iterdir() if path.name != self.own_id and self.is_alive(path.name)]

    def exchange_hints(self, wake: Wake) -> None:
        """Files carry no hints: the others look (`wire.rooms`)."""

    def close(self) -> None:
        """Leave: the conversations of this process are free."""
        (self._folder / self.own_id).unlink(missing_ok=True)
        os.close(self._handle)


def _locked(file: Path) -> int:
    """A handle that holds the lock of this file, under this name.

    Between making it and locking it another process may take it for a dead one's, hold the lock for a moment, and
    remove it: then it is made anew.
    """
    while True:
        handle = os.open(file, os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(handle, fcntl.LOCK_EX)
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(handle), os.stat(file)):
                return handle
        os.close(handle)


def take(tx: Writing, conversation_id: str, processes: Peers) -> int | None:
    """Become the speaker and say under which epoch, or None while another living process is, or there is no more."""
    row = tx.first(
        select(conversations.c.speaker, conversations.c.epoch)
        .where(conversations.c.environment == tx.environment, conversations.c.id == conversation_id)
        .with_for_update(key_share=True)
    )
    if row is None or row.epoch == ERASING:
        return None
    if row.speaker not in (None, processes.own_id) and processes.is_alive(row.speaker):
        return None
    tx.run(
        update(conversations)
        .where(conversations.c.id == conversation_id)
        .values(speaker=processes.own_id, epoch=row.epoch + 1)
    )
    return int(row.epoch) + 1


def release(tx: Writing | AcrossWriting, conversation_id: str, epoch: int) -> None:
    """Stop being the speaker: nobody listens any more. Nothing happens where somebody else became it meanwhile."""
    tx.run(
        update(conversations)
        .where(conversations.c.id == conversation_id, conversations.c.epoch == epoch)
        .values(speaker=None, left_at=tx.now)
    )
