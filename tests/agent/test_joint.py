"""Where a cut answer goes on: whatever a model does when it is asked to, what is shown reads on and says nothing twice.

The cuts fall at every place of several answers, the new words come in pieces of every size.
"""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roxels.agent.joint import LOOK_AHEAD, Joint, WholeWords

ANSWERS = (
    "Hello Ada, good to see you here. We build engines for people like yourself. What company do you work for today?",
    "Thank you, Babbage & Co it is! Next: how many people use the plan, roughly? A number is enough.",
    "Danke, das habe ich notiert. Wie heißt Ihre Firma, und seit wann gibt es sie?",
    "Noted:\n- company: Acme\n- team size: 12\n\nWhich plan suits them best, starter or team?",
    "ありがとうございます。次に、会社名を教えてください。",
)
PREFACES = (
    "Sure, continuing: ",
    "Sure! Here is the rest: ",
    "Of course. Continuing from where I left off:\n",
    "Continuing: ",
    "Here's the continuation: ",
    "Sorry about that, I will continue. ",
    "... ",
    "Assistant: ",
    "Okay, let me pick up where I left off: ",
)


def joined(said: str, new: str, size: int = 5) -> str:
    """What stands on the screen in the end."""
    joint = Joint(said)
    shown = [joint.feed(new[at : at + size]) for at in range(0, len(new), size)]
    return said + "".join(shown) + joint.end()


def places(text: str) -> list[int]:
    """Where whole words end: there alone the speaker lets an answer be cut."""
    return [match.end() for match in re.finditer(r"\s+", text)]


def cases() -> list[tuple[str, int]]:
    return [(text, cut) for text in ANSWERS for cut in places(text)]


sizes = pytest.mark.parametrize("size", [1, 4, 1000])


@sizes
def test_it_goes_on(size: int) -> None:
    for text in ANSWERS:
        for cut in range(1, len(text)):
            assert joined(text[:cut], text[cut:], size) == text, cut


@sizes
def test_it_goes_on_without_the_blank(size: int) -> None:
    for text, cut in cases():
        assert joined(text[:cut], text[cut:].lstrip(), size) == text
        assert joined(text[:cut], " " + text[cut:], size) == text


@sizes
def test_it_starts_over(size: int) -> None:
    for text in ANSWERS:
        for cut in range(1, len(text)):
            assert joined(text[:cut], text, size) == text, cut


@sizes
@pytest.mark.parametrize("count", [1, 2, 3, 6])
def test_it_says_the_last_words_again(size: int, count: int) -> None:
    for text, cut in cases():
        start = ([0, *places(text[: cut - 1])])[-count:][0]
        assert joined(text[:cut], text[start:], size) == text, (text[:cut], text[start:])


@sizes
@pytest.mark.parametrize("preface", PREFACES)
def test_it_announces(size: int, preface: str) -> None:
    for text, cut in cases():
        assert joined(text[:cut], preface + text[cut:], size) == text, text[:cut]
        assert joined(text[:cut], preface + text, size) == text, text[:cut]


@sizes
def test_it_changes_its_mind(size: int) -> None:
    said = "Thank you, Babbage & Co it is! Next: how many "
    new = "Actually, let me ask something else. When would you like to begin?"
    assert joined(said, new, size) == said + "… " + new
    assert joined("It is done. ", new, size) == "It is done. " + new


@sizes
def test_it_starts_over_in_other_words(size: int) -> None:
    said = "Hello Ada, it is good to see you here. What company do "
    same_end = "Hi Ada, it is good to see you here! What company do you work for?"
    other_end = "Hello Ada, it is so good to see you here! Which firm pays you?"
    assert joined(said, same_end, size) == said + "you work for?"
    assert joined(said, other_end, size) == said + "… Which firm pays you?"


def test_nothing_new_is_nothing() -> None:
    for text, cut in cases():
        assert joined(text[:cut], text[:cut]).rstrip() == text[:cut].rstrip()
        assert joined(text[:cut], "") == text[:cut]


@given(st.text(max_size=60), st.text(max_size=600), st.integers(1, 50))
def test_whatever_comes_what_was_said_stays_and_waiting_ends(said: str, new: str, size: int) -> None:
    joint, fed, shown = Joint(said), 0, ""
    for at in range(0, len(new), size):
        out = joint.feed(new[at : at + size])
        fed += len(new[at : at + size])
        shown += out
        assert shown or not new[:fed].strip() or fed < len(said) + LOOK_AHEAD or said.strip()
    shown += joint.end()
    assert len(shown) <= len(new) + 2


@given(st.lists(st.text("abcdefghij", min_size=2, max_size=8), min_size=2, max_size=14, unique=True), st.data())
def test_words_that_occur_once_join_whatever_is_repeated(words: list[str], data: st.DataObject) -> None:
    text = " ".join(words)
    cut = data.draw(st.sampled_from(places(text)))
    again = data.draw(st.sampled_from([0, *places(text[:cut])]))
    preface = data.draw(st.sampled_from(["", *PREFACES]))
    assert joined(text[:cut], preface + text[again:], data.draw(st.integers(1, 20))) == text


@given(st.text(max_size=200), st.integers(1, 9))
def test_whole_words_lose_nothing(text: str, size: int) -> None:
    whole = WholeWords()
    out = [whole.feed(text[at : at + size]) for at in range(0, len(text), size)]
    assert "".join(out) + whole.end() == text


def test_words_come_whole() -> None:
    whole = WholeWords()
    assert [whole.feed(part) for part in ("Hel", "lo A", "da, good ", "day")] == ["", "Hello ", "Ada, good ", ""]
    assert whole.end() == "day"
    assert WholeWords().feed("こんにちは") == "こんにちは"
