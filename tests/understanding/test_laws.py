"""Laws that hold for any words."""

import subprocess
import sys
from datetime import UTC, datetime
from time import perf_counter

from hypothesis import given, settings
from hypothesis import strategies as st

from roxels.domain.fields import Field
from roxels.understanding import (
    Answer,
    Moment,
    No,
    Understood,
    Yes,
    fault,
    glean,
    hesitation,
    intent,
    refusal,
    understand,
)
from tests.understanding.table import utterances

FIELDS = tuple(dict.fromkeys(utterance.field for utterance in utterances()))
FREE = Field(name="note", required=True)
PIECES = sorted({piece for utterance in utterances() for piece in utterance.words.split(" ")})

#: Any text; or pieces of what people say, in any order: that is where the extractors live.
words = st.text(max_size=60) | st.lists(st.sampled_from(PIECES), max_size=12).map(" ".join)
moments = st.builds(
    Moment,
    now=st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),
    timezone=st.sampled_from(
        ("UTC", "Asia/Tokyo", "America/New_York", "Pacific/Kiritimati", "Nowhere/Land", "", "../x")
    ),
    locale=st.sampled_from(("en", "en-GB", "en-US", "de-DE", "de_CH", "fr", "zh-Hant-TW", "xx-YY", "", "-")),
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(FIELDS), words, moments)
def test_any_words_are_read_and_what_is_understood_fits_its_field(field: Field, said: str, moment: Moment) -> None:
    reading = understand(field, said, moment)
    if isinstance(reading, Understood):
        start, end = reading.span
        assert 0 <= start <= end <= len(said)
        assert fault(field, reading.value) is None


@settings(max_examples=300, deadline=None)
@given(words, moments)
def test_a_free_field_takes_the_words_as_they_are(said: str, moment: Moment) -> None:
    reading = understand(FREE, said, moment)
    is_answer = isinstance(intent(said, (FREE,)), Answer | Yes | No)
    if said.strip() and is_answer and not refusal(said) and not hesitation(said):
        assert isinstance(reading, Understood)
        assert reading.value == said.strip()
        assert said[slice(*reading.span)] == reading.value
    else:
        assert not isinstance(reading, Understood)


@settings(max_examples=200, deadline=None)
@given(words, moments)
def test_no_words_serve_two_fields(said: str, moment: Moment) -> None:
    found = glean(FIELDS, said, moment)
    fields = {field.name: field for field in FIELDS}
    assert set(found) <= set(fields)
    last = 0
    for one in sorted(found.values(), key=lambda each: each.span):
        assert last <= one.span[0] <= one.span[1] <= len(said)
        last = one.span[1]


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(FIELDS), st.sampled_from(PIECES), st.integers(200, 3000))
def test_long_messages_stay_quick(field: Field, piece: str, times: int) -> None:
    said = f"{piece} " * times
    now = Moment(now=datetime(2026, 3, 11, 15, tzinfo=UTC))
    understand(field, "a", now)
    began = perf_counter()
    understand(field, said, now)
    intent(said, FIELDS)
    assert perf_counter() - began < 1.0


def test_a_typical_answer_takes_less_than_five_milliseconds() -> None:
    for utterance in utterances():
        understand(utterance.field, utterance.words, utterance.moment)
    spent = []
    for utterance in utterances():
        began = perf_counter()
        understand(utterance.field, utterance.words, utterance.moment)
        spent.append(perf_counter() - began)
    assert sorted(spent)[len(spent) // 2] < 0.005


def test_heavy_libraries_wait_until_they_are_needed() -> None:
    code = (
        "import sys, roxels.understanding; print(*{'dateparser', 'phonenumbers', 'email_validator'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_choices_may_be_anything_that_json_holds() -> None:
    now = Moment(now=datetime(2026, 3, 11, 15, tzinfo=UTC))
    odd = Field(name="odd", enum=(None, True, 1, "one", [1], {"a": 1}, ""))
    for kind in (odd, Field(name="odds", type="array", items=odd)):
        for said in ("one", "all but one", "none", "the last one", "", "one and true and 1"):
            understand(kind, said, now)
