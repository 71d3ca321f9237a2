"""The retry table: every status, every fault, every wait."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roxels.outbound.attempt import FAULTS, LAST_ATTEMPT, LONGEST_ASKED, WAITS, Done, Fatal, Fault, Outcome, RetryIn
from roxels.outbound.attempt import verdict as judge

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
CHANCES = st.floats(0, 1, exclude_max=True)
NEVER_AGAIN = ("target", "url", "request", "unmade")


def answer(status: int, retry_after: str | None = None) -> Outcome:
    return Outcome(status_code=status, retry_after=retry_after, duration_ms=1)


def wait(number: int, outcome: Outcome, *, chance: float = 0.5, scale: float = 1.0) -> float:
    got = judge(number, outcome, now=NOW, chance=chance, scale=scale)
    assert isinstance(got, RetryIn)
    return got.seconds


def test_every_status_has_its_verdict() -> None:
    for status in range(100, 1000):
        got = judge(1, answer(status), now=NOW, chance=0.5)
        if 200 <= status < 300:
            assert got == Done()
        elif status in {408, 429} or 500 <= status < 600:
            assert got == RetryIn(1.0)
        else:
            assert got == Fatal("refused")


@pytest.mark.parametrize("fault", get_args(Fault))
def test_every_fault_has_its_verdict_and_its_sentence(fault: Fault) -> None:
    got = judge(1, Outcome(error=fault, duration_ms=1), now=NOW, chance=0.5)
    assert got == (Fatal("refused") if fault in NEVER_AGAIN else RetryIn(1.0))
    assert FAULTS[fault].sentence.endswith(".")


def test_every_fault_stands_in_the_table_once() -> None:
    assert set(FAULTS) == set(get_args(Fault))


def test_the_status_decides_even_where_the_answer_broke_off() -> None:
    broken = Outcome(status_code=200, error="cut_off", duration_ms=1)
    assert judge(1, broken, now=NOW, chance=0.5) == Done()


def test_an_outcome_without_status_and_error_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="a status or an error"):
        judge(1, Outcome(duration_ms=1), now=NOW, chance=0.5)


def test_the_schedule() -> None:
    waits = [wait(number, answer(503)) for number in range(1, LAST_ATTEMPT)]
    assert waits == [1, 3, 10, 30, 90, 180, 286]
    assert sum(waits) == 600
    for number in (LAST_ATTEMPT, LAST_ATTEMPT + 1):
        assert judge(number, answer(503), now=NOW, chance=0.5) == Fatal("spent")
    assert judge(LAST_ATTEMPT, answer(200), now=NOW, chance=0.5) == Done()
    assert judge(LAST_ATTEMPT, answer(404), now=NOW, chance=0.5) == Fatal("refused")


@given(number=st.integers(1, len(WAITS)), chance=CHANCES)
def test_a_wait_stays_within_a_fifth_of_the_schedule(number: int, chance: float) -> None:
    planned = WAITS[number - 1]
    assert planned * 0.8 <= wait(number, answer(500), chance=chance) <= planned * 1.2


def test_chance_reaches_both_ends() -> None:
    assert wait(3, answer(500), chance=0.0) == pytest.approx(8.0)
    assert wait(3, answer(500), chance=1 - 1e-9) == pytest.approx(12.0)


@given(number=st.integers(1, len(WAITS)), seconds=st.integers(0, 10**12), chance=CHANCES, dated=st.booleans())
def test_retry_after_makes_a_wait_longer_never_shorter_within_bounds(
    number: int, seconds: int, chance: float, dated: bool
) -> None:
    bounded = min(seconds, 10**8)
    asked = format_datetime(NOW + timedelta(seconds=bounded), usegmt=True) if dated else str(seconds)
    got = wait(number, answer(429, asked), chance=chance)
    assert got >= max(min(bounded, LONGEST_ASKED), wait(number, answer(429), chance=chance))
    assert got <= max(1.2 * LONGEST_ASKED, 1.2 * WAITS[-1])


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("20", 20),
        (" 20 ", 20),
        ("601", 600),
        ("9" * 5000, 600),
        ("Sun, 01 Mar 2026 12:00:20 GMT", 20),
        ("Sunday, 01-Mar-26 12:00:20 GMT", 20),
        ("Sun Mar  1 12:00:20 2026", 20),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 1),
        ("Sun, 01 Mar 9999 12:00:00 GMT", 600),
        ("0", 1),
        ("-5", 1),
        ("1.5", 1),
        ("２０", 1),
        ("soon", 1),
        ("", 1),
    ],
)
@pytest.mark.parametrize("status", [408, 429, 503])
def test_retry_after_as_seconds_or_date(header: str, seconds: float, status: int) -> None:
    assert wait(1, answer(status, header), chance=0.5) == pytest.approx(seconds * (1.1 if seconds > 1 else 1))


@given(header=st.text(max_size=60))
def test_no_header_can_break_the_table(header: str) -> None:
    assert 1 <= wait(1, answer(429, header)) <= 1.1 * LONGEST_ASKED


def test_scale_shrinks_every_wait() -> None:
    assert wait(7, answer(500), scale=0.001) == pytest.approx(0.286)
    assert wait(1, answer(429, "100"), scale=0.001) == pytest.approx(0.11)
