"""Times of day, and moments: a day with a time.

    half past nine, 9:30, nine thirty      09:30
    3 pm, three in the afternoon           15:00
    half past three                        15:30, unsure: nobody calls at night

A moment is told with the offset that the person's time zone has on that day (RFC 3339).
"""

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta

from roxels.understanding.dates import days
from roxels.understanding.locales import language
from roxels.understanding.numbers import find as find_numbers
from roxels.understanding.numerals import CARDINALS
from roxels.understanding.phrases import before
from roxels.understanding.readings import Moment, Understood
from roxels.understanding.settling import affirmed, settle

_WORDS = "|".join(sorted(CARDINALS, key=len, reverse=True))
_HOUR = rf"(?P<hour>\d{{1,2}}|{'|'.join(word for word, n in CARDINALS.items() if 0 < n < 13)})"
_PART = r"(?:\s*(?P<part>[ap]\.?\s?m\b\.?|in\s+the\s+(?:morning|afternoon|evening)|at\s+night))"
#: "9 to 5" are office hours; without the word, only the usual steps are minutes.
_STEP = (
    rf"(?P<step>half|(?:a\s+)?quarter|(?:\d{{1,2}}|{_WORDS})(?:[- ](?:{_WORDS}))?\s+minutes?"
    r"|5|10|20|25|five|ten|twenty(?:[- ]five)?)"
)
_DAYTIME = re.compile(r"\b(?:morning|afternoon|evening|tonight)\b", re.IGNORECASE)
#: After six is no time.
_OPEN_ENDED = re.compile(r"\b(?:after|before|until|till|from|since)\s+$", re.IGNORECASE)
_LATE = re.compile(r"p|.*(?:afternoon|evening|night)", re.IGNORECASE)
_NAMED = {"noon": time(12), "midday": time(12), "midnight": time(0)}

#: The hours at which people do not call: said without a half of the day they are taken for the afternoon, unsurely.
_NIGHT = range(1, 7)


def _of(said: str) -> int:
    return int(said) if said.isdecimal() else int(find_numbers(said)[0].value)


def _clock(match: re.Match[str]) -> tuple[int, int]:
    return _of(match["hour"]), _of(match["minute"]) if match["minute"] else 0


def _past_or_to(match: re.Match[str]) -> tuple[int, int]:
    """Ten to nine; "10 to 20" is no time, which minute -1 says."""
    said = re.sub(r"^a\s+|\s+minutes?$", "", match["step"].lower())
    minutes = {"half": 30, "": 30, "quarter": 15}.get(said) or _of(said)
    hour = _of(match["hour"])
    if hour > 12:
        return hour, -1
    if match["way"].lower() in ("", "past", "after"):
        return hour, minutes
    return 12 if hour == 1 else (hour - 1) % 24, 60 - minutes


Reader = Callable[[re.Match[str]], tuple[int, int]]
_RULES: tuple[tuple[re.Pattern[str], Reader], ...] = tuple(
    (re.compile(rf"(?<![\w:.])(?:{pattern})(?![\w:])", re.IGNORECASE), reader)
    for pattern, reader in (
        (rf"(?P<hour>\d{{1,2}})[:.h](?P<minute>\d{{2}})(?::\d{{2}})?{_PART}?", _clock),
        (rf"{_STEP}\s+(?P<way>past|after|to|before|till)\s+{_HOUR}(?:\s+o['’]?clock)?{_PART}?", _past_or_to),
        (rf"half\s+{_HOUR}{_PART}?(?P<step>)(?P<way>)", _past_or_to),
        (rf"{_HOUR}[- ](?P<minute>(?:ten|fifteen|(?:twenty|thirty|forty|fifty)(?:[- ]five)?)){_PART}?", _clock),
        (rf"{_HOUR}(?:\s+o['’]?clock)?{_PART}(?P<minute>)", _clock),
        (rf"{_HOUR}(?:\s+o['’]?clock|\s*h|\s*uhr)(?P<minute>)(?P<part>)", _clock),
    )
)
_NAME = re.compile(rf"\b(?:{'|'.join(_NAMED)})\b", re.IGNORECASE)
_BARE = re.compile(rf"(?<![\w:.,/-]){_HOUR}(?P<minute>)(?P<part>)(?![\w:/%-])", re.IGNORECASE)
_BARE_AT = re.compile(
    rf"\b(?:at|around|about|by|um|à|or|and)\s+{_HOUR}(?P<minute>)(?P<part>)(?![\w:/%-])", re.IGNORECASE
)


def _understood(match: re.Match[str], reader: Reader, locale: str) -> Understood:
    hour, minute = reader(match)
    daytime = _DAYTIME.search(match.string)
    part, sure = match["part"] or (daytime and daytime[0]), True
    if part and hour <= 12:
        hour = hour % 12 + (12 if _LATE.match(part) else 0)
    elif not part and hour in _NIGHT and language(locale) == "en" and not match["hour"].startswith("0"):
        hour, sure = hour + 12, False
    value = time(hour, minute) if hour < 24 and 0 <= minute < 60 else None
    return Understood(value, match.span(), sure)


def find(words: str, locale: str, *, bare: re.Pattern[str] = _BARE) -> list[Understood]:
    """Every time of day as `datetime.time`; the value of one that does not exist (25:00) is None.

    `bare`: how a lone hour may stand where nothing clearer does.
    """
    found = [Understood(_NAMED[match[0].lower()], match.span()) for match in _NAME.finditer(words)]
    for pattern, reader in (*_RULES, (bare, _clock)):
        if pattern is bare and found:
            break
        for match in pattern.finditer(words):
            taken = any(match.start() < one.span[1] and one.span[0] < match.end() for one in found)
            if not taken and not before(_OPEN_ENDED, words, match.start()):
                found.append(_understood(match, reader, locale))
    return sorted(found, key=lambda one: one.span)


_STAMP = re.compile(
    r"(?<!\d)\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?\s?(?P<offset>[Zz]|[+-]\d{2}:\d{2})?(?![\d:])"
)
_AWAY = re.compile(
    rf"\bin\s+(?P<count>an?|half\s+an|\d{{1,3}}|{_WORDS})(?:\s+an)?\s+(?P<unit>minute|hour)s?\b", re.IGNORECASE
)


def moments(words: str, moment: Moment, question: str = "") -> list[Understood]:
    """Every moment in RFC 3339 with an offset; the value of one that does not exist is None."""
    stamps = [Understood(_stamp(match, moment), match.span()) for match in _STAMP.finditer(words)]
    if stamps:
        return stamps
    if away := _AWAY.search(words):
        return [Understood(_from_now(away, moment), away.span())]
    named = days(words, moment, question)
    day = settle(words, named)
    rest = words
    for one in named:
        start, end = one.span
        rest = rest[:start] + " " * (end - start) + rest[end:]
    hour = settle(rest, affirmed(words, find(rest, moment.locale, bare=_BARE_AT)))
    if day is None or hour is None:
        return []
    span = (min(day.span[0], hour.span[0]), max(day.span[1], hour.span[1]))
    if not isinstance(day.value, date) or not isinstance(hour.value, time):
        return [Understood(None, span)]
    return [Understood(_told(datetime.combine(day.value, hour.value, moment.zone)), span, day.sure and hour.sure)]


def _stamp(match: re.Match[str], moment: Moment) -> str | None:
    try:
        read = datetime.fromisoformat(re.sub(r"\s(?=[Zz+-])", "", match[0]).replace("z", "Z").replace("t", "T"))
    except ValueError:
        return None
    return _told(read if match["offset"] else read.replace(tzinfo=moment.zone))


def _from_now(match: re.Match[str], moment: Moment) -> str:
    said = match["count"].lower()
    count = 0.5 if said.startswith("half") else 1 if said in ("a", "an") else _of(said)
    later = moment.here + (timedelta(hours=count) if match["unit"].lower() == "hour" else timedelta(minutes=count))
    return _told(later.replace(second=0, microsecond=0))


def _told(when: datetime) -> str:
    return when.isoformat(timespec="seconds").replace("+00:00", "Z")
