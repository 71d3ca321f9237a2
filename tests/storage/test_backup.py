"""A copy of a SQLite database that is in use: it ends, and is what stood at one moment."""

import threading
from pathlib import Path

from sqlalchemy import insert

from roxels.storage import backup, installation
from roxels.storage.database import Database
from roxels.storage.schema import installation as facts

#: More than is copied between two commits.
MANY, LONG = 64, "x" * 1_000_000


def test_a_backup_ends_while_others_write_and_is_of_one_moment(tmp_path: Path) -> None:
    database = Database(tmp_path / "roxels.db")
    database.create_all()
    with database.writer.begin() as connection:
        connection.execute(insert(facts), [{"name": f"n{number}", "value": LONG} for number in range(MANY)])
    is_over = threading.Event()
    written: list[int] = []

    def write() -> None:
        while not is_over.wait(0.001):
            number = str(len(written))
            installation.put(database, {"first": number, "second": number})
            written.append(len(written))

    copied: list[int] = []
    to = tmp_path / "monday.db"
    writer = threading.Thread(target=write, daemon=True)
    copier = threading.Thread(target=lambda: copied.append(backup.backup(tmp_path / "roxels.db", to)), daemon=True)
    writer.start()
    while not written:
        is_over.wait(0.001)
    before = len(written)
    copier.start()
    copier.join(20)
    after = len(written)
    is_over.set()
    writer.join()
    database.close()

    assert copied == [to.stat().st_size], "it has ended"
    assert after > before, "others wrote meanwhile"
    backup.restore(to, tmp_path / "again.db")
    restored = Database(tmp_path / "again.db")
    first, second = (installation.get(restored, name) for name in ("first", "second"))
    assert first == second
    assert int(first or -1) >= before - 1
    assert [installation.get(restored, f"n{number}") for number in range(MANY)] == [LONG] * MANY
    restored.close()
