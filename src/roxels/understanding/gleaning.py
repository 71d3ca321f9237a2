"""Several fields in one sentence: "We are 12 people at Acme, write to ada@example.com".

Only what can be told apart is taken: an exact value where one field, and one only, can hold it, or which stands beside
the field's own name; a free string only behind its label ("my company is Acme"). No stretch of words serves twice.
"""

import re
from collections.abc import Iterator, Sequence

from roxels.domain.fields import Field
from roxels.understanding import choices, numbers
from roxels.understanding.faults import fault
from roxels.understanding.labels import called, tokens
from roxels.understanding.reader import LONGEST, reader_of
from roxels.understanding.readings import Moment, Understood
from roxels.understanding.settling import settle, standing

#: Formats whose values look like nothing else.
_EXACT = frozenset(("email", "phone", "tel", "uri", "url", "date", "date-time"))
#: How far from a number a word of its question may stand, in code points.
_BESIDE = 24

_LABELLED = re.compile(
    r"(?:\b(?:my|our|the)\s+|(?:^|[\n;,.]\s*))(?P<label>[^\W\d_][\w '-]{0,40}?)\s*"
    r"(?::|=|\b(?:is\s+called|are\s+called|is\s+named|is|are))\s+"
    r"(?P<value>\S.*?)(?=\s*(?:[\n;!?]|[,.](?:\s|$)|$|\s(?:and|but)\s+(?:my|our|the|i|we|i['’]m|we['’]re)\b))",
    re.IGNORECASE,
)


def glean(fields: Sequence[Field], words: str, moment: Moment) -> dict[str, Understood]:
    """The values in `words` that can be told apart with confidence, by the names of their fields."""
    text = words[:LONGEST]
    taken: dict[str, Understood] = {}
    for name, one in (*_labelled(fields, text, moment), *_exact(fields, text, moment), *_beside(fields, text, moment)):
        overlaps = any(one.span[0] < other.span[1] and other.span[0] < one.span[1] for other in taken.values())
        if name not in taken and not overlaps:
            taken[name] = one
    return taken


def _labelled(fields: Sequence[Field], words: str, moment: Moment) -> Iterator[tuple[str, Understood]]:
    """my company is Acme; budget: 5k"""
    for match in _LABELLED.finditer(words):
        meant = called(fields, match["label"])
        if len(meant) != 1:
            continue
        field, start = meant[0], match.start("value")
        if field.is_free:
            one = Understood(match["value"], match.span("value"))
            if fault(field, one.value) is None:
                yield field.name, one
        elif found := _read(field, match["value"], moment):
            yield field.name, Understood(found.value, (start + found.span[0], start + found.span[1]), found.sure)


def _exact(fields: Sequence[Field], words: str, moment: Moment) -> Iterator[tuple[str, Understood]]:
    """An e-mail address where one field asks for one; a choice that one field offers."""
    for field in fields:
        rivals = [other for other in fields if other is not field]
        if field.type == "string" and field.enum is None and field.format in _EXACT:
            alone = all(reader_of(other) is not reader_of(field) for other in rivals)
        elif field.enum is not None:
            offered = {choices.name(option) for other in rivals for option in other.enum or ()}
            one = settle(words, choices.find(field.enum, words))
            alone = one is not None and _is_telling(choices.name(one.value)) and choices.name(one.value) not in offered
        else:
            continue
        found = _read(field, words, moment) if alone else None
        if found and found.sure and not (field.format in ("uri", "url") and not _is_clear_link(words, found)):
            yield field.name, found


def _is_telling(name: str) -> bool:
    """Long enough, and no word that stands in any sentence."""
    return len(name) >= 3 and not name.isdigit() and bool(tokens(name)) and name not in ("yes", "not", "other", "none")


def _is_clear_link(words: str, found: Understood) -> bool:
    """Node.js is no web address, www.example.com is."""
    return re.match(r"www\.|[a-z][a-z0-9+.-]*://", words[slice(*found.span)], re.IGNORECASE) is not None


def _beside(fields: Sequence[Field], words: str, moment: Moment) -> Iterator[tuple[str, Understood]]:
    """A number beside a word of its field's question: 12 people. The nearest find each other first."""
    pairs = sorted(
        (
            (distance, at, one, field)
            for at, field in enumerate(fields)
            if field.type in ("number", "integer") and field.enum is None
            for one in _exact_numbers(field, words, moment)
            for distance in _distances(field, fields, words, one)
        ),
        key=lambda pair: pair[:2],
    )
    given: set[str] = set()
    spent: set[tuple[int, int]] = set()
    for _, _, one, field in pairs:
        if field.name not in given and one.span not in spent:
            given.add(field.name)
            spent.add(one.span)
            if fault(field, one.value) is None:
                yield field.name, one


def _exact_numbers(field: Field, words: str, moment: Moment) -> list[Understood]:
    found = numbers.find(words, moment.locale, whole=field.type == "integer")
    return standing(words, numbers.unbounded(words, found))


def _distances(field: Field, fields: Sequence[Field], words: str, one: Understood) -> Iterator[int]:
    """How far from the number each word stands that names this field and no other number."""
    rivals = [other for other in fields if other is not field and other.type in ("number", "integer")]
    telling = _naming(field).difference(*map(_naming, rivals))
    start, end = one.span
    for match in re.finditer(r"[^\W\d_]+", words):
        distance = max(start - match.end(), match.start() - end)
        if 0 <= distance <= _BESIDE and telling & tokens(match[0]):
            yield distance


def _naming(field: Field) -> frozenset[str]:
    return tokens(field.name) | tokens(field.description)


def _read(field: Field, words: str, moment: Moment) -> Understood | None:
    reading = reader_of(field)(field, words, moment)
    return reading if isinstance(reading, Understood) and fault(field, reading.value) is None else None
