"""Several fields in one sentence: only what can be told apart."""

from datetime import UTC, datetime
from typing import Any

import pytest

from roxels.domain.fields import Field
from roxels.understanding import Moment, glean

NOW = Moment(now=datetime(2026, 3, 11, 15, tzinfo=UTC), locale="en-GB")
FIELDS = (
    Field(name="company", description="What is your company called?"),
    Field(name="team_size", type="integer", description="How many people work there?", minimum=1),
    Field(name="email", format="email", description="What is your e-mail address?"),
    Field(name="budget", type="number", description="What is your monthly budget?"),
    Field(name="plan", enum=("basic", "pro", "enterprise"), description="Which plan do you want?"),
    Field(name="start", format="date", description="When do you want to start?"),
    Field(name="newsletter", type="boolean", description="Do you want our newsletter?"),
)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("We are 12 people at Acme, write to ada@example.com", {"team_size": 12, "email": "ada@example.com"}),
        ("my company is Acme and my email is ada@example.com", {"company": "Acme", "email": "ada@example.com"}),
        (
            "I'm Ada, we have 12 people and a budget of $5,000, starting next Monday",
            {"team_size": 12, "budget": 5000, "start": "2026-03-16"},
        ),
        ("12 people, pro plan, start tomorrow", {"team_size": 12, "plan": "pro", "start": "2026-03-12"}),
        ("company: Acme; budget: 5k; plan: pro", {"company": "Acme", "budget": 5000, "plan": "pro"}),
        ("our company is called Stop & Go Ltd., and we are 5", {"company": "Stop & Go Ltd."}),
        ("My company is Lovelace & Sons. Thanks!", {"company": "Lovelace & Sons"}),
        ("my email is ada@example.com or bob@example.com", {}),
        ("12", {}),
        ("0 people", {}),
        ("not pro", {}),
        ("I'd go with enterprize", {}),
        ("the plan is to grow", {}),
        ("yes", {}),
        ("", {}),
    ],
)
def test_gleaning(words: str, expected: dict[str, Any]) -> None:
    assert {name: one.value for name, one in glean(FIELDS, words, NOW).items()} == expected


def test_two_fields_that_could_hold_the_same_value_get_it_only_by_label() -> None:
    fields = (Field(name="private_mail", format="email"), Field(name="work_mail", format="email"))
    assert glean(fields, "write to ada@example.com", NOW) == {}
    found = glean(fields, "my work mail is ada@example.com", NOW)
    assert {name: one.value for name, one in found.items()} == {"work_mail": "ada@example.com"}


def test_a_choice_that_two_fields_offer_is_left() -> None:
    fields = (Field(name="roof", enum=("red", "grey")), Field(name="door", enum=("red", "blue")))
    assert {name: one.value for name, one in glean(fields, "make it blue", NOW).items()} == {"door": "blue"}
    assert glean(fields, "red would be nice", NOW) == {}
