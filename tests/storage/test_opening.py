"""`roxels migrate`, and what a start says of a database that it cannot use."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from roxels.storage.database import Backend, Database, newest_revision
from roxels.storage.migrate import upgrade
from roxels.storage.opening import Unusable, bring_up_to_date
from roxels.storage.postgresql import PostgreSQL
from tests.cluster import BOTH, address, at_hand
from tests.processes import ROXELS


def migrate(folder: Path, url: str, *more: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [str(ROXELS), "migrate", "--data", str(folder), *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "ROXELS_DATABASE_URL": url},
    )


@pytest.fixture(params=BOTH)
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A folder that stands for a database without anything."""
    with at_hand(request, tmp_path, is_empty=True):
        yield tmp_path


def test_two_that_migrate_at_once(empty: Path) -> None:
    url = address(empty) or ""
    both = [migrate(empty, url, "--json") for _ in range(2)]
    said = [process.communicate(timeout=60) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    told = [json.loads(out) for out, _ in said]
    assert {line["revision"] for line in told} == {newest_revision()}
    assert {line["database"] for line in told} == {"postgresql" if url else "sqlite"}
    again = migrate(empty, url, "--json")
    assert json.loads(again.communicate(timeout=60)[0])["before"] == newest_revision()


def test_a_newer_database_is_left_alone(empty: Path) -> None:
    upgrade(database := opened(empty))
    with database.writer.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Unusable, match="Install a newer version"):
        bring_up_to_date(database)
    database.close()


def test_a_server_that_is_not_there_is_told_in_a_sentence(tmp_path: Path) -> None:
    process = migrate(tmp_path, f"postgresql://roxels:secret@/nothing?host={tmp_path}")
    _, said = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "does not answer" in said
    assert "secret" not in said
    assert "Traceback" not in said


def opened(folder: Path) -> Backend:
    url = address(folder)
    return Database(folder / "roxels.db") if url is None else PostgreSQL(url)
