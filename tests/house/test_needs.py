"""What happens to tests whose program is missing (tests/needs.py), seen from outside: a run of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.source import ROOT

SOME = """
import pytest

def test_everyday(): pass

@pytest.mark.browser
def test_page(): pass

@pytest.mark.browser
def test_other_page(): pass

@pytest.mark.long
def test_endurance(): pass

@pytest.mark.alone
def test_pace(): pass
"""


def run(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run pytest on SOME where no program is on the path."""
    (folder / "test_some.py").write_text(SOME)
    command = [sys.executable, "-m", "pytest", "-p", "tests.needs", "-c", str(ROOT / "pyproject.toml"), str(folder)]
    environment = {"PATH": "", "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run([*command, *arguments], cwd=folder, env=environment, capture_output=True, text=True)


def test_missing_program_is_named_in_the_last_line(tmp_path: Path) -> None:
    done = run(tmp_path)
    assert done.returncode == 0
    assert "2 passed" in done.stdout
    assert done.stdout.splitlines()[-1] == (
        "not run: 2 tests need Chromium, 1 take minutes. "
        'To run them: sudo apt-get install -y chromium && make test ARGS="-m long"'
    )


def test_nothing_is_named_where_nothing_is_left_out(tmp_path: Path) -> None:
    done = run(tmp_path, "-k", "everyday")
    assert "not run" not in done.stdout


def test_long_tests_run_when_asked_for(tmp_path: Path) -> None:
    done = run(tmp_path, "-m", "long")
    assert "1 passed, 4 deselected" in done.stdout
    assert "not run" not in done.stdout


@pytest.mark.parametrize("ci", ["1", "true"])
def test_ci_refuses_to_leave_anything_out(tmp_path: Path, ci: str) -> None:
    done = run(tmp_path, CI=ci)
    assert done.returncode != 0
    assert "passed" not in done.stdout
    assert "2 tests need Chromium. To run them: sudo apt-get install -y chromium" in done.stderr


def test_ci_refuses_before_anything_starts() -> None:
    environment = {"PATH": "", "PYTHONPATH": str(ROOT), "CI": "1"}
    command = [sys.executable, "-m", "tools.tests"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode != 0
    assert done.stdout == ""
    assert "tests need Chromium" in done.stderr


def test_several_processes_leave_out_the_same(tmp_path: Path) -> None:
    done = run(tmp_path, "-n", "2", "-p", "xdist")
    assert "2 passed" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("not run: 2 tests need Chromium, 1 take minutes.")


def test_two_parts_make_the_whole(tmp_path: Path) -> None:
    crowd, alone = (run(tmp_path, "--part", part, CI="1", CHROMIUM=sys.executable) for part in ("crowd", "alone"))
    assert "4 passed, 1 deselected" in crowd.stdout
    assert "1 passed, 4 deselected" in alone.stdout


def test_ci_runs_everything(tmp_path: Path) -> None:
    done = run(tmp_path, CI="1", CHROMIUM=sys.executable)
    assert "5 passed" in done.stdout
    assert "not run" not in done.stdout
