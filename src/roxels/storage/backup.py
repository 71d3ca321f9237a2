"""A copy of a SQLite database while it is in use, and putting one back. PostgreSQL has programs of its own for this."""

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import ClassVar


class CannotRestore(Exception):
    """The backup cannot be put back."""

    code: ClassVar[str] = "cannot_restore"


def backup(database: Path, to: Path) -> int:
    """Copy the database, whole and consistent, into one new file that only its owner can read; says its bytes.

    It is copied as it stands at the beginning, under one reading: what others write meanwhile does not make the copy
    begin anew.
    """
    os.close(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    with (
        closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, isolation_level=None)) as source,
        closing(sqlite3.connect(to)) as target,
    ):
        source.execute("BEGIN")
        source.execute("SELECT 1 FROM sqlite_master").fetchone()  # from here on it sees no change
        source.backup(target)
        target.execute("PRAGMA journal_mode=DELETE")
    _to_disk(to)
    check(to)
    return to.stat().st_size


def check(file: Path) -> None:
    """Whether this is a whole database of ours. Raises `CannotRestore`."""
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
            whole = connection.execute("PRAGMA quick_check").fetchone() == ("ok",)
            tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except sqlite3.DatabaseError:
        whole, tables = False, set()
    if not whole or not {"installation", "conversations", "events"} <= tables:
        raise CannotRestore(f"{file.name} is not a whole backup of a Roxels database.")


def fact(file: Path, name: str) -> str | None:
    """A fact of the installation that a backup is of."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        row = connection.execute("SELECT value FROM installation WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])


def restore(file: Path, database: Path) -> None:
    """Put a backup in the place of the database, which nobody uses. Raises `CannotRestore`."""
    check(file)
    draft = database.with_name(f"{database.name}.restoring")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as target, file.open("rb") as source:
        shutil.copyfileobj(source, target)
    _to_disk(draft)
    for rest in ("-wal", "-shm"):
        database.with_name(database.name + rest).unlink(missing_ok=True)
    draft.replace(database)
    _to_disk(database.parent)


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
