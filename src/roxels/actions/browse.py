"""Browse as an operator: people by their latest activity, one person whole, a conversation as it goes on."""

from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from roxels.actions.inspect import WholeConversation
from roxels.actions.recollect import recollect_all
from roxels.domain.conversation import EMPTY, Conversation
from roxels.domain.errors import NotFound
from roxels.domain.events import Fact
from roxels.domain.memory import Memory
from roxels.domain.persons import Person
from roxels.domain.proof import Proof
from roxels.domain.templates import Template
from roxels.storage import conversations, deliveries, devices, log, persons, sessions, templates
from roxels.storage.conversations import ConversationFilter, Outline
from roxels.storage.deliveries import Delivery
from roxels.storage.devices import Device
from roxels.storage.log import Stored
from roxels.storage.pages import Cursor, Page, Span
from roxels.storage.transaction import Reading

#: Conversations before one that are looked through for the one that it could have gone on with.
EARLIER = 20


class ListedPerson(msgspec.Struct, frozen=True, kw_only=True):
    """A person in the list, with the proof of her newest visit; None where she never had one."""

    person: Person
    proof: Proof | None


class Portrait(msgspec.Struct, frozen=True, kw_only=True):
    """All that is kept of one person. `template_names` by id; `conversations` newest first; `adopters`: whose those are
    by now that were this person's at first."""

    person: Person
    conversations: Page[Outline]
    template_names: dict[str, str]
    memory: Memory
    devices: tuple[Device, ...]
    adopters: tuple[Person, ...]
    #: Those of `conversations` before which this person had talked about the same template.
    later: frozenset[str]


class News(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a conversation: its facts after a place, what they add up to, and what it owes."""

    facts: Sequence[Fact]
    stored: Stored
    deliveries: tuple[Delivery, ...]
    #: Which browser holds each session; to compare, never to show.
    browsers: dict[str, str | None] = {}
    #: Whether this person had talked about the same template before.
    is_later: bool = False


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where a delivery comes from: whose conversation it is, and what was talked about."""

    person: Person
    template: Template

    def label_of(self, goal_id: str | None) -> str:
        """What a goal is called; nothing where there is none of that id."""
        return next((goal.label for goal in self.template.goals if goal.id == goal_id), "")


def place_of(tx: Reading, words: str) -> tuple[Literal["people", "conversations", "deliveries"], str] | None:
    """What has this very id of ours, as logs and webhooks name it: where it is looked at, and its id."""
    match words.partition("_")[0]:
        case "person" if persons.get(tx, words) is not None:
            return "people", words
        case "iv" if conversations.stands(tx, words):
            return "conversations", words
        case "del" if deliveries.get(tx, words) is not None:
            return "deliveries", words
        case _:
            return None


def people(tx: Reading, words: str, span: Span) -> Page[ListedPerson]:
    """The persons whose name (or a word of it), external id or e-mail begins so, the latest seen first."""
    found = persons.searched(tx, words.strip(), span)
    proofs = sessions.newest_proofs(tx, [person.id for person in found.items])
    entries = [ListedPerson(person=person, proof=proofs.get(person.id)) for person in found.items]
    return Page(items=entries, next=found.next)


def portrait(tx: Reading, person_id: str, span: Span) -> Portrait:
    """A person with one page of conversations, and all that was said as her. Raises `NotFound`."""
    person = persons.get(tx, person_id)
    if person is None:
        raise NotFound("There is no such person in this environment.")
    found = conversations.listed(tx, ConversationFilter(person_id=person_id), span)
    begun = conversations.first_begun(tx, person_id)
    return Portrait(
        person=person,
        conversations=found,
        template_names=_names(tx, {outline.template_id for outline in found.items}),
        memory=recollect_all(tx, person_id),
        devices=tuple(devices.of_person(tx, person_id)),
        adopters=tuple(conversations.adopters(tx, person_id)),
        later=frozenset(
            each.id for each in found.items if each.created_at > begun.get(each.template_id, each.created_at)
        ),
    )


def progress(tx: Reading, conversation_id: str, since: Conversation = EMPTY) -> News:
    """A conversation from `since` on. Looking makes nobody a listener. Raises `NotFound`."""
    stored = log.own(tx, conversation_id, since=since)
    state, begun = stored.state, conversations.first_begun(tx, stored.person_id)
    created_at = state.created_at or tx.now
    return News(
        facts=stored.facts,
        stored=stored,
        deliveries=tuple(deliveries.of_conversation(tx, conversation_id)),
        browsers=sessions.browsers_of(tx, conversation_id),
        is_later=created_at > begun.get(state.template_id, created_at),
    )


def origins(tx: Reading, owed: Iterable[Delivery]) -> dict[str, Origin]:
    """Where these deliveries come from, by the id of the conversation; those of none, or of one that is gone, are not
    in it."""
    known = conversations.by_ids(tx, {each.conversation_id for each in owed if each.conversation_id})
    versions = {(each.template_id, each.template_version) for each in known.values()}
    kept = {wanted: templates.version(tx, *wanted) for wanted in versions}
    read = {wanted: found.read() for wanted, found in kept.items() if found is not None}
    return {
        id: Origin(person=each.person, template=read[each.template_id, each.template_version])
        for id, each in known.items()
        if (each.template_id, each.template_version) in read
    }


def before(tx: Reading, whole: WholeConversation) -> Outline | None:
    """The conversation that this person had on this template before this one: the newest of those that are as proven
    as this one, else the newest of all. No trial: nothing goes on with one."""
    state = whole.stored.state
    wanted = ConversationFilter(person_id=whole.person.id, template_id=state.template_id)
    begun = Cursor(state.created_at or tx.now, whole.stored.id, tx.environment)
    listed = conversations.listed(tx, wanted, Span(after=begun, limit=EARLIER)).items
    found = [each for each in listed if not each.is_trial]
    return next((each for each in found if each.is_proven == state.is_proven), found[0] if found else None)


def _names(tx: Reading, template_ids: Iterable[str]) -> dict[str, str]:
    kept = {template_id: templates.active(tx, template_id) for template_id in template_ids}
    return {template_id: found.raw["name"] for template_id, found in kept.items() if found is not None}
