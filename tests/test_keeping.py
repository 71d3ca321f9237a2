"""The commands that forget, hand over and keep, on a real data folder."""

import asyncio
import json
import logging
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from roxels import server
from roxels.actions import author
from roxels.actions.open import Opened, VisitRequest, open_visit
from roxels.ambient import RandomIds, SystemClock
from roxels.cli import app
from roxels.domain.proof import Proof
from roxels.settings import Settings
from roxels.storage import persons as kept
from roxels.storage.erase_list import FILE, EraseList, EraseListMissing
from roxels.storage.leases import Processes
from roxels.storage.pages import Span
from roxels.storage.transaction import Writing
from tests.actions.planting import found
from tests.storage.conftest import TEMPLATE


@pytest.fixture(autouse=True)
def own_log() -> Iterator[None]:
    """A command sets up the log of its process; here it gives it back."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def roxels(*words: object, ends: int = 0) -> str:
    """What the command says."""
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == ends, result.output
    return result.stdout if ends == 0 else result.output


def visits(data: Path, *external_ids: str) -> list[Opened]:
    """A conversation of each of these."""

    def make(tx: Writing) -> list[Opened]:
        template = author.create(tx, dict(TEMPLATE), RandomIds())
        return [open_visit(tx, wish(template.id, each), RandomIds()) for each in external_ids]

    async def run() -> list[Opened]:
        house = server.build(Settings(data=data), clock=SystemClock(), ids=RandomIds())
        try:
            return await house.store.write("test", make)
        finally:
            await house.close()

    return asyncio.run(run())


def wish(template_id: str, external_id: str) -> VisitRequest:
    """Somebody comes."""
    return VisitRequest(
        template_id=template_id,
        external_id=external_id,
        name=f"Name of {external_id}",
        source="server",
        proof=Proof.claimed,
        method="external_id",
        context={},
    )


def test_erase(data: Path) -> None:
    ada, bob, _ = visits(data, "ada", "bob", "cleo")
    named = ["--external-id", "ada", "--person", bob.person.id, "--external-id", "nobody"]
    found = json.loads(roxels("erase", *named, "--data", data, "--json"))["items"]
    assert {each["id"]: each["deleted"] for each in found} == {"ada": True, bob.person.id: True, "nobody": False}
    assert {each["receipt"]["reason"] for each in found if each["receipt"]} == {"command"}
    assert "ada: erased, receipt rcpt_" in roxels("erase", "--external-id", "ada", "--data", data)
    assert "not found" in roxels("erase", "--conversation", ada.conversation_id, "--data", data)
    assert "Name somebody" in roxels("erase", "--data", data, ends=2)
    assert "test or live" in roxels("erase", "--external-id", "x", "--environment", "x", "--data", data, ends=2)
    assert "--external-id is no UTF-8" in roxels("erase", "--external-id", "a\udcff", "--data", data, ends=2)


def test_export(data: Path, tmp_path: Path) -> None:
    visits(data, "ada")
    to = tmp_path / "ada.zip"
    told = json.loads(roxels("export", to, "--external-id", "ada", "--data", data, "--json"))
    assert told["size"] == to.stat().st_size
    assert to.stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(to) as archive:
        assert json.loads(archive.read("data/persons.json"))[0]["name"] == "Name of ada"
    assert "is there already" in roxels("export", to, "--external-id", "ada", "--data", data, ends=2)
    assert "no such person" in roxels("export", tmp_path / "x.zip", "--external-id", "x", "--data", data, ends=2)
    assert not (tmp_path / "x.zip").exists()


def test_receipts_are_checked_offline(data: Path, tmp_path: Path) -> None:
    visits(data, "ada", "bob", "cleo")
    for name in ("ada", "bob", "cleo"):
        roxels("erase", "--external-id", name, "--data", data)
    file = tmp_path / "receipts.jsonl"
    file.write_text(roxels("receipt", "list", "--data", data))
    held = json.loads(roxels("receipt", "verify", file, "--data", data, "--json"))
    assert (held["valid"], held["count"]) == (True, 3)
    written = file.read_bytes()
    at = written.index(b'"subject":', len(written) // 2) + 20
    file.write_bytes(written[:at] + (b"0" if written[at : at + 1] != b"0" else b"1") + written[at + 1 :])
    found = json.loads(roxels("receipt", "verify", file, "--data", data, "--json", ends=1))
    assert (found["valid"], found["field"], found["byte"], found["in_text"]) == (False, "subject", at, True)
    file.write_bytes(b"".join(written.splitlines(keepends=True)[:2]))
    assert "2 receipts hold" in roxels("receipt", "verify", file, "--data", data)
    assert "ends early" in roxels("receipt", "verify", file, "--data", data, "--head", held["head"], ends=1)
    file.write_bytes(written.splitlines(keepends=True)[0] + written.splitlines(keepends=True)[2])
    assert "Receipt 2" in roxels("receipt", "verify", file, "--data", data, ends=1)
    assert "no keys" in roxels("receipt", "verify", file, "--data", tmp_path, ends=2)
    assert "cannot be read" in roxels("receipt", "verify", tmp_path / "x", "--data", data, ends=2)


def persons(data: Path) -> set[str | None]:
    """Who stands in the database."""

    async def run() -> set[str | None]:
        house = server.build(Settings(data=data), clock=SystemClock(), ids=RandomIds())
        async with house.app.router.lifespan_context(house.app):
            found = await house.store.read("test", kept.listed, None, Span())
        return {person.external_id for person in found.items}

    return asyncio.run(run())


def test_a_backup_brings_nobody_back(data: Path, tmp_path: Path) -> None:
    first = visits(data, "ada", "bob", "cleo")
    roxels("erase", "--external-id", "cleo", "--data", data)
    to = tmp_path / "monday.db"
    assert json.loads(roxels("backup", to, "--data", data, "--json"))["size"] == to.stat().st_size
    assert to.stat().st_mode & 0o777 == 0o600
    roxels("erase", "--external-id", "ada", "--conversation", first[1].conversation_id, "--data", data)
    before = roxels("receipt", "list", "--data", data)
    assert "2 persons and conversations" in roxels("restore", to, "--data", data)
    assert persons(data) == {"bob"}
    receipts = roxels("receipt", "list", "--data", data)
    assert receipts.startswith(before), "the chain that was handed out goes on"
    assert [json.loads(line)["reason"] for line in receipts.splitlines()] == ["command"] * 3 + ["restore"] * 2
    (tmp_path / "receipts").write_text(receipts)
    assert "5 receipts hold" in roxels("receipt", "verify", tmp_path / "receipts", "--data", data)
    assert found(data, ["Name of ada", first[0].person.id, first[1].conversation_id, "Name of cleo"]) == {}
    assert "0 persons" in roxels("restore", backed_up(data, tmp_path), "--data", data)


def backed_up(data: Path, folder: Path) -> Path:
    """A new backup."""
    to = folder / "tuesday.db"
    roxels("backup", to, "--data", data)
    return to


def test_a_database_that_was_put_back_by_hand_is_cleaned_before_it_serves(data: Path, tmp_path: Path) -> None:
    visits(data, "ada", "bob")
    to = backed_up(data, tmp_path)
    roxels("erase", "--external-id", "ada", "--data", data)
    shutil.copy(to, data / "roxels.db")
    for rest in ("-wal", "-shm"):
        (data / f"roxels.db{rest}").unlink(missing_ok=True)
    assert persons(data) == {"bob"}
    assert persons(data) == {"bob"}


def not_served(data: Path, why: str) -> None:
    """No server starts on this folder."""
    with pytest.raises(EraseListMissing, match=why):
        persons(data)


def test_without_its_list_nothing_is_served_or_restored(data: Path, tmp_path: Path) -> None:
    visits(data, "ada")
    to = backed_up(data, tmp_path)
    roxels("erase", "--external-id", "ada", "--data", data)
    persons(data)
    whole = (data / FILE).read_bytes()
    (data / FILE).unlink()
    not_served(data, "is missing")
    assert "is missing" in roxels("restore", to, "--data", data, ends=2)
    (data / FILE).write_bytes(whole.splitlines(keepends=True)[0])
    not_served(data, "is older")
    (data / FILE).write_bytes(b'{"list":"other"}\n')
    not_served(data, "another database")
    assert "does not belong" in roxels("restore", to, "--data", data, ends=2)
    (data / FILE).write_bytes(whole[:-20])  # as a crash leaves it: the last line was acknowledged by nobody
    assert EraseList(data / FILE).id()
    (data / FILE).write_bytes(whole)
    assert persons(data) == set()


def test_what_cannot_be_restored(data: Path, tmp_path: Path) -> None:
    visits(data, "ada")
    to = backed_up(data, tmp_path)
    broken = tmp_path / "broken.db"
    broken.write_bytes(to.read_bytes()[:5000])
    assert "not a whole backup" in roxels("restore", broken, "--data", data, ends=2)
    processes = Processes(data / "processes", "another")
    assert "Stop it first" in roxels("restore", to, "--data", data, ends=2)
    processes.close()
    assert "is there already" in roxels("backup", to, "--data", data, ends=2)
    assert persons(data) == {"ada"}
