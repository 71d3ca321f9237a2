"""Commands are told from answers."""

import tomllib
from pathlib import Path

import pytest

from roxels.domain.fields import Field
from roxels.understanding import (
    Answer,
    Back,
    Change,
    Intent,
    No,
    Question,
    Recall,
    Repeat,
    Skip,
    StartOver,
    Stop,
    Yes,
    intent,
)

FIELDS = (
    Field(name="company", description="What is your company called?"),
    Field(name="team_size", type="integer", description="How many people work there?"),
    Field(name="email", format="email", description="What is your e-mail address?"),
    Field(name="monthly_budget", type="number", description="What can you spend each month?"),
)
TABLE = tomllib.loads((Path(__file__).parent / "intents.toml").read_text(encoding="utf-8"))
PLAIN: dict[str, Intent] = {
    "answer": Answer(),
    "back": Back(),
    "skip": Skip(),
    "stop": Stop(),
    "repeat": Repeat(),
    "start_over": StartOver(),
    "question": Question(),
    "yes": Yes(),
    "no": No(),
}


@pytest.mark.parametrize(("kind", "words"), [(kind, words) for kind in PLAIN for words in TABLE[kind]["words"]])
def test_plain_intents(kind: str, words: str) -> None:
    assert intent(words, FIELDS) == PLAIN[kind]


@pytest.mark.parametrize(("words", "about"), TABLE["recall"]["words"])
def test_recall(words: str, about: str) -> None:
    assert intent(words, FIELDS) == Recall(about)


@pytest.mark.parametrize(("words", "field", "new"), TABLE["change"]["words"])
def test_change(words: str, field: str, new: str) -> None:
    assert intent(words, FIELDS) == Change(field or None, new)


def test_a_change_needs_a_field_of_that_name() -> None:
    assert intent("change my company to Acme", ()) == Answer()


def test_a_label_of_several_fields_leaves_open_which() -> None:
    fields = (Field(name="home_phone", format="phone"), Field(name="work_phone", format="phone"))
    assert intent("change my phone to 123", fields) == Change(None, "123")
    assert intent("change my work phone to 123", fields) == Change("work_phone", "123")
