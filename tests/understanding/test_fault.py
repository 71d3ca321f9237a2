"""What counts as a value."""

from typing import Any

import pytest

from roxels.domain.fields import Field
from roxels.understanding import fault

WHOLE = Field(name="n", type="integer", minimum=1, maximum=10)
NUMBER = Field(name="n", type="number")
TEXT = Field(name="s", min_length=2, max_length=4)
CODE = Field(name="s", pattern="^[A-Z]{2}$")
CHOICE = Field(name="s", enum=("basic", "pro"))
COUNT = Field(name="n", enum=(1, 2))
TAGS = Field(name="a", type="array", items=Field(name="i", type="integer", minimum=0))


def of(kind: str) -> Field:
    return Field(name="s", format=kind)


FITS: list[tuple[Field, Any]] = [
    (WHOLE, 1),
    (WHOLE, 2.0),
    (NUMBER, 2.5),
    (TEXT, "äöü🦊"),
    (CODE, "AB"),
    (CHOICE, "pro"),
    (COUNT, 2),
    (TAGS, []),
    (TAGS, [0, 3]),
    (Field(name="b", type="boolean"), False),
    (Field(name="o", type="object"), {"a": 1}),
    (Field(name="s", pattern="((("), "anything"),
    (of("email"), "ada@example.com"),
    (of("phone"), "+14155550132"),
    (of("tel"), "+4930901820"),
    (of("date"), "2028-02-29"),
    (of("time"), "09:30"),
    (of("time"), "09:30:15Z"),
    (of("date-time"), "2027-03-03T09:30:00+02:00"),
    (of("uri"), "https://example.com/a?b"),
    (of("uri"), "urn:isbn:0451450523"),
    (of("no-such-format"), "anything"),
]
FAULTY: list[tuple[Field, Any]] = [
    (WHOLE, 0),
    (WHOLE, 11),
    (WHOLE, 2.5),
    (WHOLE, True),
    (WHOLE, "2"),
    (WHOLE, None),
    (NUMBER, float("nan")),
    (NUMBER, float("inf")),
    (NUMBER, 10**30),
    (TEXT, "a"),
    (TEXT, "abcde"),
    (TEXT, 12),
    (CODE, "ab"),
    (CHOICE, "gold"),
    (COUNT, True),
    (TAGS, [1, -1]),
    (TAGS, ["1"]),
    (TAGS, "1"),
    (Field(name="b", type="boolean"), 1),
    (Field(name="o", type="object"), []),
    (of("email"), "ada"),
    (of("phone"), "415 555 0132"),
    (of("phone"), "+1"),
    (of("date"), "2027-02-29"),
    (of("date"), "20270228"),
    (of("time"), "25:00"),
    (of("date-time"), "2027-03-03T09:30:00"),
    (of("uri"), "example"),
    (of("uri"), "https://exa mple.com"),
]


@pytest.mark.parametrize(("field", "value"), FITS)
def test_what_fits(field: Field, value: Any) -> None:
    assert fault(field, value) is None


@pytest.mark.parametrize(("field", "value"), FAULTY)
def test_what_does_not_fit_is_said_in_one_sentence(field: Field, value: Any) -> None:
    sentence = fault(field, value)
    assert sentence is not None
    assert sentence.endswith(".")
    assert "\n" not in sentence


def test_a_fault_never_repeats_the_value() -> None:
    for kind in ("email", "phone", "date", "time", "date-time", "uri"):
        assert "canary" not in (fault(of(kind), "canary 77") or "")
    assert "canary" not in (fault(CHOICE, "canary") or "")
