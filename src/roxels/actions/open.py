"""Open a visit: find or make the person, continue or begin a conversation, and say why.

Every entry point ends here (the embed's session, `POST /v1/interviews`, a fresh link), so all follow one rule.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from roxels.domain import resumption
from roxels.domain.conversation import EMPTY, Conversation
from roxels.domain.errors import Conflict, NotFound
from roxels.domain.events import AnyEvent, ContextAdded, ContextSource, ConversationOpened, PersonNamed, SessionStarted
from roxels.domain.ids import Ids
from roxels.domain.persons import Person, Source
from roxels.domain.proof import Method, Proof, sight_of
from roxels.domain.resumption import Reason
from roxels.storage import conversations, log, persons, sessions, templates
from roxels.storage.sessions import Visit
from roxels.storage.transaction import Writing

SESSION_LIFE = timedelta(hours=24)


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller wants opened, and how sure we are of whom it names."""

    template_id: str
    external_id: str | None
    name: str | None
    source: Source
    proof: Proof
    method: Method
    context: dict[str, Any]
    #: False where the caller asks for a new conversation.
    resume: bool = True
    timezone: str = "UTC"
    locale: str = "en"
    allowed_domains: Sequence[str] | None = None
    #: Whether a browser asked and gets its token at once; else the session waits to be exchanged.
    wants_token: bool = True


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """A visit that stands. `token` or `join_secret` is shown once, here."""

    conversation_id: str
    session_id: str
    token: str | None
    join_secret: str | None
    expires_at: datetime
    reason: Reason
    resumed: bool
    person: Person
    created_at: datetime
    state: Conversation


def open_visit(tx: Writing, wish: Wish, ids: Ids) -> Opened:
    """Open a visit. Raises `NotFound` when there is no such template."""
    kept = templates.active(tx, wish.template_id)
    if kept is None:
        raise NotFound("There is no template with this id in this environment.", field="template_id")
    template = kept.read()
    person = persons.resolve(tx, wish.external_id, wish.name, wish.source, ids)
    sight = sight_of(person.id, wish.proof)
    choice = resumption.choose(
        conversations.pasts(tx, sight, template.id),
        sight=sight,
        resumption=template.resumption,
        wanted=wish.resume,
        now=tx.now,
    )
    if isinstance(choice, resumption.Continue):
        conversation_id = choice.conversation_id
        state = log.read(tx, conversation_id).state
    else:
        conversation_id, state = _begin(tx, person, template.id, template.version, wish.allowed_domains, ids)
    return _visit(tx, wish, ids, person=person, conversation_id=conversation_id, state=state, reason=choice.reason)


def open_again(tx: Writing, conversation_id: str, ids: Ids) -> Opened:
    """Open one more visit to an open conversation: a fresh link, at the proof that the conversation has already.

    Raises `NotFound`, and `Conflict` where it has ended.
    """
    stored = log.read(tx, conversation_id)
    person = persons.get(tx, stored.person_id)
    if person is None or stored.environment != tx.environment:
        raise NotFound
    if not stored.state.is_open:
        raise Conflict("This conversation has ended; open a new one.")
    wish = Wish(
        template_id=stored.state.template_id,
        external_id=person.external_id,
        name=None,
        source="server",
        proof=max((Proof[session.proof] for session in stored.state.sessions.values()), default=Proof.anonymous),
        method="secret_key",
        context={},
        wants_token=False,
    )
    return _visit(tx, wish, ids, person=person, conversation_id=conversation_id, state=stored.state, reason="resumed")


def _begin(
    tx: Writing,
    person: Person,
    template_id: str,
    version: int,
    allowed_domains: Sequence[str] | None,
    ids: Ids,
) -> tuple[str, Conversation]:
    conversation_id = ids.new("iv")
    conversations.begin(
        tx,
        conversation_id,
        person_id=person.id,
        template_id=template_id,
        template_version=version,
        allowed_domains=allowed_domains,
    )
    persons.count_conversation(tx, person.id, 1)
    opened = ConversationOpened(template_id=template_id, template_version=version)
    return conversation_id, conversations.add(tx, conversation_id, EMPTY, None, [opened])


def _visit(
    tx: Writing,
    wish: Wish,
    ids: Ids,
    *,
    person: Person,
    conversation_id: str,
    state: Conversation,
    reason: Reason,
) -> Opened:
    visit = Visit(
        session_id=ids.new("sess"),
        environment=tx.environment,
        conversation_id=conversation_id,
        person_id=person.id,
        external_id=person.external_id,
        proof=wish.proof,
        method=wish.method,
        reason=reason,
        timezone=wish.timezone,
        locale=wish.locale,
        allowed_domains=None,
        exchanged_at=None,
        expires_at=tx.now + SESSION_LIFE,
        ended_at=None,
    )
    token = ids.secret("st") if wish.wants_token else None
    join_secret = None if wish.wants_token else ids.secret("join")
    sessions.create(tx, visit, token=token, join_secret=join_secret)
    source: ContextSource = wish.source
    events: list[AnyEvent] = [
        SessionStarted(proof=wish.proof.name, reason=reason, method=wish.method),
        *([ContextAdded(context=wish.context, source=source)] if wish.context else []),
        *([PersonNamed(name=person.name)] if person.name and person.name != state.person_name else []),
    ]
    return Opened(
        conversation_id=conversation_id,
        session_id=visit.session_id,
        token=token,
        join_secret=join_secret,
        expires_at=visit.expires_at,
        reason=reason,
        resumed=reason == "resumed",
        person=person,
        created_at=state.created_at or tx.now,
        state=conversations.add(tx, conversation_id, state, visit.session_id, events),
    )
