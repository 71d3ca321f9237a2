"""One number, in digits or in English words.

A numeral is read token by token, the way it is said:

    two        and a half   thousand      part = 2, 2.5 → 2500
    one hundred and twenty three          part = 100, 120, 123
    1.200,50                              the locale says which sign is the decimal one
    $4.5M      5k euros     2 dozen       digits with a scale
"""

import re
from decimal import Decimal
from typing import NamedTuple

from roxels.understanding.phrases import straight

_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SMALL = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_ORDINAL = (
    "zeroth", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh",
    "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth",
)  # fmt: skip

#: twelve → 12
CARDINALS = {word: n for n, word in enumerate(_SMALL)} | {word: 20 + 10 * n for n, word in enumerate(_TENS)}
#: third → 3, twenty-third → 23
ORDINALS = (
    {word: n for n, word in enumerate(_ORDINAL)}
    | {word[:-1] + "ieth": 20 + 10 * n for n, word in enumerate(_TENS)}
    | {f"{tens}-{word}": 20 + 10 * n + m for n, tens in enumerate(_TENS) for m, word in enumerate(_ORDINAL[:10]) if m}
)
_SCALES = {
    "k": 3, "thousand": 3, "grand": 3, "tsd": 3,
    "m": 6, "mn": 6, "mln": 6, "mio": 6, "million": 6,
    "b": 9, "bn": 9, "mrd": 9, "billion": 9, "trillion": 12,
    "cent": -2, "cents": -2, "pence": -2,
}  # fmt: skip
#: Of the letters only k is said on its own; m and b must be glued to figures.
_SPOKEN_SCALES = frozenset(word for word in _SCALES if word not in ("m", "b"))
_MANY = {"hundred": 100, "dozen": 12}
_GLUED = r"k|m|mn|mln|mio|b|bn|tsd|mrd"
_UNIT = r"ish|h|hrs?|min|s|kg|g|km|cm|mm|ppl|x|eur|usd|gbp|chf|percent"
_TOKEN = re.compile(
    r"(?P<digits>(?<![\w/:])(?<!\d[.,])(?>(?:(?<![\w.,)])[-−])?\d+(?:[.,'’]\d+|[ \u00a0\u202f]\d{3}(?!\d))*))"
    rf"(?:(?P<scale>{_GLUED})(?![^\W\d_])|(?=(?:{_UNIT})\b)|(?![^\W_]|[/:]\d))"
    r"|(?P<word>[a-z]+)",
    re.IGNORECASE,
)
_CURRENCY = re.compile(r"(?:usd|eur|gbp|chf)(?=\d)", re.IGNORECASE)
_GROUPED = re.compile(r"[1-9]\d{0,2}(?:[.,]\d{3})+")
_GAP = re.compile(r"[ \t\u00a0]*-?[ \t\u00a0]*")


#: More characters than this are no number that anybody means.
_LONGEST = 24


class Token(NamedTuple):
    """A word, or digits with the scale that is glued to them: 2.5k."""

    text: str
    scale: str
    start: int
    end: int


def tokens(words: str) -> list[Token]:
    """The words and digits of a sentence, with their places."""
    text = _CURRENCY.sub(lambda match: " " * len(match[0]), straight(words))
    return [
        Token((match["digits"] or match["word"]).lower(), (match["scale"] or "").lower(), *match.span())
        for match in _TOKEN.finditer(text)
    ]


def digits(text: str, *, comma: bool, whole: bool = False) -> Decimal | None:
    """What `1.200,50` is worth. `comma`: 1,5 is one and a half. `whole`: no fraction is expected, so 1.200 is 1200."""
    sign, body = (-1, text[1:]) if text[0] in "-−" else (1, text)
    body = re.sub(r"[ \u00a0\u202f'’]", "", body)
    point = _point(body, comma=comma, whole=whole)
    if point is None or len(body) > _LONGEST:
        return None
    kept = "".join(char for char in body if char not in ".," or char == point)
    return sign * Decimal(kept.replace(",", "."))


def _point(body: str, *, comma: bool, whole: bool) -> str | None:
    """The decimal sign, empty where there is none, None where this is no number (1.2.3).

    Of two kinds it is the last. A lone sign before three digits groups thousands, where the locale has it so.
    """
    signs = [char for char in body if char in ".,"]
    if len(set(signs)) != 1:
        return "" if not signs else signs[-1] if signs.count(signs[-1]) == 1 else None
    grouped = _GROUPED.fullmatch(body) and (whole or len(signs) > 1 or signs[0] == ("." if comma else ","))
    if grouped:
        return ""
    return signs[0] if len(signs) == 1 else None


def _fits(part: Decimal, more: int) -> bool:
    """Whether `more` may follow: five after twenty, twenty after one hundred."""
    return (0 < more < 10 and part >= 20 and part % 10 == 0 and part % 100 >= 20) or (
        0 < more < 100 and part >= 100 and part % 100 == 0
    )


class _Numeral:
    """One numeral while it is being said."""

    def __init__(self) -> None:
        self.total = Decimal(0)
        self.part: Decimal | None = None
        self.floor: Decimal | None = None
        self.decimals = ""
        self.sign = 1

    def take(self, token: Token, following: str, *, comma: bool, whole: bool) -> bool:
        """Add one token; False where the numeral is over."""
        text = token.text
        if text[0].isdigit() or text[0] in "-−":
            return self._digits(token, comma=comma, whole=whole)
        if text in CARDINALS:
            return self._cardinal(CARDINALS[text])
        if text in _SPOKEN_SCALES:
            return self._scale(Decimal(10) ** _SCALES[text])
        if text in _MANY:
            return self._many(_MANY[text])
        match text:
            case "a" | "an":
                return self.part is None and following in {*_MANY, *_SPOKEN_SCALES, "couple"} and self._set(Decimal(1))
            case "half" | "quarter":
                return self._fraction(Decimal("0.5") if text == "half" else Decimal("0.25"), following)
            case "couple":
                return (self.part in (None, 1)) and self._set(Decimal(2))
            case "minus":
                self.sign = -1
                return self.part is None and self.floor is None
            case "point":
                self.decimals = "."
                return self.part is not None and following in CARDINALS
            case _:
                return False

    def _set(self, value: Decimal) -> bool:
        self.part = value
        return True

    def _digits(self, token: Token, *, comma: bool, whole: bool) -> bool:
        value = digits(token.text, comma=comma, whole=whole and not token.scale)
        if value is None or self.part is not None or self.floor is not None:
            return False
        return self._set(value * Decimal(10) ** _SCALES.get(token.scale, 0))

    def _cardinal(self, value: int) -> bool:
        if self.decimals:
            if value > 9 or len(self.decimals) > 12:
                return False
            self.decimals += str(value)
            return True
        if self.part is None:
            return self._set(Decimal(value))
        return _fits(self.part, value) and self._set(self.part + value)

    def _scale(self, scale: Decimal) -> bool:
        if self.floor is not None and scale >= self.floor:
            return False
        self.total += self._pending(1) * scale
        self.part, self.floor, self.decimals = None, scale, ""
        return True

    def _many(self, times: int) -> bool:
        return self._pending(1) < 100 and self._set(self._pending(1) * times)

    def _fraction(self, value: Decimal, following: str) -> bool:
        if self.part is None:
            return self._set(value) if self.floor is None else False
        return self._set(value if self.part == 1 and following == "a" else self.part + value)

    def _pending(self, default: int) -> Decimal:
        part = Decimal(default) if self.part is None else self.part
        return part + Decimal("0" + self.decimals) if len(self.decimals) > 1 else part

    @property
    def value(self) -> Decimal | None:
        """What has been said, or None where that is nothing yet."""
        if self.part is None and self.floor is None:
            return None
        return self.sign * (self.total + (self._pending(0) if self.part is not None else 0))


_JOINTS = frozenset(("and", "a", "an", "of"))


def numeral(said: list[Token], at: int, words: str, *, comma: bool, whole: bool) -> tuple[Decimal | None, int]:
    """The numeral that begins at token `at`, and the token after it (`at` where none begins)."""
    grown, end, i = _Numeral(), at, at
    while i < len(said):
        if i > at and not _GAP.fullmatch(words, said[i - 1].end, said[i].start):
            break
        token, following = said[i], said[i + 1].text if i + 1 < len(said) else ""
        if i > at and token.text in _JOINTS:
            if not _joins(grown, token.text, said[i + 1 :]):
                break
        elif grown.take(token, following, comma=comma, whole=whole):
            end = i + 1
        else:
            break
        i += 1
    return grown.value, end


def _joins(grown: _Numeral, joint: str, after: list[Token]) -> bool:
    """Whether a joint leads on: a hundred *and* five, two *and a* half, half *a* million, a couple *of* hundred."""
    following = [token.text for token in after[:2]]
    if not following:
        return False
    if joint == "and":
        if following[0] in ("half", "a"):
            return grown.part is not None and "half" in following
        part = grown.part
        return following[0] in CARDINALS and (part is None or (part >= 100 and part % 100 == 0))
    return following[0] in _MANY or following[0] in _SPOKEN_SCALES or (joint != "of" and following[0] == "half")


def number(value: Decimal) -> int | float:
    """A whole number as int, another as float."""
    return int(value) if value == value.to_integral_value() else float(value)
