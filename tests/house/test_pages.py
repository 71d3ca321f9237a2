"""The pages of docs/ that list something in the code say what the code says (docs/house.md, habit 12)."""

import pytest

from tests.house.source import ROOT
from tools.generate import PAGES


@pytest.mark.parametrize("name", PAGES)
def test_page_is_as_the_code_says(name: str) -> None:
    path = ROOT / name
    assert path.exists(), "run: make docs"
    assert path.read_text(encoding="utf-8") == PAGES[name](), "run: make docs"
