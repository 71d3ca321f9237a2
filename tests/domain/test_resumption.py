"""Continue or begin: the whole table of reasons, and the life of a conversation."""

from datetime import timedelta

import pytest

from roxels.domain.life import OPEN, Status, overdue
from roxels.domain.proof import Proof, sight_of
from roxels.domain.resumption import Begin, Continue, Past, choose
from roxels.domain.templates import Resumption
from roxels.testing import START

DAY = timedelta(days=1)
ON = Resumption(enabled=True, window=30 * DAY)
OFF = Resumption()


def past(name: str, status: Status, days_ago: float) -> Past:
    """An earlier conversation."""
    return Past(id=name, status=status, last_activity_at=START - days_ago * DAY)


TABLE: list[tuple[list[Past], Resumption, bool, Continue | Begin]] = [
    # what there is, newest first; resumption; wanted; what follows
    ([], ON, True, Begin("new_person")),
    ([], ON, False, Begin("new_person")),
    ([], OFF, True, Begin("new_person")),
    ([past("a", "joined", 1)], ON, False, Begin("asked_new")),
    ([past("a", "joined", 1)], OFF, False, Begin("asked_new")),
    ([past("a", "joined", 1)], OFF, True, Begin("resumption_off")),
    ([past("a", "joined", 1)], ON, True, Continue("a")),
    ([past("a", "created", 0)], ON, True, Continue("a")),
    ([past("a", "joined", 30)], ON, True, Continue("a")),
    ([past("a", "joined", 30.01)], ON, True, Begin("window_over")),
    ([past("a", "joined", 1), past("b", "joined", 2)], ON, True, Continue("a")),
    ([past("a", "completed", 1), past("b", "joined", 2)], ON, True, Continue("b")),
    ([past("a", "completed", 1), past("b", "joined", 40)], ON, True, Begin("window_over")),
    ([past("a", "completed", 1)], ON, True, Begin("ended")),
    ([past("a", "processing", 1)], ON, True, Begin("ended")),
    ([past("a", "failed", 1)], ON, True, Begin("ended")),
    ([past("a", "expired", 2)], ON, True, Begin("none_open")),
]


@pytest.mark.parametrize(("pasts", "resumption", "wanted", "expected"), TABLE)
def test_the_choice(pasts: list[Past], resumption: Resumption, wanted: bool, expected: Continue | Begin) -> None:
    sight = sight_of("person_1", Proof.claimed, browser=None, policy=Proof.claimed)
    assert choose(pasts, sight=sight, resumption=resumption, wanted=wanted, now=START) == expected


def test_nobody_in_particular_continues_nothing() -> None:
    sight = sight_of("person_1", Proof.anonymous, browser=None, policy=Proof.claimed)
    assert choose([past("a", "joined", 1)], sight=sight, resumption=ON, wanted=True, now=START) == Begin("new_person")


@pytest.mark.parametrize(("pasts", "resumption", "wanted", "_"), TABLE)
@pytest.mark.parametrize("proof", Proof)
def test_what_tries_a_version_out_begins_whatever_there_is(
    pasts: list[Past], resumption: Resumption, wanted: bool, _: Continue | Begin, proof: Proof
) -> None:
    sight = sight_of("person_1", proof, browser=None, policy=Proof.verified)
    made = choose(pasts, sight=sight, resumption=resumption, wanted=wanted, now=START, names_version=True)
    assert made == Begin("tried")


def test_every_reason_but_those_of_proof_stands_in_the_table() -> None:
    assert {expected.reason for *_, expected in TABLE} == {
        "new_person",
        "asked_new",
        "resumption_off",
        "resumed",
        "window_over",
        "ended",
        "none_open",
    }


def test_what_is_over_is_not_open() -> None:
    assert {"created", "joined"} == OPEN


@pytest.mark.parametrize(
    ("status", "hours", "resumable", "fate"),
    [
        ("created", 23.9, None, None),
        ("created", 24, None, "expired"),
        ("created", 24, 720, "expired"),
        ("joined", 0.1, None, None),
        ("joined", 0.2, None, "processing"),
        ("joined", 100, 720, None),
        ("joined", 720, 720, "processing"),
        ("completed", 9999, None, None),
    ],
)
def test_what_time_alone_does(status: Status, hours: float, resumable: float | None, fate: Status | None) -> None:
    window = None if resumable is None else timedelta(hours=resumable)
    began = START - timedelta(hours=hours)
    now = START
    assert overdue(status, created_at=began, last_activity_at=began, resumable_for=window, now=now) == fate


@pytest.mark.parametrize("pasts", [[], [past("a", "joined", 1)]])
def test_with_too_little_proof_the_reason_is_always_the_same(pasts: list[Past]) -> None:
    for policy, proof in (
        (Proof.device, Proof.claimed),
        (Proof.verified, Proof.claimed),
        (Proof.verified, Proof.device),
    ):
        sight = sight_of("person_1", proof, browser="b", policy=policy)
        for wanted in (True, False):
            assert choose(pasts, sight=sight, resumption=ON, wanted=wanted, now=START) == Begin("proof_needed")
