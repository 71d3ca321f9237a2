"""Look at a conversation whole, or at one delivery, as its owner may."""

import msgspec

from roxels.domain.errors import NotFound
from roxels.domain.events import Fact
from roxels.domain.persons import Person
from roxels.domain.rendering import Frozen
from roxels.domain.templates import Template
from roxels.storage import conversations, deliveries, log, persons, templates
from roxels.storage.deliveries import Delivery
from roxels.storage.log import Stored
from roxels.storage.transaction import Reading


class WholeConversation(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation with everything that belongs to it."""

    stored: Stored
    person: Person
    #: Who else's words may stand in it: whom it was adopted from, or who had adopted it.
    linked_person_id: str | None
    template: Template
    deliveries: tuple[Delivery, ...]


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery with what it sends; no request while it waits for the answer that it is made of."""

    delivery: Delivery
    request: Frozen | None


def delivery(tx: Reading, delivery_id: str) -> Sent:
    """The delivery of that id. Raises `NotFound`."""
    found = deliveries.get(tx, delivery_id)
    if found is None:
        raise NotFound
    return Sent(delivery=found, request=deliveries.request(tx, delivery_id))


def conversation(tx: Reading, conversation_id: str) -> WholeConversation:
    """The conversation of that id in this environment. Raises `NotFound`."""
    stored = log.own(tx, conversation_id)
    person = persons.get(tx, stored.person_id)
    kept = templates.version(tx, stored.state.template_id, stored.state.template_version)
    if person is None or kept is None:
        raise NotFound
    return WholeConversation(
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
