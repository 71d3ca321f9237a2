"""A PostgreSQL of the tests' own, started once per run where a test asks for it, and a fresh database for each test.

Its files lie in a temporary folder (in memory where there is one) and it listens on a socket in there, on no port.
`initdb` refuses root; then it runs as the user `postgres`, whom the package brings along.
"""

import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from roxels.storage.database import Backend, Database
from roxels.storage.postgresql import PostgreSQL
from tests.needs import postgresql

#: A test's database need not survive a power cut.
QUICK = "-c fsync=off -c full_page_writes=off -c max_connections=200 -c shared_buffers=32MB -c autovacuum=off"
PORT = 5432


class Cluster:
    """A running server; `database` makes databases on it."""

    def __init__(self, programs: Path) -> None:
        memory = Path("/dev/shm")
        self.folder = Path(tempfile.mkdtemp(prefix="roxels-pg-", dir=memory if memory.is_dir() else None))
        self._as_server = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if self._as_server:
            shutil.chown(self.folder, "postgres")
        self._control = [*self._as_server, str(programs / "pg_ctl"), "-D", str(self.folder / "data"), "-w"]
        self._numbers = itertools.count(1)
        options = ["-A", "trust", "-U", "roxels", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
        _run([*self._as_server, str(programs / "initdb"), "-D", str(self.folder / "data"), *options])
        server = f"-k {self.folder} -c listen_addresses='' -p {PORT} {QUICK}"
        _run([*self._control, "-l", str(self.folder / "log"), "-o", server, "start"])
        self._admin = create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT")
        self._do("CREATE DATABASE model")
        model = PostgreSQL(self.url("model"))
        model.create_all()
        model.close()

    def url(self, name: str) -> str:
        """The address of a database, as ROXELS_DATABASE_URL takes it."""
        return f"postgresql+psycopg://roxels@/{name}?host={self.folder}&port={PORT}"

    def database(self, *, empty: bool = False) -> str:
        """The address of a new database; it has all tables unless `empty`."""
        name = f"test{next(self._numbers)}"
        self._do(f"CREATE DATABASE {name} TEMPLATE {'template0' if empty else 'model'} STRATEGY file_copy")
        return self.url(name)

    def drop(self, url: str) -> None:
        """Remove a database, whoever still uses it."""
        self._do(f"DROP DATABASE {url.partition('@/')[2].partition('?')[0]} WITH (FORCE)")

    def stop(self) -> None:
        """Stop the server and remove its files."""
        self._admin.dispose()
        _run([*self._control, "-m", "immediate", "stop"])
        shutil.rmtree(self.folder)

    def _do(self, statement: str) -> None:
        with self._admin.connect() as connection:
            connection.execute(text(statement))


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """The tests' PostgreSQL."""
    programs = postgresql()
    assert programs, "mark the test with pytest.mark.postgresql: then it runs only where PostgreSQL is"
    cluster = Cluster(programs)
    yield cluster
    cluster.stop()


#: Runs a test once per database. A test asks for `backend`, or for what is built on it.
BOTH: Any = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]
#: Lies in a test's folder and holds the address of its database; without it the folder's SQLite file is meant.
ADDRESS = "database.url"


@contextmanager
def at_hand(request: pytest.FixtureRequest, folder: Path, *, is_empty: bool = False) -> Iterator[None]:
    """Let `folder` stand for the database that a fixture with `params=BOTH` was asked for; `is_empty`: no tables."""
    if request.param == "sqlite":
        yield
        return
    cluster: Cluster = request.getfixturevalue("cluster")
    url = cluster.database(empty=is_empty)
    (folder / ADDRESS).write_text(url)
    yield
    cluster.drop(url)


def address(folder: Path) -> str | None:
    """The address of the database that this folder stands for; None where that is its SQLite file."""
    file = folder / ADDRESS
    return file.read_text() if file.exists() else None


def open_in(folder: Path) -> Backend:
    """The database that this folder stands for, with all tables; each call opens it anew, as a process does."""
    url = address(folder)
    if url is not None:
        return PostgreSQL(url, writers=2, readers=4)
    database = Database(folder / "roxels.db")
    database.create_all()
    return database
