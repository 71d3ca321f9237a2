"""SQLite's write-ahead log: folded in by itself, however much is written."""

from pathlib import Path

from sqlalchemy import insert

from roxels.storage.database import LOG_PAGES, Database
from roxels.storage.schema import installation

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
