"""Persons: rows, unique by (environment, external_id). One that is being erased is nobody's, and found by no query but
those for many ids at once, which rows of hers may still name."""

from collections.abc import Collection
from typing import Any

import msgspec
from sqlalchemy import select, update

from roxels.domain.errors import Conflict
from roxels.domain.ids import Ids
from roxels.domain.persons import Person, Source, renamed
from roxels.storage import finding
from roxels.storage.pages import Page, Span, page
from roxels.storage.schema import persons
from roxels.storage.transaction import AnySelect, Reading, Rows, Writing

#: How often an insert may find its way blocked by a row that is gone when it is looked for.
ROUNDS = 5


def get(tx: Reading, person_id: str) -> Person | None:
    """The person of that id."""
    query = _standing(tx).where(persons.c.id == person_id)
    return _one(tx.first(tx.held(query)))


def find(tx: Reading, external_id: str) -> Person | None:
    """The person whom the customer calls that, compared exactly."""
    query = _standing(tx).where(persons.c.external_id == external_id)
    return _one(tx.first(tx.held(query)))


def by_ids(tx: Reading, ids: Collection[str]) -> dict[str, Person]:
    """These persons, by id."""
    query = select(persons).where(persons.c.environment == tx.environment, persons.c.id.in_(ids))
    return {row.id: of_row(row) for row in tx.all(query)} if ids else {}


def listed(tx: Reading, external_id: str | None, span: Span) -> Page[Person]:
    """The persons of this environment, the latest seen first; `external_id` shows that one or none."""
    query = _standing(tx)
    if external_id is not None:
        query = query.where(persons.c.external_id == external_id)
    return page(tx, query, (persons.c.last_seen_at, persons.c.id), span, of_row)


def searched(tx: Reading, words: str, span: Span, few: int = finding.FEW) -> Page[Person]:
    """The persons whose name, a word of it, external id or e-mail begins so, in any case; no words: all of them."""
    query = _standing(tx)
    if words:
        query = query.where(finding.found(tx, words, few))
    return page(tx, query, (persons.c.last_seen_at, persons.c.id), span, of_row)


def create(tx: Writing, person: Person) -> bool:
    """Keep a new person, unless somebody of this external_id stands; says whether it did."""
    return tx.insert_if_absent(persons, msgspec.structs.asdict(person) | {"environment": tx.environment})


def resolve(tx: Writing, external_id: str | None, ids: Ids) -> Person:
    """The person behind an entry point: found and attached to, or created. Without an id always a new, anonymous one.

    Any number of simultaneous first visits create one person: the unique index decides, and the loser reads. Somebody
    who is known and somebody who is not cost the same statements, so that time does not tell them apart.
    """
    return create_or_find(tx, blank(tx, external_id, ids))[0]


def blank(tx: Reading, external_id: str | None, ids: Ids) -> Person:
    """Somebody of whom nothing is known yet, and who is kept nowhere."""
    return Person(id=ids.new("person"), external_id=external_id, first_seen_at=tx.now, last_seen_at=tx.now)


def create_or_find(tx: Writing, person: Person) -> tuple[Person, bool]:
    """Keep a new person, or find who has this external_id already; says whether it is the new one.

    Between the two statements whoever stood in the way can be erased (PostgreSQL: each statement sees what was
    committed before it). Then the id is free again, and the next round takes it.
    """
    for _ in range(ROUNDS):
        is_new = create(tx, person)
        if person.external_id is None:
            return person, is_new
        found = find(tx, person.external_id)
        if found is not None:
            return found, is_new
    raise Conflict("This external_id is being erased and taken again and again; try once more.", field="external_id")


def seen(tx: Writing, person: Person, name: str | None, source: Source) -> Person:
    """The person after one more visit, under a newly given name where that may replace the old.

    Where no name is replaced, only what the visit itself says is written of how she is found: whoever claims to be
    somebody who is known must not wait longer for it.
    """
    after = msgspec.structs.replace(renamed(person, name, source), last_seen_at=tx.now)
    _update(tx, after)
    if person.name is not None and after.name != person.name:
        finding.write(tx, after)
    else:
        finding.add(tx, after.id, finding.keys_of(after.external_id, name, None))
    return after


def save(tx: Writing, person: Person) -> None:
    """Keep all that is known of the person, save the count that `count_conversation` keeps."""
    _update(tx, person)
    finding.write(tx, person)


def _update(tx: Writing, person: Person) -> None:
    row = msgspec.structs.asdict(person)
    del row["id"], row["conversation_count"]
    tx.run(update(persons).where(persons.c.environment == tx.environment, persons.c.id == person.id).values(row))


def count_conversation(tx: Writing, person_id: str, by: int) -> None:
    """One conversation more, or fewer."""
    tx.run(
        update(persons)
        .where(persons.c.environment == tx.environment, persons.c.id == person_id)
        .values(conversation_count=persons.c.conversation_count + by)
    )


def of_row(row: Rows) -> Person:
    """The person in a row of `persons`."""
    values: dict[str, Any] = dict(row._mapping)
    del values["environment"], values["is_estranged"]
    return Person(**values)


def _standing(tx: Reading) -> AnySelect:
    return select(persons).where(persons.c.environment == tx.environment, ~persons.c.is_estranged)


def _one(row: Rows | None) -> Person | None:
    return None if row is None else of_row(row)
