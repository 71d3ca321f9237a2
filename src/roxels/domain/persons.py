"""Who somebody is: the customer's own string, and what it may not be.

An `external_id` is opaque: 1 to 255 Unicode code points, compared exactly, never trimmed or normalised. What is refused
are the accidents of code that lost the value (`undefined`, `null` ...): they would melt strangers into one person.
"""

from datetime import datetime
from typing import Any, Literal

import msgspec

from roxels.domain import texts
from roxels.domain.errors import Invalid

#: Strings that programs print when they have no value; refused in any case of letters.
ACCIDENTS = frozenset({"undefined", "null", "none", "nil", "nan", "true", "false", "[object object]"})
MAX_CODE_POINTS = 255
MAX_NAME = 255

#: Who gave a name: a browser's never overwrites a server's.
Source = Literal["server", "browser"]


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """A participant. `external_id` is None for an anonymous one."""

    id: str
    external_id: str | None
    name: str | None = None
    name_source: Source = "browser"
    email: str | None = None
    phone: str | None = None
    metadata: dict[str, Any] = {}
    org_context: dict[str, Any] = {}
    first_seen_at: datetime
    last_seen_at: datetime
    conversation_count: int = 0


def external_id(value: object, field: str = "external_id") -> str | None:
    """Check a customer's id for a person; None means that nobody was named.

    Raises `Invalid` naming the field and the way out. The value itself never stands in the message.
    """
    if value is None:
        return None
    if not isinstance(value, str):
        raise Invalid(f'`{field}` must be a string; send a number as a string, e.g. "42".', field=field)
    if not value.strip():
        raise Invalid(f"`{field}` is blank; leave it out when nobody is signed in.", field=field)
    if value.strip().lower() in ACCIDENTS:
        raise Invalid(
            f"`{field}` looks like a value that got lost in code (undefined, null, none ...) and would merge strangers "
            "into one person; send the real id, or use a prefix, e.g. `dev:none`.",
            field=field,
        )
    if len(value) > MAX_CODE_POINTS:
        raise Invalid(f"`{field}` is longer than {MAX_CODE_POINTS} characters; send a shorter stable id.", field=field)
    texts.check(value, f"`{field}`", field)
    return value


def person_name(value: object, field: str = "name") -> str | None:
    """Check a display name; blank counts as none. Raises `Invalid`."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise Invalid(f"`{field}` must be a string.", field=field)
    texts.check(value, f"`{field}`", field)
    if len(value) > MAX_NAME:
        raise Invalid(f"`{field}` is longer than {MAX_NAME} characters.", field=field)
    return value.strip() or None


def renamed(person: Person, name: str | None, source: Source) -> Person:
    """The person under a newly given name: the latest wins, except that a browser's never replaces a server's."""
    if name is None or (source == "browser" and person.name is not None and person.name_source == "server"):
        return person
    return msgspec.structs.replace(person, name=name, name_source=source)
