"""What some tests need beside Python, and what happens where it is missing.

    @pytest.mark.browser      needs Chromium
    @pytest.mark.postgresql   needs PostgreSQL's server programs
    @pytest.mark.crash        needs minutes: kills real servers

Where a program is missing, its tests are left out and named in the last line of the run, with the command that
installs it. Crash tests are left out of the everyday run (`make test ARGS="-m crash"` runs them). With `CI=1` nothing
is left out: what is missing then fails the run before it starts.
"""

import os
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

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
    """A program that tests need: what people call it, Debian's package, how to find it."""

    name: str
    package: str
    find: Callable[[], object]


PROGRAMS = {
    "browser": Program("Chromium", "chromium", chromium),
    "postgresql": Program("PostgreSQL", "postgresql", postgresql),
}
_left_out = pytest.StashKey[Counter[str]]()


def in_ci() -> bool:
    """Whether this run must be whole."""
    return os.environ.get("CI", "").lower() not in ("", "0", "false")


@pytest.hookimpl(trylast=True)  # after -k and -m have chosen
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what cannot run here; in CI, refuse to."""
    absent = {marker for marker, program in PROGRAMS.items() if not program.find()}
    if not in_ci() and "crash" not in config.option.markexpr:
        absent.add("crash")
    lacking = {
        item: next((m for m in (*PROGRAMS, "crash") if m in absent and item.get_closest_marker(m)), None)
        for item in items
    }
    left_out = Counter(marker for marker in lacking.values() if marker)
    if left_out and in_ci():
        raise pytest.UsageError(f"CI is set, so every test must run. {sentence(left_out)}")
    config.stash[_left_out] = left_out
    config.hook.pytest_deselected(items=[item for item in items if lacking[item]])
    items[:] = [item for item in items if not lacking[item]]


def pytest_unconfigure(config: pytest.Config) -> None:
    """The last line of the run: what did not run, and how to run it."""
    left_out = config.stash.get(_left_out, None)
    if left_out:
        print(f"not run: {sentence(left_out)}")


def sentence(left_out: Counter[str]) -> str:
    """What is left out and how to run it, e.g. `3 tests need Chromium. To run them: …`."""
    programs = [PROGRAMS[marker] for marker in PROGRAMS if left_out[marker]]
    parts = [f"{left_out[marker]} tests need {PROGRAMS[marker].name}" for marker in PROGRAMS if left_out[marker]]
    if left_out["crash"]:
        parts.append(f"{left_out['crash']} kill servers for minutes")
    ways = []
    if programs:
        ways.append(f"sudo apt-get install -y {' '.join(program.package for program in programs)}")
    if left_out["crash"]:
        ways.append('make test ARGS="-m crash"')
    return f"{', '.join(parts)}. To run them: {' && '.join(ways)}"
