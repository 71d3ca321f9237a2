"""Look at a conversation whole, as its owner may."""

import msgspec

from roxels.domain.errors import NotFound
from roxels.domain.events import Fact
from roxels.domain.persons import Person
from roxels.domain.templates import Template
from roxels.storage import conversations, deliveries, log, persons, templates
from roxels.storage.deliveries import Delivery
from roxels.storage.log import Stored
from roxels.storage.transaction import Reading


class Whole(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation with everything that belongs to it."""

    stored: Stored
    person: Person
    #: Who else's words may stand in it: whom it was adopted from, or who had adopted it.
    linked_person_id: str | None
    template: Template
    deliveries: tuple[Delivery, ...]


def conversation(tx: Reading, conversation_id: str) -> Whole:
    """The conversation of that id in this environment. Raises `NotFound`."""
    stored = _own(tx, conversation_id)
    person = persons.get(tx, stored.person_id)
    kept = templates.version(tx, stored.state.template_id, stored.state.template_version)
    if person is None or kept is None:
        raise NotFound
    return Whole(
        stored=stored,
        person=person,
        linked_person_id=conversations.linked_person(tx, conversation_id),
        template=kept.read(),
        deliveries=tuple(deliveries.of_conversation(tx, conversation_id)),
    )


def events(tx: Reading, conversation_id: str, *, after: int, limit: int) -> list[Fact]:
    """The facts after that place. Raises `NotFound`."""
    if not conversations.stands(tx, conversation_id):
        raise NotFound
    return log.read_facts(tx, conversation_id, after=after, limit=limit)


def _own(tx: Reading, conversation_id: str) -> Stored:
    stored = log.find(tx, conversation_id)
    if stored is None or stored.environment != tx.environment:
        raise NotFound
    return stored
