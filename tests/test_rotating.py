"""A new key for the secrets at rest: everything sealed with it, nothing lost wherever it is broken off."""

import asyncio
import base64
import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from pydantic import SecretStr
from sqlalchemy import select, update

from roxels import server
from roxels.actions import identify, manage
from roxels.actions import secrets as keeping
from roxels.ambient import RandomIds, SystemClock
from roxels.server import House
from roxels.settings import Settings
from roxels.storage import idempotency, resealing, vault
from roxels.storage.idempotency import Answered
from roxels.storage.resealing import SEALED, Progress
from roxels.storage.schema import metadata, secrets
from roxels.storage.transaction import Across, AcrossWriting, Writing
from roxels.storage.vault import CannotOpen, KeyFileError, Keyring
from tests.processes import ROXELS
from tests.test_keeping import own_log, roxels

__all__ = ["own_log"]
T = TypeVar("T")
#: More than one transaction looks at.
MANY = 250
#: By table and id.
Values = dict[tuple[str, str], str]


def in_house(data: Path, work: Callable[[House], T], vault_keys: str | None = None) -> T:
    """Do something in a server's house that is built for it."""

    async def run() -> T:
        house = server.build(
            Settings(data=data, vault_keys=SecretStr(vault_keys) if vault_keys else None),
            clock=SystemClock(),
            ids=RandomIds(),
        )
        try:
            return work(house)
        finally:
            await house.close()

    return asyncio.run(run())


def fill(tx: Writing, house: House) -> None:
    """One of each thing that is sealed, and many of one."""
    sealer, ids = house.keyring.vault, house.ids
    for number in range(MANY):
        keeping.create(tx, f"s{number}", f"value {number}", "", ids, sealer)
    manage.create_webhook_secret(tx, "mine", ids, sealer)
    identify.create_secret(tx, "hs", "HS256", None, ids, sealer)
    kept = sealer.seal("{}", environment=tx.environment, id=idempotency.place("once"))
    idempotency.keep(tx, Answered(key="once", request_hash="x", status_code=200, body=kept))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    in_house(folder, _act)
    return folder


def _act(house: House) -> None:
    with house.store.database.writer.begin() as connection:
        fill(Writing(connection, "test", house.clock.now()), house)


def values(house: House) -> Values:
    """Everything that is sealed, opened. Raises `CannotOpen`."""
    with house.store.database.readers.begin() as connection:
        view = Across(connection, house.clock.now())
        return {
            (one.table.name, one.place(row)): house.keyring.vault.open(
                row._mapping[one.column], environment=row.environment, id=one.place(row)
            )
            for one in SEALED
            for row in view.all(select(one.table))
        }


def stale(house: House) -> int:
    """How much is sealed with an older key."""
    with house.store.database.readers.begin() as connection:
        view = Across(connection, house.clock.now())
        return sum(
            not house.keyring.vault.is_current(row._mapping[one.column])
            for one in SEALED
            for row in view.all(select(one.table))
        )


def test_everything_that_is_sealed_is_known_here() -> None:
    named = {
        (table.name, column.name) for table in metadata.sorted_tables for column in table.c if column.name == "sealed"
    }
    assert named == {(one.table.name, one.column.name) for one in SEALED} - {("idempotency", "body")}


def test_all_is_sealed_with_the_new_key_and_the_old_one_stays(data: Path) -> None:
    before = in_house(data, values)
    assert len(before) == MANY + 3
    old = (data / "vault.keys").read_text()
    told = json.loads(roxels("key", "rotate", "--data", data, "--json"))
    assert told == {"keys": 2, "sealed": MANY + 3, "lost": []}
    assert (data / "vault.keys").read_text().startswith(old)
    assert (data / "vault.keys").stat().st_mode & 0o777 == 0o600
    assert in_house(data, values) == before
    assert in_house(data, stale) == 0
    assert "253 secrets" in roxels("key", "rotate", "--data", data)
    assert in_house(data, values) == before


def test_broken_off_anywhere_all_of_it_opens_and_the_next_run_ends_it(data: Path) -> None:
    before = in_house(data, values)
    vault.add_key(data, os.urandom)
    assert in_house(data, values) == before
    assert in_house(data, stale) == len(before), "nothing is sealed again yet"

    def some(house: House) -> int:
        with house.store.database.writer.begin() as connection:
            resealing.step(AcrossWriting(connection, house.clock.now()), house.keyring.vault, Progress(column=2))
        return stale(house)

    assert in_house(data, some) == len(before) - resealing.AT_ONCE
    assert in_house(data, values) == before
    roxels("key", "rotate", "--data", data)
    assert (in_house(data, stale), in_house(data, values)) == (0, before)


@pytest.mark.parametrize("lines", [2, 3])
def test_a_killed_command_loses_nothing(data: Path, lines: int) -> None:
    """`kill -9` as soon as the new key is in place."""
    before = in_house(data, values)
    for number in range(2, lines + 1):
        process = subprocess.Popen([str(ROXELS), "key", "rotate", "--data", str(data)], stdout=subprocess.PIPE)
        while len(_keys(data)) < number and process.poll() is None:
            pass
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert in_house(data, values) == before
    roxels("key", "rotate", "--data", data)
    assert (in_house(data, stale), in_house(data, values)) == (0, before)


def _keys(data: Path) -> list[str]:
    return [line for line in (data / "vault.keys").read_text().splitlines() if not line.startswith("#")]


def test_a_server_that_runs_meanwhile_reads_the_new_key(data: Path) -> None:
    before = in_house(data, values)

    def meanwhile(house: House) -> Values:
        ring = Keyring.load(data, os.urandom)
        with vault.held(data):
            vault.add_key(data, os.urandom)
        assert ring.vault.count == 1
        sealed = Keyring.load(data, os.urandom).vault.seal("fresh", environment="test", id="sec_x")
        assert ring.vault.open(sealed, environment="test", id="sec_x") == "fresh"
        assert ring.vault.count == 2
        return values(house)

    assert in_house(data, meanwhile) == before


def test_a_row_that_opens_with_no_key_is_named_and_stays(data: Path) -> None:
    def spoil(house: House) -> str:
        with house.store.database.writer.begin() as connection:
            row = connection.execute(select(secrets).where(secrets.c.name == "s7")).one()
            connection.execute(update(secrets).where(secrets.c.id == row.id).values(sealed="0000.AAAA"))
        return str(row.id)

    spoilt = in_house(data, spoil)
    told = json.loads(roxels("key", "rotate", "--data", data, "--json"))
    assert told["lost"] == [f"secrets {spoilt}"]
    assert told["sealed"] == MANY + 2
    with pytest.raises(CannotOpen):
        in_house(data, values)


def test_keys_of_a_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = (base64.b64encode(os.urandom(32)).decode() for _ in range(2))
    data = tmp_path / "data"
    in_house(data, _act, vault_keys=first)
    assert not (data / "vault.keys").exists()
    before = in_house(data, values, vault_keys=first)
    monkeypatch.setenv("ROXELS_VAULT_KEYS", f"{first},{second}")
    told = json.loads(roxels("key", "rotate", "--data", data, "--json"))
    assert (told["keys"], told["sealed"]) == (2, MANY + 3)
    assert in_house(data, values, vault_keys=second) == before
    with pytest.raises(KeyFileError, match="ROXELS_VAULT_KEYS") as caught:
        in_house(data, values, vault_keys="not a key")
    assert "not a key" not in str(caught.value)


def test_a_key_file_that_cannot_be_read_is_a_sentence(data: Path) -> None:
    (data / "vault.keys").unlink()
    (data / "vault.keys").mkdir(mode=0o700)
    for words in (["key", "rotate"], ["erase", "--external-id", "ada"]):
        assert "vault.keys cannot be read" in roxels(*words, "--data", data, ends=2)
    command = [str(ROXELS), "serve", "--port", "0", "--data", str(data)]
    served = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert (served.returncode, "Traceback" in served.stderr) == (2, False)
    assert "vault.keys cannot be read" in served.stderr
