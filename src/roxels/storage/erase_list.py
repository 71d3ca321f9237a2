"""The erase list: what was erased, in a file beside the database, so that no backup brings it back.

One line of JSON each, only ever appended, on disk before a receipt is issued:

    {"list": "<id>"}                                             the first line; the database knows this id
    {"erased": {"environment", "kind", "subject", "receipt_id"}}  `subject`: the salted hash of an id, as in receipts
    {"receipt": {"environment", "n", …}}                          the receipt itself, so that its chain survives too

A database knows how much of the list it has seen. One that was restored, by whatever means, has seen less: then, before
anybody is served, everything on the list is erased from it again (`actions.eraser.Eraser.replay`). Without its list a
database is not served at all.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import msgspec

from roxels.domain.receipts import Kind, Receipt
from roxels.storage import installation
from roxels.storage.database import Backend
from roxels.storage.receipts import ChainLink
from roxels.storage.transaction import Environment

#: Its name in the data folder.
FILE = "erased.jsonl"
#: What the database knows of it (`storage.installation`).
ID, SEEN = "erase_list", "erase_list_seen"


class EraseListMissing(Exception):
    """The list of what was erased does not fit this database; without it, deleted people could come back."""

    code: ClassVar[str] = "erase_list"


class Noted(msgspec.Struct, frozen=True, kw_only=True):
    """Something was erased, or is being erased; its receipt has, or will have, this id."""

    environment: Environment
    kind: Kind
    subject: str
    receipt_id: str


class Sealed(msgspec.Struct, frozen=True, kw_only=True):
    """A receipt with its environment and its place."""

    environment: Environment
    n: int
    receipt: Receipt


class ErasureLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line: one of these."""

    list: str | None = None
    erased: Noted | None = None
    receipt: Sealed | None = None


class EraseList:
    """The list of one data folder."""

    def __init__(self, file: Path) -> None:
        self._file = file

    @classmethod
    def of(cls, folder: Path, database: Backend, new_id: str) -> "EraseList":
        """The list that belongs to this database; a new database gets one, under `new_id`. Raises EraseListMissing."""
        found = cls(folder / FILE)
        known = installation.get(database, ID)
        if known is None:
            if not found._file.exists():
                found._append(ErasureLine(list=new_id))
            installation.put(database, {ID: found.id()})
        elif not found._file.exists():
            raise EraseListMissing(
                f"{FILE} is missing: the list of what was erased, which belongs beside this database. Without it, "
                "deleted people could come back. Put it back into the data folder."
            )
        elif found.id() != known:
            raise EraseListMissing(
                f"{FILE} belongs to another database. Put the list of this one into the data folder."
            )
        elif found.size() < found.seen(database):
            raise EraseListMissing(f"{FILE} is older than this database. Put its newest copy into the data folder.")
        return found

    def id(self) -> str:
        """Which list it is. Raises EraseListMissing where it is damaged."""
        first = next(self.lines(), None)
        if first is None or first.list is None:
            raise EraseListMissing(f"{FILE} is damaged: its first line is gone. Put a whole copy into the data folder.")
        return first.list

    def size(self) -> int:
        """Its length in bytes."""
        return self._file.stat().st_size

    def seen(self, database: Backend) -> int:
        """How many bytes of it this database has seen."""
        return int(installation.get(database, SEEN) or 0)

    def mark_seen(self, database: Backend, size: int) -> None:
        """This database has seen so many bytes of it."""
        installation.put(database, {SEEN: str(size)})

    def note(self, noted: Noted) -> None:
        """Write down that this is erased; on disk when it returns."""
        self._append(ErasureLine(erased=noted))

    def keep(self, environment: Environment, link: ChainLink) -> None:
        """Write a receipt down; on disk when it returns."""
        self._append(ErasureLine(receipt=Sealed(environment=environment, n=link.n, receipt=link.receipt)))

    def lines(self, after: int = 0) -> Iterator[ErasureLine]:
        """The lines from that byte on, in order. Raises EraseListMissing where one is damaged."""
        with self._file.open("rb") as file:
            file.seek(after)
            for text in file:
                if not text.endswith(b"\n"):
                    return  # a crash cut it off; nothing was issued that depends on it
                try:
                    yield msgspec.json.decode(text, type=ErasureLine)
                except msgspec.DecodeError:
                    raise EraseListMissing(
                        f"{FILE} is damaged: a line cannot be read. Put a whole copy into the data folder."
                    ) from None

    def _append(self, line: ErasureLine) -> None:
        is_new = not self._file.exists()
        with _locked(self._file) as handle:
            _cut_torn_line(handle)
            os.write(handle, msgspec.json.encode(line) + b"\n")
            os.fsync(handle)
        if is_new:
            folder = os.open(self._file.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)


@contextmanager
def _locked(file: Path) -> Iterator[int]:
    handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield handle
    finally:
        os.close(handle)


def _cut_torn_line(handle: int) -> None:
    size = os.fstat(handle).st_size
    if size and os.pread(handle, 1, size - 1) != b"\n":
        whole = os.pread(handle, size, 0)
        os.ftruncate(handle, whole.rfind(b"\n") + 1)
