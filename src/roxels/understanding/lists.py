"""Lists: "red, green and blue", one per line, "none".

Where commas part the elements, "and" parts only the last two: "Research and Development, Sales" has two elements.
"""

import re

from roxels.understanding.phrases import among, plain, table

_NOTHING = table(
    ("none", "no", "nope", "nothing", "nothing at all", "none of them", "none of these", "none of those", "no one",
     "nobody", "neither", "nothing else", "not any", "no thanks", "none at all")
)  # fmt: skip
_HAVE_NONE = re.compile(r"^(?:no )?(?:i|we) (?:do|have|am|are|did) not (?:\w+ ){0,2}any(?:thing)?$")
_ALL = re.compile(r"\b(?:all|every|everyone|everything|both|each)\b", re.IGNORECASE)

_LEAD = re.compile(
    r"^\s*(?:(?:well|so|um+|uh+|hm+|mostly|mainly|only|just)[,\s]+)*"
    r"(?:(?:(?:i|we)(?:['’](?:m|re|d))?\s+(?:\w+ly\s+)?"
    r"(?:use|like|love|need|have|want|prefer|speak|know|take|would like|using)"
    r"|(?:it|that|they)(?:['’](?:s|re)| is| are)|there (?:is|are)|(?:my|our|the)\s+\w+\s+(?:is|are))\s+)?"
    r"(?:(?:mostly|mainly|only|just|both)\s+)?",
    re.IGNORECASE,
)
_TAIL = re.compile(r"(?:[\s,]+(?:please|thanks|thank you|i think|i guess|and so on|etc\.?))*[\s.!]*$", re.IGNORECASE)
_LINES = re.compile(r"\s*[\n;•]\s*(?:[-*–]\s+|\d{1,2}[.)]\s+)?")
_BULLET = re.compile(r"^\s*(?:[-*–•]\s+|\d{1,2}[.)]\s+)")
_COMMA = re.compile(r"\s*(?:,|\s/\s)\s*(?:(?:and|or)\s+)?")
_AND = re.compile(r"\s+(?:and|or|&|as well as)\s+", re.IGNORECASE)


def nothing(words: str) -> bool:
    """Whether the answer is the empty list."""
    return among(words, _NOTHING) or _HAVE_NONE.match(plain(words)) is not None


def everything(words: str) -> bool:
    """Whether the answer speaks of all there is."""
    return _ALL.search(words) is not None


def elements(words: str) -> list[str]:
    """The elements, each once, as they were written."""
    text = _TAIL.sub("", _LEAD.sub("", _BULLET.sub("", words), count=1))
    pieces = _LINES.split(text)
    if len(pieces) == 1:
        *first, last = _COMMA.split(text)
        pieces = [*first, *_AND.split(last)]
    seen: dict[str, str] = {}
    for piece in pieces:
        if cleaned := piece.strip(" \t.,"):
            seen.setdefault(cleaned.casefold(), cleaned)
    return list(seen.values())
