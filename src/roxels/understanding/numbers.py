"""The numbers in a sentence: which there are, and which are none.

A bound ("more than 100") is no number; the one of "the second one" and the year of "since 2019" are none either. Two
numbers ("10 to 20") are one too many: `settling` decides.
"""

import re
from collections.abc import Iterator

from roxels.understanding.locales import decimal_comma
from roxels.understanding.numerals import Token, number, numeral, tokens
from roxels.understanding.phrases import before, peeled
from roxels.understanding.readings import Understood

#: A whole answer that counts people or things without a numeral.
_COUNTS = {"none": 0, "nobody": 0, "no one": 0, "nothing": 0, "nothing at all": 0, "me": 1, "only me": 1, "myself": 1}
_BOUND = re.compile(
    r"\b(?:(?:more|less|fewer|greater|higher|lower|bigger|smaller) than|at (?:least|most)|over|under|above|below|up to"
    r"|no (?:more|less|fewer) than|minimum|maximum|several|few|many|some)\s+(?:a\s+|of\s+|[$€£¥])?$",
    re.IGNORECASE,
)
_POINTING = re.compile(
    r"\b(?:the|this|that|no|any|every|some|each|which|first|second|third|last|next|other)\s+$", re.IGNORECASE
)
_WHEN = re.compile(r"\b(?:since|in|from|until)\s+$", re.IGNORECASE)


def find(words: str, locale: str = "en", *, whole: bool = False) -> list[Understood]:
    """Every number in the words, in order. `whole`: only whole numbers make sense here."""
    return list(_find(words, comma=decimal_comma(locale), whole=whole))


def _find(words: str, *, comma: bool, whole: bool) -> Iterator[Understood]:
    said, at = tokens(words), 0
    while at < len(said):
        value, after = numeral(said, at, words, comma=comma, whole=whole)
        if value is None or after == at or _is_no_number(words, said[at]):
            at = max(after, at + 1)
            continue
        span = (said[at].start, said[after - 1].end)
        sure = not any(token.text == "couple" for token in said[at:after])
        yield Understood(number(value), span, sure)
        at = after


def _is_no_number(words: str, token: Token) -> bool:
    """The one of "the second one", and the year of "since 2019"."""
    if token.text == "one":
        return before(_POINTING, words, token.start)
    is_year = len(token.text) == 4 and token.text[:2] in ("19", "20")
    return is_year and before(_WHEN, words, token.start)


def unbounded(words: str, found: list[Understood]) -> list[Understood]:
    """Without those that only say how far it goes: "more than 100", "up to 20"."""
    return [one for one in found if not before(_BOUND, words, one.span[0])]


def count(words: str) -> int | None:
    """How many a whole answer without a numeral means: "nobody" is 0, "just me" is 1."""
    return next((_COUNTS[text] for text in peeled(words) if text in _COUNTS), None)
