"""From what authors write about a field to a question and a name, and from values to how they are said."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from roxels.agent.dialogue.phrases import ENGLISH, book_of
from roxels.agent.dialogue.questions import asks_already, called, introduction, lowered, question, remark
from roxels.agent.dialogue.spoken import lasting, quoted, shortened, spoken, when
from roxels.domain.fields import Field

NOW = datetime(2026, 3, 11, 15, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("description", "asked"),
    [
        ("What is the name of your company?", "What is the name of your company?"),
        ("how many people work there?", "How many people work there?"),
        ("How many people work there", "How many people work there?"),
        ("Which plan do you want", "Which plan do you want?"),
        ("Do you use a calendar", "Do you use a calendar?"),
        ("How they heard of us", "Please tell me how you heard of us."),
        ("when you want to start", "Please tell me when you want to start."),
        ("Whether they need single sign-on", "Please tell me whether you need single sign-on."),
        ("Describe your product", "Please describe your product."),
        ("Tell us what you need.", "Please tell us what you need."),
        ("Please name your bank", "Please name your bank."),
        ("Company name", "What is your company name?"),
        ("Your e-mail address", "What is your e-mail address?"),
        ("The participant's role", "What is your role?"),
        ("Their role", "What is your role?"),
        ("Name of the company", "What is the name of the company?"),
        ("Name", "What is your name?"),
        ("VAT number", "What is your VAT number?"),
        ("Main goals", "What are your main goals?"),
        ("Tools you use", "What are the tools you use?"),
        ("Business address", "What is your business address?"),
        ("A short description of your product", "Please give me a short description of your product."),
        ("Start date. It may be a rough one.", "What is your start date?"),
        ("", "What is your first field?"),
    ],
)
def test_question(description: str, asked: str) -> None:
    assert question(Field(name="first_field", description=description), english=True) == asked


def test_question_of_a_yes_or_no_field() -> None:
    assert question(Field(name="opt_in", type="boolean"), english=True) == "Opt in: yes or no?"
    asked = Field(name="opt_in", type="boolean", description="Do you want news")
    assert question(asked, english=True) == "Do you want news?"


def test_other_languages_are_left_alone() -> None:
    assert question(Field(name="firma", description="Wie heißt Ihre Firma?"), english=False) == "Wie heißt Ihre Firma?"
    assert question(Field(name="firma", description="Firmenname"), english=False) == "Firmenname?"
    assert book_of("xx-YY") is ENGLISH


@pytest.mark.parametrize(
    ("field", "name"),
    [
        (Field(name="team_size", description="How many people work there?"), "team size"),
        (Field(name="teamSize"), "team size"),
        (Field(name="q1", description="Company name"), "company name"),
        (Field(name="q1", description="The name of your company"), "name of your company"),
        (Field(name="q1", description="The legal name under which your company is registered"), "q1"),
        (Field(name="VAT"), "VAT"),
        (Field(name="___"), "___"),
    ],
)
def test_what_a_field_is_called(field: Field, name: str) -> None:
    assert called(field) == name


def test_remark_is_what_follows_the_first_sentence() -> None:
    assert remark(Field(name="wish", description="What next? Two sentences are plenty.")) == "Two sentences are plenty."
    assert remark(Field(name="wish", description="Company  name")) == ""


def test_a_prompt_that_names_an_aim_is_turned_to_the_person() -> None:
    assert introduction("Find out what they use.") == ("find out what you use", True)
    assert introduction("Let's start with your team.") == ("Let's start with your team.", False)


def test_a_prompt_that_asks_is_not_asked_twice() -> None:
    assert asks_already("Hi, what is the name of your company?", "What is your company name?")
    assert not asks_already("Shall we begin?", "What is your company name?")
    assert not asks_already("", "What is it?")


def test_small_first_letters_spare_names() -> None:
    spared = ["VAT number", "I", "iOS", ""]
    assert [lowered(text) for text in ("Company", *spared)] == ["company", *spared]


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        (Field(name="size", type="integer"), 25, "25"),
        (Field(name="size", type="integer"), 2019, "2019"),
        (Field(name="size", type="integer"), 12000, "12,000"),
        (Field(name="budget", type="number"), 5000, "5,000"),
        (Field(name="budget", type="number"), 1299.5, "1,299.50"),
        (Field(name="budget", type="number"), 1300.0, "1,300"),
        (Field(name="ok", type="boolean"), True, "yes"),
        (Field(name="ok", type="boolean"), False, "no"),
        (Field(name="start", format="date"), "2027-03-03", "Wednesday, 3 March 2027"),
        (Field(name="start", format="date"), "soon", "soon"),
        (Field(name="meet", format="date-time"), "2026-03-12T15:00:00+01:00", "Thursday, 12 March 2026 at 14:00"),
        (Field(name="source", enum=("word_of_mouth",)), "word_of_mouth", "word of mouth"),
        (Field(name="tools", type="array"), ["a", "b", "c"], "a, b and c"),
        (Field(name="tools", type="array"), ["a"], "a"),
        (Field(name="tools", type="array"), [], "none"),
        (Field(name="all", type="object"), {"a": 1, "b": True}, "a: 1, b: yes"),
        (Field(name="all", type="object"), {}, "none"),
        (Field(name="name"), "Acme Inc.", "Acme Inc"),
        (Field(name="name"), " two\nlines ", "two; lines"),
        (Field(name="name"), None, "None"),
    ],
)
def test_spoken(field: Field, value: Any, said: str) -> None:
    assert spoken(field, value, ENGLISH, UTC) == said


def test_long_texts_are_cut_between_words() -> None:
    assert shortened("one two three", 40) == "one two three"
    assert shortened("one two three", 9) == "one two…"
    assert len(shortened("x" * 500, 100)) <= 100
    assert quoted("It is so.", 40) == "It is so"


@pytest.mark.parametrize(
    ("ago", "said"),
    [
        (timedelta(hours=1), "Earlier today"),
        (timedelta(days=1), "Yesterday"),
        (timedelta(days=8), "On 3 March"),
        (timedelta(days=365), "On 11 March 2025"),
    ],
)
def test_when(ago: timedelta, said: str) -> None:
    assert when(NOW - ago, NOW, ENGLISH, UTC) == said


@pytest.mark.parametrize(
    ("time", "said"),
    [
        (timedelta(seconds=5), "a minute"),
        (timedelta(minutes=10), "10 minutes"),
        (timedelta(hours=1), "an hour"),
        (timedelta(hours=23), "23 hours"),
        (timedelta(days=1), "a day"),
        (timedelta(hours=720), "30 days"),
        (timedelta(days=90), "3 months"),
    ],
)
def test_lasting(time: timedelta, said: str) -> None:
    assert lasting(time, ENGLISH) == said
