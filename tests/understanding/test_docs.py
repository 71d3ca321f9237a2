"""The phrases in docs/scripted-speaker.md are those in the code."""

import re

import pytest

from roxels.understanding.commands import BACK, QUESTIONS, REPEAT, SKIP, START_OVER, STOP
from roxels.understanding.phrases import HESITATIONS, REFUSALS
from tests.understanding.test_utterances import DOCS

SECTIONS = {
    "### Back": BACK,
    "### Skip": SKIP,
    "### Stop": STOP,
    "### Repeat": REPEAT,
    "### Start over": START_OVER,
    "## Refusals": REFUSALS,
    "## Hesitations": HESITATIONS,
    r"**Ask back**: any message that ends in `?`, and": QUESTIONS,
}


@pytest.mark.parametrize(("heading", "phrases"), SECTIONS.items())
def test_a_section_lists_exactly_the_phrases_of_the_code(heading: str, phrases: tuple[str, ...]) -> None:
    section = DOCS.read_text(encoding="utf-8").split(f"{heading}", 1)[1].split("\n#", 1)[0]
    assert tuple(re.findall(r"`([^`]+)`", section)) == phrases
