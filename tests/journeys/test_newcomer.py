"""What a newcomer types stands in the README and the quickstart, and does there as it stands what they say it does."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.house.source import ROOT
from tests.house.test_docs import Snippet, snippets
from tests.processes import free_port

#: What `make run` needs of a clone.
OF_A_CLONE = ("Makefile", "requirements.lock", "pyproject.toml", "tools")
STARTS, SERVES = "make run", "http.server"
#: Stands between what two snippets print.
BETWEEN = "-- the next snippet --"
#: What `make test` hands down, and a newcomer does not have.
OF_MAKE = ("ARGS", "MAKEFLAGS", "MAKELEVEL")
GREETING = json.loads((ROOT / "src/roxels/demo_template.json").read_text())["settings"]["greeting"]


def shell_of(page: str) -> list[Snippet]:
    """The shell snippets of a page that a newcomer can copy, in their order."""
    return [each for each in snippets(ROOT / page) if each.language == "bash"]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder in which `make run` works, without a `data` folder yet."""
    for name in OF_A_CLONE:
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / ".venv").symlink_to(sys.prefix)
    return tmp_path


@contextmanager
def started(snippet: str, clone: Path) -> Iterator[Path]:
    """A snippet that starts the server, running; the file has what it prints. The port is one that is free here."""
    told = clone / "told"
    environment = {name: value for name, value in os.environ.items() if name not in OF_MAKE}
    environment["ROXELS_PORT"] = str(free_port())
    with told.open("w") as out:
        process = subprocess.Popen(
            ["bash", "-c", snippet], cwd=clone, env=environment, stdout=out, start_new_session=True
        )
    try:
        yield told
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(20)


def until(told: Path, holds: Callable[[str], bool]) -> str:
    """What is printed, once it holds."""
    deadline = time.monotonic() + 30
    while not holds(text := told.read_text()):
        assert time.monotonic() < deadline, text
        time.sleep(0.05)
    return text


def typed(lines: list[str], clone: Path) -> str:
    """What one shell prints when all of it is typed there; a line that fails, fails."""
    script = "\n".join(["set -o pipefail", *lines])
    done = subprocess.run(["bash", "-c", script], cwd=clone, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode in (0, 28), done.stderr  # 28: `curl -m` hung up, as it was told to
    return done.stdout


def frames(printed: str) -> list[dict[str, Any]]:
    """The frames among what `curl` printed."""
    return [json.loads(line.removeprefix("data: ")) for line in printed.splitlines() if line.startswith("data: ")]


def pieces(printed: str) -> str:
    """What the agent was heard to say."""
    return "".join(each["text"] for each in frames(printed) if each["frame"] == "piece")


def test_the_readme_can_be_typed(clone: Path) -> None:
    start, *_tests, talk = shell_of("README.md")
    assert start.text.strip() == STARTS
    with started(start.text, clone) as told:
        invitation = until(told, lambda text: "Ctrl-C" in text)
        config = json.loads((clone / "data/demo.json").read_text())
        for value in ("demo_url", "dashboard_url", "docs_url", "embed_key"):
            assert config[value] in invitation, f"a newcomer is to find {value} in what `{STARTS}` prints"
        assert config["dashboard_login"]["password"] in invitation
        assert config["secret_key"] not in invitation, "docs/security.md says that only `--json` prints it"
        printed = typed([talk.text], clone)
    assert frames(printed)[0]["frame"] == "welcome"
    assert "Fernwood" in pieces(printed)
    assert '"seq"' in printed.splitlines()[-1], "the answer is kept, and its place is told"


@pytest.mark.long
def test_the_quickstart_can_be_typed(clone: Path) -> None:
    start, *rest = (each for each in shell_of("docs/quickstart.md") if each.text.strip() != STARTS)
    if SERVES in start.text:
        start, *rest = rest
    with started(start.text, clone) as told:
        until(told, lambda text: text.endswith("}\n"))
        printed = typed([f"{each.text}\necho '{BETWEEN}'" for each in rest], clone)
    _, visit, cut, again, said, listed, sunk, made, erased, _ = printed.split(f"{BETWEEN}\n")
    assert visit == ""
    assert 0 < len(pieces(cut)) < len(GREETING)
    assert pieces(again)
    assert GREETING in pieces(cut) + pieces(again)
    assert '"seq"' in said
    back = json.loads((clone / "session.json").read_text())["resumption"]
    assert (back["resumed"], back["unfinished"]["chars"] > 0) == (True, True)
    assert len(json.loads(listed)["items"]) == 1
    assert json.loads(sunk) == {"items": []}
    assert json.loads(made)["key"].startswith("rk_test_")
    assert json.loads(erased)["deleted"]
