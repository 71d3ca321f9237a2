"""The pages hold what they say: links lead somewhere, every page is found, snippets can be read, words are one set.

What the pages list of the code (rooms, floors, checks) is compared with the code.
"""

import ast
import configparser
import json
import re
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from roxels.agent.speakers.model import ModelSpeaker
from roxels.agent.speakers.scripted import ScriptedSpeaker
from roxels.domain import soundness, templates
from tests.house.source import ROOT, files

PAGES = [path for path in files() if path.suffix == ".md"]
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)
FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
PLACEHOLDER = re.compile(r"\$([A-Z][A-Z_]+)")
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)

#: The words of the product: each stands in the first table of docs/words.md.
WORDS = {
    "Person", "Template", "Version", "Conversation", "Session", "Goal", "Commit", "Output", "Proof", "Speaker",
    "Environment",
}  # fmt: skip
#: Folders that exist on one machine only, and hosts that packages come from.
ELSEWHERE = re.compile(r"(?<![\w.$\]/])/(work|farm|tmp|root|home|opt|srv|mnt|Users)\b|pypi\.org|pythonhosted|npmjs")


class Link(msgspec.Struct, frozen=True):
    """A link of a page to another place in the repository."""

    page: Path
    target: str

    @property
    def path(self) -> Path:
        """The file that it names."""
        name = self.target.partition("#")[0]
        return (self.page.parent / name).resolve() if name else self.page

    @property
    def anchor(self) -> str:
        """The heading that it names, or nothing."""
        return self.target.partition("#")[2]


class Snippet(msgspec.Struct, frozen=True):
    """A fenced block of a page."""

    where: str
    language: str
    text: str


def prose(page: Path) -> str:
    """The page without its fenced blocks and comments."""
    return COMMENT.sub("", FENCE.sub("", page.read_text(encoding="utf-8")))


def links(page: Path) -> Iterator[Link]:
    """The page's links within the repository."""
    for target in LINK.findall(prose(page)):
        if not re.match(r"[a-z]+:", target):
            yield Link(page, target)


def anchors(page: Path) -> set[str]:
    """What a link may name behind `#` in this page: its headings, written as code hosts write them."""
    found: set[str] = set()
    for heading in HEADING.findall(prose(page)):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
        number = 0
        while (name := f"{slug}-{number}" if number else slug) in found:
            number += 1
        found.add(name)
    return found


def snippets(page: Path) -> Iterator[Snippet]:
    """The page's fenced blocks, without the indentation of the list that they stand in."""
    text = page.read_text(encoding="utf-8")
    for match in FENCE.finditer(text):
        indent, language, block = match.groups()
        line = text.count("\n", 0, match.start()) + 1
        body = "".join(each.removeprefix(indent) for each in block.splitlines(keepends=True))
        yield Snippet(f"{page.relative_to(ROOT)}:{line}", language, body)


def by_name(page: Path) -> str:
    """A page's name in the list of tests."""
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=by_name)
def test_links_lead_somewhere(page: Path) -> None:
    kept = set(files())
    for link in links(page):
        assert link.path in kept, f"{link.target}: there is no such file in the repository"
        if link.anchor:
            assert link.anchor in anchors(link.path), f"{link.target}: no such heading; there are {anchors(link.path)}"


def test_every_page_is_reached_from_the_readme() -> None:
    waiting, reached = [ROOT / "README.md"], {ROOT / "README.md"}
    while waiting:
        new = {link.path for link in links(waiting.pop()) if link.path.suffix == ".md"} - reached
        reached |= new
        waiting += new
    # AGENTS.md is found by those whom it is for, by its name.
    lost = {by_name(page) for page in PAGES} - {by_name(page) for page in reached} - {"AGENTS.md"}
    assert not lost, "link them from docs/index.md"


@pytest.mark.parametrize("page", PAGES, ids=by_name)
def test_no_page_speaks_of_one_machine(page: Path) -> None:
    found = [line for line in page.read_text(encoding="utf-8").splitlines() if ELSEWHERE.search(line)]
    assert not found


def test_words_are_explained() -> None:
    first_table = (ROOT / "docs/words.md").read_text(encoding="utf-8").partition("\n## ")[0]
    assert set(re.findall(r"^\| \*\*(\w+)\*\* \|", first_table, re.MULTILINE)) == WORDS


def test_no_word_is_explained_twice() -> None:
    words = re.findall(r"^\| \*\*(.+?)\*\* \|", (ROOT / "docs/words.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(words) == sorted(set(words))


# What the pages say of the code ----------------------------------------------------------------------------------


def test_every_room_stands_in_the_house() -> None:
    inside = [path.relative_to(ROOT / "src/roxels") for path in files() if ROOT / "src/roxels" in path.parents]
    rooms = {path.parts[0] for path in inside if len(path.parts) > 1 or path.suffix == ".py"}
    table = section(ROOT / "docs/house.md", "Rooms")
    told = {name for row in re.findall(r"^\| (`.+?) \|", table, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
    missing = {room.removesuffix(".py") for room in rooms} - {"__init__"} - told
    assert not missing, "say in docs/house.md which question they answer"


def test_floors_are_drawn_as_they_are_checked() -> None:
    config = configparser.ConfigParser()
    config.read(ROOT / ".importlinter", encoding="utf-8")
    checked = re.sub(r"[()]", "", config["importlinter:contract:floors"]["layers"]).strip()
    drawn = FENCE.search(section(ROOT / "docs/house.md", "Floors"))
    assert drawn is not None
    assert drawn.group(3).strip() == checked


@pytest.mark.parametrize("page", PAGES, ids=by_name)
def test_modules_that_a_page_names_exist(page: Path) -> None:
    named = set(re.findall(r"`((?:\w+/)*\w+\.py)`", prose(page)))
    assert not {name for name in named if not (ROOT / "src/roxels" / name).is_file() and not (ROOT / name).is_file()}


def test_every_check_of_the_house_is_named() -> None:
    rules = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    unnamed = [path.name for path in sorted((ROOT / "tests/house").glob("test_*.py")) if path.stem not in rules]
    assert not unnamed, "say in CONTRIBUTING.md which rule they hold"


def section(page: Path, heading: str) -> str:
    """The text below a heading of the second order."""
    found = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert found, f"{page.name} has no heading {heading}"
    return found.group(1)


def test_the_house_sends_a_new_key_of_a_template_to_the_room_that_has_the_rules() -> None:
    table = section(ROOT / "docs/house.md", "Where to put the next thing")
    row = next(line for line in table.splitlines() if line.startswith("| a key of a template |"))
    for home in (soundness.faults.__module__, templates.read.__module__):
        assert f"`{home.removeprefix('roxels.').replace('.', '/')}.py`" in row


def test_the_page_of_words_names_each_speaker() -> None:
    words = (ROOT / "docs/words.md").read_text(encoding="utf-8")
    row = next(line for line in words.splitlines() if line.startswith("| **Speaker** |"))
    for speaker, name in ((ScriptedSpeaker, "scripted speaker"), (ModelSpeaker, "language model")):
        assert name in row, f"{speaker.__name__} is one"


# Snippets ---------------------------------------------------------------------------------------------------------


def shell(text: str) -> None:
    """Raise ValueError where a shell cannot read it."""
    done = subprocess.run(["sh", "-n"], input=text, capture_output=True, text=True)
    if done.returncode:
        raise ValueError(done.stderr)


def anything(text: str) -> None:
    """Raise ValueError where there is nothing to read: only what runs it can say more."""
    if not text.strip():
        raise ValueError("the snippet is empty")


#: How a snippet of each language is read.
READERS: dict[str, Callable[[str], object]] = {
    "bash": shell,
    "html": anything,
    "js": anything,
    "json": json.loads,
    "python": ast.parse,
    "text": anything,
    "toml": tomllib.loads,
}


@pytest.mark.parametrize("page", PAGES, ids=by_name)
def test_snippets_can_be_read(page: Path) -> None:
    for snippet in snippets(page):
        assert snippet.language in READERS, f"{snippet.where}: say the language behind ```, `text` if it does not run"
        try:
            READERS[snippet.language](snippet.text)
        except (ValueError, SyntaxError) as fault:
            raise AssertionError(f"{snippet.where}: {fault}") from fault


@pytest.mark.parametrize("page", PAGES, ids=by_name)
def test_placeholders_are_the_agreed_ones(page: Path) -> None:
    agreed = set(PLACEHOLDER.findall(section(ROOT / "CONTRIBUTING.md", "Snippets")))
    for snippet in snippets(page):
        assert set(PLACEHOLDER.findall(snippet.text)) <= agreed, f"{snippet.where}: see Snippets in CONTRIBUTING.md"


def test_every_key_of_a_template_is_documented() -> None:
    page = (ROOT / "docs/templates.md").read_text(encoding="utf-8")
    tables = (
        soundness.GOAL, soundness.FIELD, soundness.PHASE, soundness.SETTINGS, soundness.EMBEDDED, soundness.RESUMPTION,
        soundness.LAUNCHER, soundness.BRAND,
    )  # fmt: skip
    keys = {key for table in tables for key in table} | soundness.KNOWN_GOAL | {"name", "goals", "phases", "settings"}
    keys |= soundness.KNOWN_SETTINGS - soundness.UNUSED_SETTINGS
    missing = sorted(key for key in keys if f"`{key}`" not in page and f'"{key}"' not in page)
    assert missing == [], "docs/templates.md does not name them"
