"""Which of several values in a sentence the person means.

"not basic, pro"            what is denied is out            → pro
"12, no wait, 15"           a correction outdates the rest   → 15
"3 and 4, so 7"             so does a conclusion             → 7
"basic or pro"              two are left                     → unclear
"""

import re
from collections.abc import Sequence

from roxels.understanding.phrases import before, straight
from roxels.understanding.readings import Understood

_DENIED = re.compile(
    r"(?:\b(?:not|never|except|without|(?:any|every)thing but|all but|other than|instead of|rather than|apart from)"
    r"|n't)"
    r"(?:\s+(?:want|need|like|take|have|the|a|an|on|at|for|my|to|is|it))*\s*$",
    re.IGNORECASE,
)
_DENIED_TOO = re.compile(r"\s*(?:,\s*)?(?:or|nor|and)\s+(?:the\s+|on\s+)?", re.IGNORECASE)
_OUTDATED = re.compile(
    r"\b(?:no|sorry|wait|i mean|actually|rather|correction|make that|make it|so|that makes|in total)\b|=", re.IGNORECASE
)


def affirmed(words: str, found: Sequence[Understood]) -> list[Understood]:
    """What is not denied: "not Monday or Tuesday, but Friday" leaves Friday."""
    text, kept, denied_until = straight(words), [], -1
    for one in sorted(found, key=lambda each: each.span):
        start, end = one.span
        chained = denied_until >= 0 and _DENIED_TOO.fullmatch(text, denied_until, start)
        if chained or before(_DENIED, text, start):
            denied_until = end
        else:
            denied_until = -1
            kept.append(one)
    return kept


def standing(words: str, found: Sequence[Understood]) -> list[Understood]:
    """What is neither denied nor outdated by a later correction."""
    kept = affirmed(words, found)
    for at in range(len(kept) - 1, 0, -1):
        if _OUTDATED.search(words, kept[at - 1].span[1], kept[at].span[0]):
            return kept[at:]
    return kept


def settle(words: str, found: Sequence[Understood]) -> Understood | None:
    """The one value that the person stands by, or None."""
    kept = standing(words, found)
    if not kept or any(each.value != kept[0].value for each in kept):
        return None
    return kept[0]
