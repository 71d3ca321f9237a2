"""From an answer to a value: `understand`.

A free string takes the whole message, unless that is a command, ends in a question mark, or is a listed refusal or
hesitation. Every other field has a reader that looks for its value inside the words; the first that holds decides:

    nothing said, or only time gained   Unclear
    a listed refusal                    Declined
    a value that fits                   Understood
    a value that does not fit           Unclear, with the fault as its hint
    no value, but declined              Declined
"""

import re
from collections.abc import Callable, Sequence
from datetime import date, time
from typing import Any

from roxels.domain.fields import Field
from roxels.understanding import choices, contacts, dates, lists, numbers, times, yesno
from roxels.understanding.commands import Answer, No, Yes, intent
from roxels.understanding.faults import compiled, fault, spoken
from roxels.understanding.phrases import declines, hesitation, refusal
from roxels.understanding.readings import Declined, Moment, Reading, Unclear, Understood
from roxels.understanding.settling import affirmed, settle

#: An exact value is looked for in this many code points; more is no answer to such a question.
LONGEST = 2000
#: A pattern is the customer's, the words are anyone's: short words keep a careless pattern quick.
LONGEST_FOR_PATTERN = 200

_NO_SUCH_DAY = "That day does not exist; please name another."


def understand(field: Field, words: str, moment: Moment) -> Reading:
    """What `words` mean as the answer to a question for exactly this field.

    Ask `intent` first: it knows all fields, and so which of them "change my … to …" names.
    """
    if not _answers_in_full(field, words):
        if hesitation(words) or not words.strip():
            return Unclear()
        if refusal(words):
            return Declined()
    reading = reader_of(field)(field, words if field.is_free else words[:LONGEST], moment)
    if isinstance(reading, Understood):
        wrong = fault(field, reading.value)
        return Unclear(wrong) if wrong else reading
    return Declined() if not field.is_free and declines(words) else reading


def _answers_in_full(field: Field, words: str) -> bool:
    """A choice may be called "Not sure", and "I'd rather not" answers a yes-or-no question."""
    if field.enum is not None:
        return choices.name(words) in {choices.name(option) for option in field.enum}
    return field.type == "boolean" and yesno.no(words)


Reader = Callable[[Field, str, Moment], Reading]


def reader_of(field: Field) -> Reader:
    """The one function that reads answers for such a field."""
    if field.enum is not None:
        return _choice
    if field.type == "string":
        return _FORMATS.get(field.format or "", _pattern if field.pattern else _free)
    return _TYPES[field.type]


def whole(words: str, value: Any) -> Understood:
    """The value of the message as a whole, but for the blanks at its ends."""
    start = len(words) - len(words.lstrip())
    return Understood(value, (start, start + len(words.strip())))


def _settled(words: str, found: Sequence[Understood], hint: str, missing: str = "") -> Reading:
    """The value that the person stands by; `missing` is said where it names what does not exist."""
    one = settle(words, found)
    if one is None:
        return Unclear(hint)
    if one.value is None:
        return Unclear(missing or hint)
    return one


def _free(field: Field, words: str, _: Moment) -> Reading:
    match intent(words, (field,)):
        case Answer() | Yes() | No():
            return whole(words, words.strip())
        case _:
            return Unclear()


def _pattern(field: Field, words: str, _: Moment) -> Reading:
    pattern = compiled(field.pattern or "")
    if pattern is None:
        return whole(words, words.strip())
    tokens = list(re.finditer(r"\w(?:\S*\w)?", words[:LONGEST_FOR_PATTERN]))
    spans = [(a.start(), b.end()) for width in range(3) for a, b in zip(tokens, tokens[width:], strict=False)]
    for change in (str, str.upper, str.lower):
        for span in (whole(words[:LONGEST_FOR_PATTERN], None).span, *spans):
            value = change(words[slice(*span)])
            if pattern.fullmatch(value) and affirmed(words, [Understood(value, span)]):
                return Understood(value, span)
    return Unclear("I could not find it in what you said; please give it exactly as it is written.")


def _number(field: Field, words: str, moment: Moment) -> Reading:
    hint = "I need a whole number." if field.type == "integer" else "I need one number."
    found = numbers.find(words, moment.locale, whole=field.type == "integer")
    exact = numbers.unbounded(words, found)
    if not found and (count := numbers.count(words)) is not None:
        return whole(words, count)
    return _settled(words, exact, hint if len(exact) == len(found) else "A rough number is enough.")


def _boolean(_: Field, words: str, __: Moment) -> Reading:
    answer = yesno.meant(words)
    return Unclear("I need a yes or a no.") if answer is None else whole(words, answer)


def _date(field: Field, words: str, moment: Moment) -> Reading:
    found = dates.days(words, moment, field.label)
    return _told(_settled(words, found, "I need a day, such as 3 March.", _NO_SUCH_DAY))


def _time(_: Field, words: str, moment: Moment) -> Reading:
    found = times.find(words, moment.locale)
    return _told(_settled(words, found, "I need a time, such as half past nine.", "That time does not exist."))


def _told(reading: Reading) -> Reading:
    """A day or a time in the form in which it is kept."""
    match reading:
        case Understood(value=time() as hour, span=span, sure=sure):
            return Understood(hour.strftime("%H:%M"), span, sure)
        case Understood(value=date() as day, span=span, sure=sure):
            return Understood(day.isoformat(), span, sure)
        case _:
            return reading


def _moment(field: Field, words: str, moment: Moment) -> Reading:
    hint = "I need a day and a time, such as Friday at 9:30."
    return _settled(words, times.moments(words, moment, field.label), hint, "That moment does not exist.")


def _email(_: Field, words: str, __: Moment) -> Reading:
    return _settled(words, contacts.emails(words), "I need a complete e-mail address, such as name@example.com.")


def _phone(_: Field, words: str, moment: Moment) -> Reading:
    hint = "I need the whole phone number, with its area or country code."
    return _settled(words, contacts.phones(words, moment.locale), hint)


def _uri(_: Field, words: str, __: Moment) -> Reading:
    return _settled(words, contacts.uris(words), "I need a web address, such as example.com.")


def _choice(field: Field, words: str, moment: Moment) -> Reading:
    options = field.enum or ()
    hint = f"Please take one of: {spoken(options)}."
    found = choices.find(options, words) or choices.places(options, words)
    if not found and any(isinstance(option, int | float) for option in options):
        found = numbers.find(words, moment.locale)
    found = found or choices.near(options, words)
    left = [option for option in options if option not in [one.value for one in found]]
    if found and len(left) == 1 and not affirmed(words, found):
        return Understood(left[0], whole(words, None).span, sure=False)
    return _settled(words, found, hint)


def _array(field: Field, words: str, moment: Moment) -> Reading:
    if lists.nothing(words):
        return whole(words, [])
    item = field.items or Field(name=field.name)
    if item.enum is not None:
        return _chosen(item.enum, words)
    if item.type in ("number", "integer"):
        found = affirmed(words, numbers.find(words, moment.locale, whole=item.type == "integer"))
        values = [one.value for one in found]
    elif item.is_free:
        values = list(lists.elements(words))
    else:
        readings = [reader_of(item)(item, element, moment) for element in lists.elements(words)]
        values = [reading.value for reading in readings if isinstance(reading, Understood)]
        values = values if len(values) == len(readings) else []
    return whole(words, values) if values else Unclear("Please give me the elements one after the other.")


def _chosen(options: tuple[Any, ...], words: str) -> Reading:
    """Some of the choices; "all except red" is the others."""
    found = choices.find(options, words) or choices.places(options, words)
    named = [one.value for one in found]
    found = [*found, *(one for one in choices.near(options, words) if one.value not in named)]
    kept = affirmed(words, found)
    if not kept and lists.everything(words):
        denied = [one.value for one in found]
        return whole(words, [option for option in options if option not in denied])
    values: list[Any] = []
    for one in kept:
        if one.value not in values:
            values.append(one.value)
    if not values:
        return Unclear(f"Please take any of: {spoken(options)}.")
    return Understood(values, whole(words, None).span, all(one.sure for one in kept))


def _object(_: Field, __: str, ___: Moment) -> Reading:
    return Unclear()


_FORMATS: dict[str, Reader] = {
    "email": _email,
    "phone": _phone,
    "tel": _phone,
    "date": _date,
    "date-time": _moment,
    "time": _time,
    "uri": _uri,
    "url": _uri,
}
_TYPES: dict[str, Reader] = {
    "number": _number,
    "integer": _number,
    "boolean": _boolean,
    "array": _array,
    "object": _object,
}
