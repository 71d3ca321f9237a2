"""Each figure can be measured: all of them in miniature, which says nothing of speed."""

import subprocess
import sys
from datetime import UTC, datetime

from bench.__main__ import MEASURED
from bench.figures import Figure, page
from tests.house.source import ROOT


def test_every_figure_can_be_measured() -> None:
    command = [sys.executable, "-m", "bench", "--small"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    told = [line.split()[0] for line in done.stdout.splitlines()]
    assert list(dict.fromkeys(told)) == list(MEASURED)


def test_a_missed_goal_is_seen_on_the_page() -> None:
    figures = [
        Figure(id=f"P{n}", what="w", goal="g", measured="m", holds=holds) for n, holds in enumerate((True, False))
    ]
    text = page(figures, datetime(2026, 1, 1, tzinfo=UTC))
    assert "| P0 | w | g | m | yes |" in text
    assert "| P1 | w | g | m | **no** |" in text
    assert "- **P1.** " in text
    assert "- **P2.** " not in text
