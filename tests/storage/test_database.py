"""SQLite's connection for changes: its log is folded in however much is written, and a fault does not outlive it."""

from pathlib import Path

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from roxels.storage.database import LOG_PAGES, Database
from roxels.storage.schema import events, installation
from roxels.testing import START

PAGE = 4096


def test_the_log_stays_small_under_many_changes(tmp_path: Path) -> None:
    database = Database(tmp_path / "roxels.db")
    database.create_all()
    value, commits = "x" * 25 * PAGE, 4 * LOG_PAGES // 25
    sizes = []
    for number in range(commits):
        with database.writer.begin() as connection:
            connection.execute(insert(installation).values(name=f"n{number}", value=value))
        sizes.append((tmp_path / "roxels.db-wal").stat().st_size)
    database.close()
    assert commits * len(value) > 3 * LOG_PAGES * PAGE
    assert max(sizes) < 1.1 * LOG_PAGES * PAGE


def test_a_commit_that_fails_holds_up_nothing_behind_it(tmp_path: Path) -> None:
    database = Database(tmp_path / "roxels.db")
    database.create_all()
    orphan = {"conversation_id": "iv_none", "seq": 1, "type": "x", "at": START, "session_id": None, "body": "{}"}

    def keep_orphan() -> None:
        with database.begin() as connection:
            connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")  # so that it is found by the commit
            connection.execute(insert(events), orphan)

    with pytest.raises(IntegrityError):
        keep_orphan()
    with database.begin() as connection:
        connection.execute(insert(installation).values(name="n", value="x"))
    with database.readers.connect() as connection:
        assert connection.execute(select(events.c.seq)).all() == []
        assert connection.execute(select(installation.c.value).where(installation.c.name == "n")).scalar() == "x"
    database.close()
