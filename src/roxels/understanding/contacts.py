"""E-mail addresses, phone numbers and web addresses, written or spelt out loud.

Own patterns find where one may stand; the libraries judge whether it is one (`lazy`). Nothing is looked up.
"""

import re
from collections.abc import Iterator
from typing import Any

from roxels.understanding.lazy import library
from roxels.understanding.locales import region
from roxels.understanding.numerals import CARDINALS
from roxels.understanding.readings import Understood

_AT = r"(?:\s*@\s*|\s*[(\[]\s*at\s*[)\]]\s*|\s+at\s+)"
_DOT = r"(?:\.|\s*[(\[]\s*dot\s*[)\]]\s*|\s+dot\s+)"
_SIGN = r"(?:\s+(?:underscore|dash|hyphen|plus)\s+)"
_ATOM = r"[\w!#$%&*+/=?^`{|}~-]+"
_EMAIL = re.compile(
    rf"(?<![\w.@])(?P<local>{_ATOM}(?:(?:\.+|{_DOT}|{_SIGN}){_ATOM}){{0,6}}){_AT}(?P<host>[\w-]+(?:{_DOT}[\w-]+){{1,6}})",
    re.IGNORECASE,
)
#: How signs are said. Applied to what the patterns above have found.
_SPELT = (
    (re.compile(rf"{_DOT}", re.IGNORECASE), "."),
    (re.compile(r"\s+underscore\s+", re.IGNORECASE), "_"),
    (re.compile(r"\s+(?:dash|hyphen)\s+", re.IGNORECASE), "-"),
    (re.compile(r"\s+plus\s+", re.IGNORECASE), "+"),
)
_LOCAL_LEAD = re.compile(r"^(?:mailto:)", re.IGNORECASE)

_DIGIT = {word: str(n) for word, n in CARDINALS.items() if n < 10} | {"oh": "0", "o": "0"}
_SAID_DIGIT = rf"(?:(?:double|triple)\s+)?(?:{'|'.join(_DIGIT)}|\d)"
_SAID_PHONE = re.compile(rf"\b(?:plus\s+)?{_SAID_DIGIT}(?:[\s,-]+{_SAID_DIGIT}){{6,17}}\b", re.IGNORECASE)
_OUTSIDE = re.compile(r"(?<!\d)00(?=\s?[1-9])")

_URI = re.compile(r"\b[a-z][a-z0-9+.-]{1,20}://[^\s<>\"']+", re.IGNORECASE)
_BARE = re.compile(
    r"(?<![\w@./:-])(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,5}[a-z]{2,24}(?![\w@-])(?::\d{2,5})?(?:/[^\s<>\"']*)?",
    re.IGNORECASE,
)
_SAID_URI = re.compile(r"(?<![\w@.])[a-z0-9-]+(?:\s+dot\s+[a-z0-9-]+){1,5}(?!\s+at\b|\s*@|\w)", re.IGNORECASE)


def address(text: str) -> str | None:
    """The e-mail address with its domain in plain form, or None where it is none."""
    judge = library("email_validator")
    try:
        checked = judge.validate_email(text, check_deliverability=False, test_environment=True)
    except judge.EmailNotValidError:
        return None
    return str(checked.normalized)


def emails(words: str) -> list[Understood]:
    """Every e-mail address, written or spelt: "ada at example dot com"."""
    found = []
    for match in _EMAIL.finditer(words):
        local, host = match["local"], match["host"]
        for pattern, sign in _SPELT:
            local, host = pattern.sub(sign, local), pattern.sub(sign, host)
        if checked := address(f"{_LOCAL_LEAD.sub('', local)}@{host}"):
            found.append(Understood(checked, match.span()))
    return found


def phones(words: str, locale: str) -> list[Understood]:
    """Every phone number in E.164; one that is only possible, not known to be given out, is unsure."""
    return list(_phones(words, locale))


def _phones(words: str, locale: str) -> Iterator[Understood]:
    telephony, home = library("phonenumbers"), region(locale)
    text = _OUTSIDE.sub(" +", words)
    for leniency in (telephony.Leniency.VALID, telephony.Leniency.POSSIBLE):
        matches = list(telephony.PhoneNumberMatcher(text, home, leniency=leniency))
        for match in matches:
            if _is_whole(telephony, match.number):
                sure = leniency == telephony.Leniency.VALID
                yield Understood(_e164(telephony, match.number), (match.start, match.end), sure)
        if matches:
            return
    for said in _SAID_PHONE.finditer(words):
        try:
            number = telephony.parse(_spoken_digits(said[0]), home)
        except telephony.NumberParseException:
            continue
        if _is_whole(telephony, number):
            yield Understood(_e164(telephony, number), said.span())


def _spoken_digits(said: str) -> str:
    digits, times = "", 1
    for word in re.findall(r"[a-z]+|\d", said.lower()):
        match word:
            case "plus":
                digits = "+"
            case "double" | "triple":
                times = 2 if word == "double" else 3
            case _:
                digits, times = digits + _DIGIT.get(word, word) * times, 1
    return digits


def _is_whole(telephony: Any, number: Any) -> bool:
    """Possible, and not only within one town."""
    return bool(telephony.is_possible_number_with_reason(number) == telephony.ValidationResult.IS_POSSIBLE)


def _e164(telephony: Any, number: Any) -> str:
    return str(telephony.format_number(number, telephony.PhoneNumberFormat.E164))


def is_phone(text: str) -> bool:
    """Whether the text is a phone number in E.164."""
    telephony = library("phonenumbers")
    if not re.fullmatch(r"\+[1-9]\d{6,14}", text, re.ASCII):
        return False
    try:
        return _is_whole(telephony, telephony.parse(text))
    except telephony.NumberParseException:
        return False


def uris(words: str, *, bare: bool = True) -> list[Understood]:
    """Every web address. `bare`: "example.com" and "example dot com" count too, and are taken as https."""
    found = [_trimmed(match) for match in _URI.finditer(words)]
    if found or not bare:
        return found
    found = [_trimmed(match, "https://") for match in _BARE.finditer(words)]
    if found:
        return found
    return [
        Understood("https://" + re.sub(r"\s+dot\s+", ".", match[0], flags=re.IGNORECASE), match.span())
        for match in _SAID_URI.finditer(words)
    ]


def _trimmed(match: re.Match[str], scheme: str = "") -> Understood:
    """Without the punctuation of the sentence around it; a closing bracket stays where it was opened inside."""
    text = match[0].rstrip(".,;:!?")
    while text.endswith(")") and text.count(")") > text.count("("):
        text = text[:-1].rstrip(".,;:!?")
    return Understood(scheme + text, (match.start(), match.start() + len(text)))
