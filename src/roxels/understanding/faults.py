"""What is wrong with a ready value: one sentence that says what does not fit and what to do, or None.

The rules are JSON Schema's (draft 2020-12): a whole number may be written 2.0, true is no number, an unknown format
says nothing. The sentence never repeats the value, which may be private.
"""

import math
import re
from collections.abc import Callable
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from roxels.domain.fields import Field
from roxels.understanding.contacts import address, is_phone

#: The largest whole number that every JSON reader keeps exactly.
LARGEST = 2**53 - 1

_TIME = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_STAMP = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?(?:Z|[+-]\d{2}:\d{2})", re.ASCII)


def _reads(read: Callable[[str], object], text: str) -> bool:
    try:
        read(text)
    except ValueError:
        return False
    return True


def _is_date(text: str) -> bool:
    return _DATE.fullmatch(text) is not None and _reads(date.fromisoformat, text)


def _is_stamp(text: str) -> bool:
    return _STAMP.fullmatch(text) is not None and _reads(datetime.fromisoformat, text)


def _is_time(text: str) -> bool:
    return _TIME.fullmatch(text) is not None


def _is_uri(text: str) -> bool:
    if re.search(r"\s", text) or not _reads(urlsplit, text):
        return False
    parts = urlsplit(text)
    return bool(parts.scheme and (parts.netloc or parts.path))


def _is_address(text: str) -> bool:
    return address(text) is not None


#: format → (what counts, what to say when it does not)
FORMATS: dict[str, tuple[Callable[[str], bool], str]] = {
    "email": (_is_address, "This is not a complete e-mail address; I need one such as name@example.com."),
    "phone": (is_phone, "This is not a complete phone number; I need it with the country code, such as +14155550132."),
    "tel": (is_phone, "This is not a complete phone number; I need it with the country code, such as +14155550132."),
    "date": (_is_date, "This is not a day; I need one such as 2027-03-03."),
    "date-time": (_is_stamp, "This is not a moment; I need a day, a time and an offset, as 2027-03-03T09:30:00Z."),
    "time": (_is_time, "This is not a time of day; I need one such as 09:30."),
    "uri": (_is_uri, "This is not a web address; I need one such as https://example.com."),
    "url": (_is_uri, "This is not a web address; I need one such as https://example.com."),
}


@lru_cache(maxsize=256)
def compiled(pattern: str) -> re.Pattern[str] | None:
    """The pattern, or None where it is of a dialect that cannot be read here: then it says nothing."""
    try:
        return re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        return None


def fault(field: Field, value: Any) -> str | None:
    """What is wrong with `value` for `field`, in one sentence; None where it fits."""
    if field.enum is not None:
        if any(_same(choice, value) for choice in field.enum):
            return None
        return f"This is none of the choices; please take one of: {spoken(field.enum)}."
    return _KINDS[field.type](field, value)


def spoken(choices: tuple[Any, ...]) -> str:
    """The choices as they are listed in a sentence."""
    return ", ".join(str(choice) for choice in choices)


def _same(one: Any, other: Any) -> bool:
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _string(field: Field, value: Any) -> str | None:
    if not isinstance(value, str):
        return "This is not a text; please give it in words."
    if field.min_length is not None and len(value) < field.min_length:
        return f"This is too short; I need at least {_characters(field.min_length)}."
    if field.max_length is not None and len(value) > field.max_length:
        return f"This is too long; I can take at most {_characters(field.max_length)}."
    if field.pattern is not None and (pattern := compiled(field.pattern)) and not pattern.search(value):
        return "This does not have the form that is needed here; please check it for a missing or extra character."
    accepts, sentence = FORMATS.get(field.format or "", (None, ""))
    return sentence if accepts and not accepts(value) else None


def _characters(count: int) -> str:
    return "1 character" if count == 1 else f"{count} characters"


def _number(field: Field, value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "This is not a number; please give one in digits."
    if field.type == "integer" and isinstance(value, float) and not value.is_integer():
        return "I need a whole number, without a fraction."
    if not math.isfinite(value) or abs(value) > LARGEST:
        return "This number is too large to be kept exactly; please give a smaller one."
    if field.minimum is not None and value < field.minimum:
        return f"This is too little; it must be at least {_figure(field.minimum)}."
    if field.maximum is not None and value > field.maximum:
        return f"This is too much; it can be at most {_figure(field.maximum)}."
    return None


def _figure(limit: float) -> str:
    return str(int(limit)) if float(limit).is_integer() else str(limit)


def _boolean(_: Field, value: Any) -> str | None:
    return None if isinstance(value, bool) else "I need a yes or a no."


def _array(field: Field, value: Any) -> str | None:
    if not isinstance(value, list | tuple):
        return "This is not a list; please give the elements one after the other."
    for element in value:
        if field.items is not None and (found := fault(field.items, element)):
            return found
    return None


def _object(_: Field, value: Any) -> str | None:
    return None if isinstance(value, dict) else "This is not a group of values; please give each with its name."


_KINDS: dict[str, Callable[[Field, Any], str | None]] = {
    "string": _string,
    "number": _number,
    "integer": _number,
    "boolean": _boolean,
    "array": _array,
    "object": _object,
}
