"""Keep what a customer's server knows of a person."""

from typing import Any

import msgspec

from roxels.domain.errors import NotFound
from roxels.domain.ids import Ids
from roxels.domain.persons import Person
from roxels.storage import persons
from roxels.storage.transaction import Writing

#: A missing key leaves the value, None removes it. `metadata` and `org_context` go key by key.
Changes = dict[str, Any]


def upsert(tx: Writing, external_id: str | None, changes: Changes, ids: Ids) -> tuple[Person, bool]:
    """The person of this external_id with these changes, and whether she is new. Without an id always new."""
    blank = Person(
        id=ids.new("person"),
        external_id=external_id,
        name_source="server",
        first_seen_at=tx.now,
        last_seen_at=tx.now,
    )
    found, is_new = persons.create_or_find(tx, blank)
    person = changed(found, changes)
    persons.save(tx, person)
    return person, is_new


def patch(tx: Writing, person_id: str, changes: Changes) -> Person:
    """The person with these changes. Raises `NotFound`."""
    found = persons.get(tx, person_id)
    if found is None:
        raise NotFound
    person = changed(found, changes)
    persons.save(tx, person)
    return person


def changed(person: Person, changes: Changes) -> Person:
    """The person after these changes; a name that is given here is the server's."""
    values = dict(changes)
    for name in ("metadata", "org_context"):
        if name in values:
            values[name] = _merged(getattr(person, name), values[name])
    if "name" in values:
        values["name_source"] = "server"
    return msgspec.structs.replace(person, **values)


def _merged(kept: dict[str, Any], given: dict[str, Any] | None) -> dict[str, Any]:
    if given is None:
        return {}
    return {key: value for key, value in {**kept, **given}.items() if value is not None}
