"""A dump of PostgreSQL that is put back brings nobody back, and is not served without the list of what was erased."""

import asyncio
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest
from pydantic import SecretStr

from roxels import server
from roxels.actions import author
from roxels.actions.eraser import Erased
from roxels.actions.open import open_visit
from roxels.ambient import RandomIds, SystemClock
from roxels.server import House
from roxels.settings import Settings
from roxels.storage import persons as kept
from roxels.storage import receipts
from roxels.storage.erase_list import FILE, EraseListMissing
from roxels.storage.pages import Span
from roxels.storage.transaction import Reading, Writing
from tests.cluster import Cluster
from tests.needs import postgresql
from tests.storage.conftest import TEMPLATE
from tests.test_keeping import wish

pytestmark = pytest.mark.postgresql
T = TypeVar("T")


def in_house(data: Path, url: str, work: Callable[[House], Awaitable[T]]) -> T:
    """Do something in a server's house, after what every server does before it serves."""

    async def run() -> T:
        settings = Settings(data=data, database_url=SecretStr(url))
        house = server.build(settings, clock=SystemClock(), ids=RandomIds())
        try:
            await house.eraser.replay()
            return await work(house)
        finally:
            await house.close()

    return asyncio.run(run())


async def visit(house: House) -> None:
    """Ada and Bob."""

    def work(tx: Writing) -> None:
        template = author.create(tx, dict(TEMPLATE), RandomIds())
        for each in ("ada", "bob"):
            open_visit(tx, wish(template.id, each), RandomIds())

    await house.store.write("test", work)


async def erase(house: House) -> str:
    """Ada; says the receipt's id."""
    done = await house.eraser.person_called("test", "ada", "api")
    assert isinstance(done, Erased)
    return done.receipt.id


async def known(house: House) -> tuple[set[str | None], list[str]]:
    """Who is there, and which receipts."""

    def work(tx: Reading) -> tuple[set[str | None], list[str]]:
        people = kept.listed(tx, None, Span()).items
        return {person.external_id for person in people}, [link.receipt.id for link in receipts.oldest(tx, limit=9)]

    return await house.store.read("test", work)


def run(program: str, url: str, *words: str) -> None:
    """One of PostgreSQL's own programs, on this database."""
    folder = postgresql()
    assert folder
    done = subprocess.run(
        [str(folder / program), "-d", url.replace("+psycopg", "", 1), *words],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_a_restored_dump_is_cleaned_before_it_serves(cluster: Cluster, tmp_path: Path) -> None:
    data, dump, first = tmp_path / "data", tmp_path / "dump", cluster.database(empty=True)
    in_house(data, first, visit)
    run("pg_dump", first, "-Fc", "-f", str(dump))
    receipt = in_house(data, first, erase)
    cluster.drop(first)
    second = cluster.database(empty=True)
    run("pg_restore", second, str(dump))
    people, chain = in_house(data, second, known)
    assert (people, chain[0], len(chain)) == ({"bob"}, receipt, 2), "one more, of erasing her from what was restored"
    assert in_house(data, second, known) == (people, chain), "once"
    cluster.drop(second)

    third = cluster.database(empty=True)
    run("pg_restore", third, str(dump))
    (data / FILE).unlink()
    with pytest.raises(EraseListMissing):
        in_house(data, third, known)
    cluster.drop(third)
