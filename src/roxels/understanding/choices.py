"""Choices: by their name in a sentence, by their place in the list, or misspelt.

"the pro plan please"   the name stands there               sure
"the second one"        the place stands there              sure
"enterprize"            near one name, far from the others  unsure, worth a confirmation
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from rapidfuzz import fuzz

from roxels.understanding.numerals import CARDINALS, ORDINALS
from roxels.understanding.readings import Understood

#: Similarity (0–100) that a misspelt name must reach, and its lead over every other choice. Measured: right readings
#: score 85–95, wrong ones at most 50 of a short list; a lower threshold begins to guess.
NEAR = 80
LEAD = 10

_WORD = re.compile(r"[\w+#]+")
_NTH = "|".join(sorted(ORDINALS, key=len, reverse=True))
_PLACE = re.compile(
    rf"\b(?:(?:number|option|choice|no\.|nr\.|#)\s*(?P<cardinal>\d+|{'|'.join(CARDINALS)})\b"
    rf"|(?P<the>the\s+)?(?P<ordinal>\d+(?=st|nd|rd|th)|last|{_NTH})(?:st|nd|rd|th)?"
    r"(?(the)(?!\s+(?:\d|two|three|few|half))|\s+(?:one|option|choice))\b)",
    re.IGNORECASE,
)
_BARE_PLACE = re.compile(
    rf"\W*(?:(?P<cardinal>\d{{1,3}})|(?P<ordinal>\d+(?=st|nd|rd|th)|last|{_NTH})(?:st|nd|rd|th)?)\W*", re.IGNORECASE
)


def name(choice: Any) -> str:
    """How a choice is said: `word_of_mouth` is "word of mouth"."""
    return " ".join(_WORD.findall(str(choice).replace("_", " "))).lower()


@lru_cache(maxsize=512)
def _pattern(said: str) -> re.Pattern[str]:
    return re.compile(r"(?<!\w)" + r"[\W_]+".join(map(re.escape, said.split())) + r"(?![\w+#])", re.IGNORECASE)


def find(choices: Sequence[Any], words: str) -> list[Understood]:
    """The choices that are said by name; a name inside a longer one ("small" in "extra small") does not count."""
    found: list[Understood] = []
    for choice in sorted(choices, key=lambda each: len(name(each)), reverse=True):
        if said := name(choice):
            found += [
                Understood(choice, match.span())
                for match in _pattern(said).finditer(words)
                if not any(match.start() < one.span[1] and one.span[0] < match.end() for one in found)
            ]
    return sorted(found, key=lambda one: one.span)


def places(choices: Sequence[Any], words: str) -> list[Understood]:
    """The choices that are said by their place: "the second one", "number 3", or only "2"."""
    numeric = any(name(choice).isdigit() for choice in choices)
    bare = None if numeric else _BARE_PLACE.fullmatch(words)
    found = []
    for match in [bare] if bare else _PLACE.finditer(words):
        place = _place((match["cardinal"] or match["ordinal"]).lower(), len(choices))
        if 1 <= place <= len(choices):
            found.append(Understood(choices[place - 1], match.span()))
    return found


def _place(text: str, last: int) -> int:
    if text == "last":
        return last
    return int(text) if text.isdecimal() and len(text) < 4 else CARDINALS.get(text, ORDINALS.get(text, 0))


def near(choices: Sequence[Any], words: str) -> list[Understood]:
    """The choices that a stretch of the words misspells, each in the stretch that is nearest to it."""
    tokens = list(_WORD.finditer(words))[:40]
    scored: dict[tuple[int, int], dict[int, float]] = {}
    for index, choice in enumerate(choices):
        said = name(choice)
        width = len(said.split())
        if len(said) < 3:
            continue
        for first in range(len(tokens) - width + 1):
            span = (tokens[first].start(), tokens[first + width - 1].end())
            heard = name(words[slice(*span)])
            begun = len(tokens) == 1 and len(heard) > 2 and said.startswith(heard)
            scored.setdefault(span, {})[index] = 100 if begun else fuzz.ratio(heard, said) if len(heard) > 2 else 0
    found: list[Understood] = []
    for span, scores in sorted(scored.items(), key=lambda each: -max(each[1].values())):
        best, *rest = sorted(scores.items(), key=lambda each: -each[1])
        clear = best[1] >= NEAR and all(best[1] - score >= LEAD for _, score in rest)
        if clear and not any(span[0] < one.span[1] and one.span[0] < span[1] for one in found):
            found.append(Understood(choices[best[0]], span, sure=False))
    return sorted(found, key=lambda one: one.span)
