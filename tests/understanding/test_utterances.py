"""The table of utterances holds, and what it misses is written down."""

import re
from pathlib import Path

from tests.understanding.table import Utterance, utterances

DOCS = Path(__file__).parents[2] / "docs" / "scripted-speaker.md"


def misses() -> list[Utterance]:
    return [utterance for utterance in utterances() if not utterance.holds]


def row(miss: Utterance) -> str:
    """A miss as it stands in the docs."""
    wanted = f"`{miss.value!r}`" if miss.kind == "understood" else miss.kind
    return f"| {miss.about} | {miss.words} | {wanted} |"


def test_at_least_95_percent_of_the_table_hold() -> None:
    missed = misses()
    print("\n".join(["misses:", *map(row, missed)]))
    assert len(utterances()) >= 180
    assert 1 - len(missed) / len(utterances()) >= 0.95


def test_the_docs_list_exactly_what_is_missed() -> None:
    section = DOCS.read_text(encoding="utf-8").split("## What it misses", 1)[1]
    listed = re.findall(r"^\| (?!asked|---).*\|$", section, re.MULTILINE)
    assert sorted(listed) == sorted(map(row, misses()))


def test_the_table_covers_every_type_and_format() -> None:
    fields = [utterance.field for utterance in utterances()]
    assert {field.type for field in fields} == {"string", "number", "integer", "boolean", "array"}
    assert {field.format for field in fields} == {None, "email", "phone", "tel", "date", "date-time", "time", "uri"}


def test_a_wrong_value_is_rarer_than_a_question() -> None:
    """Where an answer is not understood, asking again is better than writing down something else."""
    wrong = [one for one in misses() if type(one.read).__name__ == "Understood"]
    assert len(wrong) <= len(utterances()) // 100
