"""Days, as people name them, seen from the day it is where they are.

`_RULES` is read from the top; a stretch of words belongs to the first rule that reads it. A rule answers None for a day
that does not exist (31 February). Weeks begin on Monday (ISO 8601).

    Friday, this Friday   the next one that comes, never today
    next Friday           that of next week; unsure where one still comes this week
    3rd of March          without a year the next one; the last one, where the field asks about the past
    03/04/2027            in the order of the locale
"""

import calendar
import re
from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta

import msgspec

from roxels.understanding.lazy import library
from roxels.understanding.locales import language, month_first, names_region
from roxels.understanding.numbers import find as find_numbers
from roxels.understanding.numerals import CARDINALS, ORDINALS
from roxels.understanding.readings import Moment, Understood

_MONTHS = {name.lower(): n for n, name in enumerate(calendar.month_name) if n} | {
    **{name.lower(): n for n, name in enumerate(calendar.month_abbr) if n},
    "sept": 9,
}
_DAYS = {name.lower(): n for n, name in enumerate(calendar.day_name)} | {
    "mon": 0, "tue": 1, "tues": 1, "wed": 2, "thu": 3, "thur": 3, "thurs": 3, "fri": 4,
}  # fmt: skip
_NEAR = {
    "day before yesterday": -2, "yesterday": -1, "today": 0, "tonight": 0, "tomorrow": 1, "day after tomorrow": 2,
}  # fmt: skip
_NAMED = {
    "new year's day": (1, 1), "valentine's day": (2, 14), "halloween": (10, 31), "christmas eve": (12, 24),
    "christmas day": (12, 25), "christmas": (12, 25), "new year's eve": (12, 31),
}  # fmt: skip


def _any(words: Iterable[str]) -> str:
    """A pattern for any of the words, the longest first."""
    listed = "|".join(sorted(words, key=len, reverse=True))
    return listed.replace(" ", r"\s+").replace("-", "[- ]").replace("'", "['’]")


def _key(said: str) -> str:
    """What was said, as it stands in the tables."""
    return re.sub(r"\s+", " ", said.lower().replace("’", "'"))


_MONTH = rf"(?P<month>{_any(_MONTHS)})\b\.?"
_DAY = rf"(?:(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?![\d:])|(?P<nth>{_any(ORDINALS)}))"
_YEAR = r"(?:,?\s+(?P<year>\d{4})(?!\d))?"
_ON = rf"(?:(?:{_any(_DAYS)})\b\.?,?\s+(?:the\s+)?)?"
_COUNT = rf"(?P<count>\d{{1,4}}|an?(?:\s+couple\s+of)?|(?:{_any(CARDINALS)})(?:[ -](?:{_any(CARDINALS)}))?)"
_UNIT = r"(?P<unit>day|week|fortnight|month|year)s?"
_PAST = re.compile(r"\b(?:did|was|were|since|born|birth|birthday|founded|started|began|happened|last)\b", re.IGNORECASE)


class _Here(msgspec.Struct, frozen=True):
    """What the words are seen from."""

    today: date
    locale: str
    past: bool

    def next(self, month: int, day: int) -> date | None:
        """The next (or last) day of that name, today included; 29 February waits for its year."""
        step = -1 if self.past else 1
        for year in range(self.today.year, self.today.year + 9 * step, step):
            found = _day(year, month, day)
            if found and (found <= self.today if self.past else found >= self.today):
                return found
        return None


Reader = Callable[[re.Match[str], _Here], date | None]


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _later(start: date, count: int, unit: str) -> date | None:
    """`count` units after `start`; the 31st becomes the last day of a shorter month."""
    try:
        if unit in ("day", "week", "fortnight"):
            return start + timedelta(days=count * {"day": 1, "week": 7, "fortnight": 14}[unit])
        months = start.year * 12 + start.month - 1 + count * (12 if unit == "year" else 1)
        year, month = months // 12, months % 12 + 1
        return date(year, month, min(start.day, calendar.monthrange(year, month)[1]))
    except (ValueError, OverflowError):
        return None


def _iso(match: re.Match[str], _: _Here) -> date | None:
    return _day(int(match[1]), int(match[2]), int(match[3]))


def _numeric(match: re.Match[str], here: _Here) -> date | None:
    first, second = int(match["first"]), int(match["second"])
    swap = second > 12 or (month_first(here.locale) and match["sign"] != "." and first <= 12)
    day, month = (second, first) if swap else (first, second)
    century = 2000 if len(match["year"]) == 2 else 0
    return _day(century + int(match["year"]), month, day) if match["year"] else here.next(month, day)


def _of_month(match: re.Match[str], here: _Here) -> date | None:
    month, day = _MONTHS[match["month"].lower()], _number(match)
    return _day(int(match["year"]), month, day) if match["year"] else here.next(month, day)


def _number(match: re.Match[str]) -> int:
    return int(match["day"]) if match["day"] else ORDINALS[match["nth"].lower().replace(" ", "-")]


def _nth(match: re.Match[str], here: _Here) -> date | None:
    """The 15th: of this month or the next that has it."""
    day, step = _number(match), -1 if here.past else 1
    which = "next" if re.search(r"\bnext\s+month\b", match.string, re.IGNORECASE) else match["which"].lower()
    months = {"this": (0,), "next": (1,)}.get(which, tuple(step * n for n in range(3)))
    for count in months:
        first = _later(here.today.replace(day=1), count, "month")
        found = _day(first.year, first.month, day) if first else None
        if found and (which in ("this", "next") or (found <= here.today if here.past else found >= here.today)):
            return found
    return None


def _edge(match: re.Match[str], here: _Here) -> date | None:
    """The first or last day of a week, month, quarter or year."""
    last, what = match["edge"].lower().startswith(("end", "last")), match["what"].lower()
    ahead = 1 if (match["which"] or "").lower() == "next" else 0
    today = here.today
    if what == "week":
        return today + timedelta(days=7 * ahead + (6 if last else 0) - today.weekday())
    if what == "year":
        return _day(today.year + ahead, 12 if last else 1, 31 if last else 1)
    if what == "month":
        first = _later(today.replace(day=1), ahead, "month")
        return first and (first.replace(day=calendar.monthrange(first.year, first.month)[1]) if last else first)
    month = _MONTHS.get(what.rstrip(".")) or int(what[1]) * 3 - (0 if last else 2)
    year = today.year + (month < today.month)
    return here.next(month, calendar.monthrange(year, month)[1] if last else 1)


def _near(match: re.Match[str], here: _Here) -> date | None:
    return here.today + timedelta(days=_NEAR[_key(match["near"])])


def _named(match: re.Match[str], here: _Here) -> date | None:
    return here.next(*_NAMED[_key(match["name"])])


def _away(match: re.Match[str], here: _Here) -> date | None:
    """In three days, three days ago, three days from Monday."""
    said = match["count"].lower()
    count = 1 if said in ("a", "an") else int(find_numbers(said)[0].value)
    start = here.today
    if match["base"]:
        bases = _english(match["base"], here)
        start = bases[0].value if bases and bases[0].value else start
    return _later(start, -count if match["ago"] else count, match["unit"].lower())


def _weekday(match: re.Match[str], here: _Here) -> date | None:
    which, wanted, today = _key(match["which"] or ""), _DAYS[_key(match["weekday"])], here.today
    if re.search(r"\bnext\s+week\b", match.string, re.IGNORECASE):
        which = "next"
    coming = today + timedelta(days=(wanted - today.weekday() - 1) % 7 + 1)
    if which == "last" or (here.past and which not in ("next", "this", "coming")):
        return today - timedelta(days=(today.weekday() - wanted - 1) % 7 + 1)
    if which == "next":
        return today + timedelta(days=7 - today.weekday() + wanted)
    return coming


def _nth_weekday(match: re.Match[str], here: _Here) -> date | None:
    """The first Monday in June."""
    month, wanted, said = _MONTHS[match["month"].lower()], _DAYS[match["weekday"].lower()], match["which"].lower()
    for year in [int(match["year"])] if match["year"] else [here.today.year, here.today.year + 1]:
        weeks = [week[wanted] for week in calendar.monthcalendar(max(year, 1), month) if week[wanted]]
        found = date(max(year, 1), month, weeks[-1 if said == "last" else ORDINALS[said] - 1])
        if match["year"] or found >= here.today:
            return found
    return None


_BASE = rf"(?:now|today|tomorrow|(?:next\s+)?(?:{_any(_DAYS)}))"
_RULES: tuple[tuple[re.Pattern[str], Reader], ...] = tuple(
    (re.compile(rf"(?<!\w)(?:{pattern})(?!\w)", re.IGNORECASE), reader)
    for pattern, reader in (
        (r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})", _iso),
        (rf"{_ON}(?P<first>\d{{1,2}})(?P<sign>[./-])(?P<second>\d{{1,2}})(?P=sign)(?P<year>\d{{4}}|\d{{2}})", _numeric),
        (rf"{_COUNT}\s+{_UNIT}\s+(?P<ago>ago)(?P<base>)", _away),
        (rf"{_COUNT}\s+{_UNIT}\s+(?:from|after|on)\s+(?P<base>{_BASE})(?P<ago>)", _away),
        (rf"in\s+{_COUNT}\s+{_UNIT}(?:['’]s?)?(?:\s+time)?(?P<base>)(?P<ago>)", _away),
        (
            rf"(?P<edge>beginning|start|end|first\s+day|last\s+day)\s+of\s+(?:(?P<which>the|this|next)\s+)?"
            rf"(?P<what>week|month|year|q[1-4]|(?:{_any(_MONTHS)})\b\.?)",
            _edge,
        ),
        (
            rf"(?P<which>first|second|third|fourth|last)\s+(?P<weekday>{_any(_DAYS)})\s+(?:in|of)\s+{_MONTH}{_YEAR}",
            _nth_weekday,
        ),
        (rf"{_DAY}(?=\s*(?:-|–|and|or|to)\s*(?:the\s+)?\w+\s+(?:of\s+)?{_MONTH}{_YEAR})", _of_month),
        (rf"{_ON}{_DAY}\s+(?:of\s+)?{_MONTH}{_YEAR}", _of_month),
        (rf"{_ON}{_MONTH}\s+(?:the\s+)?{_DAY}{_YEAR}", _of_month),
        (rf"(?:the\s+)?(?P<near>{_any(_NEAR)})", _near),
        (rf"(?P<name>{_any(_NAMED)})", _named),
        (rf"(?:(?P<which>this|next|last|coming)\s+)?(?P<weekday>{_any(_DAYS)})", _weekday),
        (rf"{_DAY}\s+of\s+(?P<which>the|this|next)\s+month", _nth),
        (rf"{_ON}the\s+{_DAY}(?!\s+(?:one|option|\w+day\b))(?P<which>)", _nth),
        (r"(?P<day>\d{1,2})(?:st|nd|rd|th)(?P<which>)", _nth),
        (r"(?P<first>\d{1,2})(?P<sign>/)(?P<second>\d{1,2})(?P<year>)", _numeric),
        (r"(?P<first>\d{1,2})(?P<sign>\.)(?P<second>\d{1,2})\.(?P<year>)", _numeric),
    )
)


def _english(words: str, here: _Here) -> list[Understood]:
    """Every day named in English or in figures; the value of one that does not exist is None."""
    found: list[Understood] = []
    for pattern, reader in _RULES:
        for match in pattern.finditer(words):
            if not any(match.start() < one.span[1] and one.span[0] < match.end() for one in found):
                found.append(Understood(reader(match, here), match.span(), _is_sure(match, here)))
    return sorted(found, key=lambda one: one.span)


def _is_sure(match: re.Match[str], here: _Here) -> bool:
    said = match.groupdict()
    if said.get("first"):
        figures = {int(said["first"]), int(said["second"])}
        return names_region(here.locale) or said["sign"] == "." or max(figures) > 12 or len(figures) == 1
    if said.get("weekday") and (said["which"] or "").lower() == "next":
        return _DAYS[said["weekday"].lower()] <= here.today.weekday()
    return True


#: Where a day may stand in a language that is not English: figures and a word, "in zwei Wochen", or one word alone.
_FOREIGN = (
    re.compile(r"\d{1,2}\.?\s+(?:de\s+|di\s+)?[^\W\d_]{3,}\.?(?:\s+(?:de\s+)?\d{4})?"),
    re.compile(r"\b(?:in|vor|dans|en|hace|tra|fra|over|om|em|há)\s+\w+\s+[^\W\d_]{3,}", re.IGNORECASE),
    re.compile(r"[^\W\d_]{4,}"),
)


def _foreign(words: str, here: _Here) -> list[Understood]:
    """Days in the person's own language; only stretches that look like one are read."""
    if language(here.locale) == "en":
        return []
    settings = {
        "RELATIVE_BASE": datetime.combine(here.today, time(12)),
        "PREFER_DATES_FROM": "past" if here.past else "future",
        "REQUIRE_PARTS": ["day", "month"],
    }
    for pattern in _FOREIGN:
        found = []
        for match in list(pattern.finditer(words))[:12]:
            try:
                read = library("dateparser").parse(match[0], languages=[language(here.locale)], settings=settings)
            except (ValueError, OverflowError):
                read = None
            if read:
                found.append(Understood(read.date(), match.span()))
        if found:
            return found
    return []


def days(words: str, moment: Moment, question: str = "") -> list[Understood]:
    """Every day that the words name, as `datetime.date`; the value of one that does not exist is None.

    `question`: what was asked; where it asks about the past, a day without a year lies behind.
    """
    here = _Here(moment.here.date(), moment.locale, _PAST.search(question) is not None)
    return _english(words, here) or _foreign(words, here)
