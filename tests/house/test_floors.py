"""The contracts of .importlinter hold what they say: each goes red when its fault is planted."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.source import ROOT

#: A contract's id, the module where the fault is planted, the fault.
FAULTS = [
    ("floors", "storage", "import roxels.wire"),
    ("floors", "actions", "import roxels.agent"),
    ("circles", "domain/events.py", "import roxels.domain.conversation"),
    ("pure", "domain/errors.py", "import asyncio"),
    ("pure", "understanding", "import sqlite3"),
    ("agent", "agent", "import roxels.storage"),
    ("web", "actions", "import fastapi"),
    ("sql", "wire", "import sqlalchemy"),
    ("ambient", "wire", "import roxels.ambient"),
    ("ambient", "storage", "import roxels.settings"),
    ("leaves", "settings.py", "import roxels.domain.errors"),
]


def lint(folder: Path, contract: str) -> subprocess.CompletedProcess[str]:
    """Check one contract on the copy of the code in this folder."""
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-logo", "--no-cache", "--contract", contract]
    environment = {**os.environ, "PYTHONPATH": str(folder / "src")}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize(("contract", "where", "fault"), FAULTS)
def test_planted_fault_breaks_its_contract(tmp_path: Path, contract: str, where: str, fault: str) -> None:
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / ".importlinter", tmp_path)
    path = tmp_path / "src" / "roxels" / where
    path = path / "__init__.py" if path.is_dir() else path
    path.write_text(path.read_text(encoding="utf-8") + f"\n{fault}\n", encoding="utf-8")
    done = lint(tmp_path, contract)
    assert "1 broken" in done.stdout, done.stdout + done.stderr


def test_every_contract_has_a_fault_that_breaks_it() -> None:
    written = re.findall(r"^\[importlinter:contract:(\w+)\]", (ROOT / ".importlinter").read_text(), re.MULTILINE)
    assert written
    assert set(written) == {contract for contract, _, _ in FAULTS}


def test_a_room_without_a_floor_is_found(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / ".importlinter", tmp_path)
    (tmp_path / "src/roxels/attic.py").write_text('"""A new room."""\n')
    done = lint(tmp_path, "floors")
    assert done.returncode == 1
    assert "roxels.attic" in done.stdout
