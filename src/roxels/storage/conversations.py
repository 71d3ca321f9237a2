"""The rows of conversations: beginning one, and finding a person's earlier ones. Their facts live in `storage.log`."""

from collections.abc import Collection, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import func, insert, or_, select, update

from roxels.domain.conversation import Conversation, fold
from roxels.domain.events import (
    AgentPlanned,
    AgentSaid,
    AgentStarted,
    AnyEvent,
    Fact,
    FieldCaptured,
    FieldSkipped,
    GoalCommitted,
    PersonSaid,
)
from roxels.domain.life import EndedBy, Status
from roxels.domain.memory import Memory, remember
from roxels.domain.occasions import Subject
from roxels.domain.persons import Person
from roxels.domain.proof import Proof, Sight
from roxels.domain.resumption import Past
from roxels.storage import log
from roxels.storage import persons as people
from roxels.storage import sessions as visits
from roxels.storage.log import Append
from roxels.storage.pages import Page, Span, page
from roxels.storage.schema import ERASING, conversations, persons
from roxels.storage.seen import own_words, seen
from roxels.storage.sessions import VisitOutline
from roxels.storage.transaction import AcrossWriting, AnySelect, Reading, Rows, View, Writing

#: Adopters of what was said as one person that a page names.
MOST_ADOPTERS = 10


class Outline(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation as its row tells it, for lists: whose it is and how it stands, nothing of what was said."""

    id: str
    template_id: str
    template_version: int
    status: Status
    ended_by: EndedBy | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    last_activity_at: datetime
    #: Since when it is adopted.
    adopted_at: datetime | None
    #: Closed to claims; spoken for by an adoption.
    is_proven: bool
    is_vouched: bool
    #: It tries a version of its template out.
    is_trial: bool
    person: Person
    #: Oldest first.
    visits: tuple[VisitOutline, ...] = ()


class ConversationFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which conversations a list shows; None is any."""

    template_id: str | None = None
    person_id: str | None = None
    external_id: str | None = None
    status: Status | None = None
    #: Begun at this time or later.
    since: datetime | None = None


def begin(
    tx: Writing,
    conversation_id: str,
    *,
    person_id: str,
    template_id: str,
    template_version: int,
    is_trial: bool,
    allowed_domains: Sequence[str] | None,
) -> None:
    """Keep the row of a new conversation, whose log is empty."""
    tx.run(
        insert(conversations).values(
            id=conversation_id,
            environment=tx.environment,
            person_id=person_id,
            template_id=template_id,
            template_version=template_version,
            status="created",
            top_proof=int(Proof.anonymous),
            is_proven=False,
            is_vouched=False,
            is_trial=is_trial,
            head=0,
            epoch=0,
            allowed_domains=None if allowed_domains is None else list(allowed_domains),
            created_at=tx.now,
            last_activity_at=tx.now,
        )
    )


def owner(tx: Reading, conversation_id: str) -> str | None:
    """Whose conversation it is; None where there is none (any more)."""
    query = select(conversations.c.person_id).where(
        conversations.c.environment == tx.environment,
        conversations.c.id == conversation_id,
        conversations.c.epoch != ERASING,
    )
    owner: str | None = tx.value(tx.held(query))
    return owner


def subject(view: View, conversation_id: str) -> tuple[str, Subject]:
    """The environment of a conversation, and whose it is as deliveries name it. Raises `Gone`."""
    query = (
        select(conversations.c.environment, conversations.c.person_id, persons.c.external_id)
        .join(persons, persons.c.id == conversations.c.person_id)
        .where(conversations.c.id == conversation_id, ~persons.c.is_estranged)
    )
    row = view.first(query)
    if row is None:
        raise log.Gone
    return row.environment, Subject(
        conversation_id=conversation_id, person_id=row.person_id, external_id=row.external_id
    )


def add(
    tx: Writing | AcrossWriting,
    conversation_id: str,
    state: Conversation,
    session_id: str | None,
    events: Sequence[AnyEvent],
    *,
    ended_utterance: str | None = None,
) -> Conversation:
    """Keep facts inside the caller's transaction, which read `state` in it; says the state after them."""
    facts = numbered(state, events, at=tx.now, session_id=session_id)
    after = fold(facts, state)
    append = Append(
        conversation_id=conversation_id,
        expected_seq=state.head,
        before=state,
        facts=facts,
        state=after,
        ended_utterance=ended_utterance,
    )
    log.keep(tx, append)
    return after


def numbered(
    state: Conversation, events: Sequence[AnyEvent], *, at: datetime, session_id: str | None
) -> tuple[Fact, ...]:
    """These events in their places after `state`."""
    return tuple(
        Fact(seq=seq, at=at, session_id=session_id, event=event) for seq, event in enumerate(events, state.head + 1)
    )


def pasts(tx: Reading, sight: Sight, template_id: str, limit: int = 50) -> list[Past]:
    """This person's conversations on this template that the session may see, newest activity first; no trials."""
    query = (
        select(conversations.c.id, conversations.c.status, conversations.c.last_activity_at)
        .where(seen(tx, sight), conversations.c.template_id == template_id, ~conversations.c.is_trial)
        .order_by(conversations.c.last_activity_at.desc(), conversations.c.id)
        .limit(limit)
    )
    return [Past(id=row.id, status=row.status, last_activity_at=row.last_activity_at) for row in tx.all(query)]


def has_any(tx: Reading, person_id: str, template_id: str) -> bool:
    """Whether this person has talked about this template at all (trials aside), whoever may see it: for the owner's
    records only."""
    query = select(conversations.c.id).where(
        conversations.c.environment == tx.environment,
        conversations.c.person_id == person_id,
        conversations.c.template_id == template_id,
        conversations.c.epoch != ERASING,
        ~conversations.c.is_trial,
    )
    return tx.first(query.limit(1)) is not None


def first_begun(tx: Reading, person_id: str) -> dict[str, datetime]:
    """When this person first talked about each template (trials aside), whoever may see it: for the owner's pages."""
    query = select(conversations.c.template_id, func.min(conversations.c.created_at).label("at")).where(
        conversations.c.environment == tx.environment,
        conversations.c.person_id == person_id,
        conversations.c.epoch != ERASING,
        ~conversations.c.is_trial,
    )
    return {row.template_id: row.at for row in tx.all(query.group_by(conversations.c.template_id))}


def earlier(tx: Reading, sight: Sight, but: str, limit: int = 1000) -> list[tuple[str, Conversation]]:
    """All that this person's other conversations hold and the session may see, oldest first: memory is made of it."""
    query = (
        select(conversations.c.id, conversations.c.person_id, conversations.c.linked_person_id)
        .where(or_(seen(tx, sight), own_words(tx, sight)), conversations.c.id != but)
        .order_by(conversations.c.last_activity_at.desc(), conversations.c.id)
        .limit(limit)
    )
    newest_first = tx.all(query)
    return [(row.id, fold(_facts_of(tx, row, sight.person_id))) for row in reversed(newest_first)]


def memory_of(tx: Reading, sight: Sight, *, only: str) -> Memory:
    """What is remembered of one conversation of this person that the session may see."""
    query = select(conversations.c.id, conversations.c.person_id, conversations.c.linked_person_id).where(
        or_(seen(tx, sight), own_words(tx, sight)), conversations.c.id == only
    )
    return remember([(row.id, fold(_facts_of(tx, row, sight.person_id))) for row in tx.all(query)])


def _facts_of(tx: Reading, row: Rows, person_id: str) -> list[Fact]:
    """The facts of a conversation as far as they are this person's: all of them while it is hers, adopted or from the
    first; where an adoption was undone, what was said stays with the person whose session said it."""
    facts = log.read_facts(tx, row.id)
    if row.linked_person_id is None or (row.person_id == person_id and fold(facts).adopted_at is not None):
        return facts
    theirs = visits.persons_of(tx, row.id)
    return [
        fact
        for fact in facts
        if theirs.get(fact.session_id or "", row.person_id) == person_id or not _is_somebodys(fact.event)
    ]


def _is_somebodys(event: AnyEvent) -> bool:
    """Whether it is somebody's: words and what was understood of them, and not the frame around."""
    return isinstance(
        event, PersonSaid | FieldCaptured | FieldSkipped | GoalCommitted | AgentStarted | AgentPlanned | AgentSaid
    )


def touch(tx: Writing, *person_ids: str) -> None:
    """What these persons said has changed from outside: talks of theirs that somebody attends remember anew.

    Their logs do not move by it, so their rows say it to processes that no hint reaches (`storage.wake`).
    """
    query = select(conversations.c.id).where(
        conversations.c.environment == tx.environment,
        conversations.c.person_id.in_(person_ids),
        conversations.c.speaker.is_not(None),
        conversations.c.epoch != ERASING,
    )
    ids = [row.id for row in tx.all(query)]
    tx.run(update(conversations).where(conversations.c.id.in_(ids)).values(memory_changed_at=tx.now))
    tx.touched.update(ids)


def link(tx: Writing, conversation_id: str, *, person_id: str, linked: str | None) -> None:
    """Say whose conversation it is from here on, and who else's words may stand in it."""
    where = (conversations.c.environment == tx.environment, conversations.c.id == conversation_id)
    before = tx.value(select(conversations.c.person_id).where(*where))
    tx.run(update(conversations).where(*where).values(person_id=person_id, linked_person_id=linked))
    if before != person_id:
        people.count_conversation(tx, before, -1)
        people.count_conversation(tx, person_id, 1)


def linked_person(tx: Reading, conversation_id: str) -> str | None:
    """Who else's words may stand in it: whom it was adopted from, or who had adopted it."""
    query = select(conversations.c.linked_person_id).where(
        conversations.c.environment == tx.environment, conversations.c.id == conversation_id
    )
    linked: str | None = tx.value(query)
    return linked


def adopters(tx: Reading, person_id: str) -> list[Person]:
    """Whose those conversations are by now that were this person's before they were adopted."""
    query = select(conversations.c.person_id).where(
        conversations.c.environment == tx.environment,
        conversations.c.linked_person_id == person_id,
        conversations.c.adopted_at.is_not(None),
        conversations.c.epoch != ERASING,
    )
    return list(people.by_ids(tx, {row.person_id for row in tx.all(query.distinct().limit(MOST_ADOPTERS))}).values())


def stands(tx: Reading, conversation_id: str) -> bool:
    """Whether there is such a conversation in this environment; one that is being erased is gone for everybody."""
    query = select(conversations.c.id).where(
        conversations.c.environment == tx.environment,
        conversations.c.id == conversation_id,
        conversations.c.epoch != ERASING,
    )
    return tx.first(query) is not None


def listed(tx: Reading, wanted: ConversationFilter, span: Span) -> Page[Outline]:
    """The conversations of this environment, newest first."""
    query = select(conversations).where(conversations.c.environment == tx.environment, conversations.c.epoch != ERASING)
    for name in ("template_id", "person_id", "status"):
        value = getattr(wanted, name)
        query = query if value is None else query.where(conversations.c[name] == value)
    if wanted.since is not None:
        query = query.where(conversations.c.created_at >= wanted.since)
    if wanted.external_id is not None:
        query = query.where(conversations.c.person_id.in_(_ids_of(tx, wanted.external_id)))
    found = page(tx, query, (conversations.c.created_at, conversations.c.id), span, lambda row: row)
    return Page(items=_outlines(tx, found.items), next=found.next)


def by_ids(tx: Reading, ids: Collection[str]) -> dict[str, Outline]:
    """Those of these conversations that stand, by id."""
    query = select(conversations).where(
        conversations.c.environment == tx.environment, conversations.c.id.in_(ids), conversations.c.epoch != ERASING
    )
    return {each.id: each for each in _outlines(tx, tx.all(query))}


def _ids_of(tx: Reading, external_id: str) -> AnySelect:
    return select(persons.c.id).where(persons.c.environment == tx.environment, persons.c.external_id == external_id)


def _outlines(tx: Reading, rows: Sequence[Rows]) -> list[Outline]:
    known = people.by_ids(tx, {row.person_id for row in rows})
    seen = visits.of_conversations(tx, [row.id for row in rows])
    return [
        Outline(
            **{name: getattr(row, name) for name in Outline.__struct_fields__ if name not in ("person", "visits")},
            person=known[row.person_id],
            visits=tuple(seen.get(row.id, ())),
        )
        for row in rows
    ]
