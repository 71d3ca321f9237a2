"""Sample values for fields: one that fits each, always the same, and plainly no person's.

    field                    sample
    with choices             the first of them
    string                   `sample <name>`, as long as its bounds ask; by format: an address at example.com ...
    number, integer          the least allowed, else the greatest allowed, else 1
    boolean                  true
    array, object            one sample of its elements; nothing

A `pattern` is not read: nothing says which text it wants.
"""

import math
from collections.abc import Iterable
from typing import Any, assert_never

from roxels.domain.fields import Field

_BY_FORMAT = {
    "email": "sample@example.com",
    "phone": "+14155550132",
    "tel": "+14155550132",
    "date": "2027-03-03",
    "date-time": "2027-03-03T09:30:00Z",
    "time": "09:30",
    "uri": "https://example.com",
    "url": "https://example.com",
}


def samples(fields: Iterable[Field]) -> dict[str, Any]:
    """A sample for each of these fields, by name."""
    return {field.name: sample(field) for field in fields}


def sample(field: Field) -> Any:
    """A value that fits this field."""
    if field.enum:
        return field.enum[0]
    match field.type:
        case "string":
            return _BY_FORMAT.get(field.format or "") or _text(field)
        case "number" | "integer":
            return _number(field)
        case "boolean":
            return True
        case "array":
            return ["sample"] if field.items is None else [sample(field.items)]
        case "object":
            return {}
        case _:
            assert_never(field.type)


def _text(field: Field) -> str:
    text = f"sample {field.name}"
    return text.ljust(field.min_length or 0, ".")[: field.max_length]


def _number(field: Field) -> float | int:
    is_whole = field.type == "integer"
    if field.minimum is not None:
        return math.ceil(field.minimum) if is_whole else field.minimum
    if field.maximum is not None:
        return math.floor(field.maximum) if is_whole else field.maximum
    return 1
