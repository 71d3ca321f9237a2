"""What some tests need beside Python, and what happens where it is missing.

    @pytest.mark.browser      needs Chromium
    @pytest.mark.node         needs Node.js with npm
    @pytest.mark.postgresql   needs PostgreSQL's server programs
    @pytest.mark.long         needs minutes
    @pytest.mark.alone        needs the machine for itself: measures time

Where a program is missing, its tests are left out and named in the last line of the run, with the command that
installs it. Long tests are left out of the everyday run (`make test ARGS="-m long"` runs them). With `CI=1` nothing
is left out: what is missing then fails the run before it starts.

`--part crowd` leaves out what is marked `alone`, `--part alone` all else; `make test` runs both (`tools.tests`).
"""

import os
import shutil
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest


def chromium() -> str | None:
    """The path of a Chromium to drive, or None."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)


def postgresql() -> Path | None:
    """The folder of PostgreSQL's server programs (`initdb`, `pg_ctl`), or None."""
    on_path = shutil.which("initdb")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    found = Path(on_path) if on_path else next(reversed(debian), None)
    return found.resolve().parent if found else None


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The Chromium that a test marked `browser` drives."""
    path = chromium()
    assert path, "mark the test with pytest.mark.browser: then it runs only where Chromium is"
    return path


class Program(msgspec.Struct, frozen=True):
    """A program that tests need: what people call it, Debian's packages, how to find it."""

    name: str
    package: str
    find: Callable[[], object]


PROGRAMS = {
    "browser": Program("Chromium", "chromium", chromium),
    "node": Program("Node.js with npm", "nodejs npm", lambda: shutil.which("node") and shutil.which("npm")),
    "postgresql": Program("PostgreSQL", "postgresql", postgresql),
}
#: Both make the whole.
PARTS = ("crowd", "alone")
#: Where set, it names a file for what a run leaves out; else the run's last line says it.
LEFT_OUT = "LEFT_OUT"
_left_out = pytest.StashKey[Counter[str]]()


def in_ci() -> bool:
    """Whether this run must be whole."""
    return os.environ.get("CI", "").lower() not in ("", "0", "false")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--part`."""
    parser.addoption("--part", choices=PARTS, help="run only the tests that may share the machine, or only the others")


@pytest.hookimpl(trylast=True)  # after -k and -m have chosen
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is of the other part, and what cannot run here; in CI, refuse the latter."""
    _keep_part(config, items)
    absent = {marker for marker, program in PROGRAMS.items() if not program.find()}
    if not in_ci() and "long" not in config.option.markexpr:
        absent.add("long")
    lacking = {
        item: next((m for m in (*PROGRAMS, "long") if m in absent and item.get_closest_marker(m)), None)
        for item in items
    }
    left_out = Counter(marker for marker in lacking.values() if marker)
    if left_out and in_ci():
        raise pytest.UsageError(f"CI is set, so every test must run. {sentence(left_out)}")
    config.stash[_left_out] = left_out
    config.hook.pytest_deselected(items=[item for item in items if lacking[item]])
    items[:] = [item for item in items if not lacking[item]]


def _keep_part(config: pytest.Config, items: list[pytest.Item]) -> None:
    part = config.getoption("--part")
    if part is None:
        return
    others = [item for item in items if (item.get_closest_marker("alone") is not None) != (part == "alone")]
    config.hook.pytest_deselected(items=others)
    items[:] = [item for item in items if item not in set(others)]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker of several tells the one that started it, which collects no tests itself."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[LEFT_OUT] = dict(session.config.stash.get(_left_out, None) or {})


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """What a worker told; each collects all tests, so one account is enough."""
    node.config.stash[_left_out] = Counter(getattr(node, "workeroutput", {}).get(LEFT_OUT, {}))


def pytest_unconfigure(config: pytest.Config) -> None:
    """The last line of the run: what did not run, and how to run it."""
    left_out = config.stash.get(_left_out, None)
    if not left_out or hasattr(config, "workeroutput"):
        return
    if LEFT_OUT in os.environ:
        Path(os.environ[LEFT_OUT]).write_bytes(msgspec.json.encode(left_out))
    else:
        print(f"not run: {sentence(left_out)}")


def missing() -> str:
    """What this machine lacks and how to install it; empty where it has everything."""
    absent = [program for program in PROGRAMS.values() if not program.find()]
    if not absent:
        return ""
    return f"Some tests need {' and '.join(program.name for program in absent)}. To run them: {_install(absent)}"


def _install(programs: list[Program]) -> str:
    return f"sudo apt-get install -y {' '.join(program.package for program in programs)}"


def left_out_in(file: Path) -> Counter[str]:
    """What a run wrote down as left out."""
    return Counter(msgspec.json.decode(file.read_bytes(), type=dict[str, int]) if file.exists() else {})


def sentence(left_out: Mapping[str, int]) -> str:
    """What is left out and how to run it, e.g. `3 tests need Chromium. To run them: …`."""
    programs = [PROGRAMS[marker] for marker in PROGRAMS if left_out.get(marker)]
    parts = [f"{left_out[marker]} tests need {PROGRAMS[marker].name}" for marker in PROGRAMS if left_out.get(marker)]
    if left_out.get("long"):
        parts.append(f"{left_out['long']} take minutes")
    ways = []
    if programs:
        ways.append(_install(programs))
    if left_out.get("long"):
        ways.append('make test ARGS="-m long"')
    return f"{', '.join(parts)}. To run them: {' && '.join(ways)}"
