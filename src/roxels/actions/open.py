"""Open a visit: find or make the person, continue or begin a conversation, and say why.

Every entry point ends here (the embed's session, `POST /v1/interviews`, a fresh link), so all follow one rule.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from roxels.actions.recollect import sight_by
from roxels.domain import resumption
from roxels.domain.conversation import EMPTY, Conversation
from roxels.domain.errors import Conflict, NotFound
from roxels.domain.events import (
    AnyEvent,
    ContextAdded,
    ContextSource,
    ConversationOpened,
    PersonNamed,
    SessionEnded,
    SessionStarted,
)
from roxels.domain.ids import Ids, hashed
from roxels.domain.persons import Person, Source
from roxels.domain.proof import Method, Proof, Sight
from roxels.domain.resumption import Reason
from roxels.storage import conversations, devices, log, persons, sessions, templates
from roxels.storage.sessions import Visit
from roxels.storage.transaction import Reading, Writing

SESSION_LIFE = timedelta(hours=24)
#: Said to whoever would begin a conversation on an archived template.
ARCHIVED = (
    "This template is archived: no new conversation begins on it, those that stand go on. Use another template, or "
    'send `{"status": "active"}` with PATCH /v1/templates/{id} first.'
)


class VisitRequest(msgspec.Struct, frozen=True, kw_only=True):
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
    #: The version to try out, e.g. a draft; None: the published one.
    template_version: int | None = None
    timezone: str = "UTC"
    locale: str = "en"
    allowed_domains: Sequence[str] | None = None
    #: The browser that asks, by the hash of its device secret, and the host of the page around the frame.
    browser: str | None = None
    host: str | None = None
    #: The mark of its tab: an anonymous visit goes on for the same browser and tab.
    tab: str | None = None
    #: What an identity token says of its person: the server's words, though a browser brought them.
    vouched_name: str | None = None
    vouched_context: dict[str, Any] = {}
    #: What signed it.
    identity_secret_id: str | None = None
    #: How long what is proven here lasts; None: as long as any session.
    lasts: timedelta | None = None
    #: Whether a browser asked and gets its token at once; else the session waits to be exchanged.
    wants_token: bool = True

    @property
    def is_trial(self) -> bool:
        """Whether it tries a version out: on that version, and on nothing that stands already."""
        return self.template_version is not None

    @property
    def may_go_on(self) -> bool:
        """Whether it may go on with a conversation that stands."""
        return self.resume and not self.is_trial


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """A visit that stands. `token` or `join_secret` is shown once, here."""

    conversation_id: str
    session_id: str
    token: str | None
    join_secret: str | None
    expires_at: datetime
    #: What the visitor is told, and what the owner of the conversation reads.
    reason: Reason
    judged: Reason
    proof: Proof
    resumed: bool
    person: Person
    created_at: datetime
    state: Conversation


class _Visitor(msgspec.Struct, frozen=True, kw_only=True):
    """Who comes: the person, how sure that is by now, and by which name the agent may call her."""

    person: Person
    proof: Proof
    method: Method
    called: str | None


class _Why(msgspec.Struct, frozen=True):
    """Why a conversation goes on or begins: what the visitor is told, and what its owner reads."""

    told: Reason
    judged: Reason


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a wish names, and what a visit of hers would see."""

    person: Person
    method: Method
    sight: Sight


def name(tx: Writing, wish: VisitRequest, policy: Proof, ids: Ids) -> Named:
    """Find or make the person, and see how sure that is."""
    return weigh(tx, wish, policy, persons.resolve(tx, wish.external_id, ids))


def weigh(tx: Reading, wish: VisitRequest, policy: Proof, person: Person) -> Named:
    """How sure it is that the wish comes from this person."""
    device = devices.find(tx, person.id, wish.browser) if wish.browser is not None else None
    is_known = device is not None and device.stands and wish.proof is Proof.claimed
    proof = Proof.device if is_known else wish.proof
    sight = sight_by(tx, person.id, proof, wish.browser, policy=policy, device=device)
    return Named(person=person, method="device" if is_known else wish.method, sight=sight)


def open_visit(tx: Writing, wish: VisitRequest, ids: Ids) -> Opened:
    """Open a visit. Raises `NotFound` without such a template or version of it, `Conflict` where it would begin on an
    archived one.

    What it may see, and whether it resumes, goes by what is published, whatever version it tries out.
    """
    kept = templates.active(tx, wish.template_id)
    if kept is None:
        raise NotFound("There is no template with this id in this environment.", field="template_id")
    template = kept.read()
    same_tab = _same_tab(tx, wish, ids)
    if same_tab is not None:
        return same_tab
    named = name(tx, wish, template.history_requires, ids)
    person, sight = named.person, named.sight
    choice = resumption.choose(
        conversations.pasts(tx, sight, template.id),
        sight=sight,
        resumption=template.resumption,
        wanted=wish.may_go_on,
        now=tx.now,
    )
    is_more = conversations.has_any(tx, person.id, template.id)
    why = _Why(choice.reason, resumption.judged(choice.reason, sight, is_more=is_more))
    person, called = _named(tx, person, wish, sight)
    visitor = _Visitor(person=person, proof=sight.proof, method=named.method, called=called)
    if isinstance(choice, resumption.Continue):
        state = log.read(tx, choice.conversation_id).state
        return _visit(tx, wish, ids, visitor, conversation_id=choice.conversation_id, state=state, why=why)
    if kept.status == "archived":
        raise Conflict(ARCHIVED, field="template_id")
    version = template.version if wish.template_version is None else _there(tx, template.id, wish.template_version)
    conversation_id, state = _begin(tx, wish, person, version, ids)
    return _visit(tx, wish, ids, visitor, conversation_id=conversation_id, state=state, why=why)


def _there(tx: Reading, template_id: str, version: int) -> int:
    """The number of a version that the template has."""
    if templates.version(tx, template_id, version) is None:
        raise NotFound("This template has no version of that number.", field="template_version")
    return version


def _same_tab(tx: Writing, wish: VisitRequest, ids: Ids) -> Opened | None:
    """The way on for an anonymous visitor whose page was loaded again: same browser, same tab, still open."""
    if wish.external_id is not None or wish.browser is None or not wish.tab or not wish.may_go_on:
        return None
    live = devices.anonymous_talk(tx, wish.template_id, wish.browser, hashed(wish.tab))
    stored = log.find(tx, live.conversation_id) if live else None
    person = persons.get(tx, stored.person_id) if stored else None
    if stored is None or person is None or not stored.state.is_open:
        return None
    person = persons.seen(tx, person, wish.name, wish.source)
    visitor = _Visitor(person=person, proof=Proof.anonymous, method="none", called=person.name)
    why = _Why("resumed", "resumed")
    return _visit(tx, wish, ids, visitor, conversation_id=stored.id, state=stored.state, why=why)


def _named(tx: Writing, person: Person, wish: VisitRequest, sight: Sight) -> tuple[Person, str | None]:
    """The person, seen once more, and the name that the agent may use.

    A name that comes with too little proof is used in this conversation and kept nowhere else; see `domain.proof`.
    """
    is_own = wish.external_id is None or wish.source == "server" or sight.tells_attributes
    person = persons.seen(tx, person, wish.name if is_own else None, wish.source)
    if wish.vouched_name is not None:
        person = persons.seen(tx, person, wish.vouched_name, "server")
    if wish.external_id is None:
        return person, person.name
    is_told = sight.tells_attributes and (sight.trusts_browser_name or person.name_source == "server")
    return person, (person.name if is_told else None) or wish.name


def open_again(tx: Writing, conversation_id: str, ids: Ids) -> Opened:
    """Open one more visit to an open conversation: a fresh link, at the proof that the conversation has already.

    Raises `NotFound`, and `Conflict` where it has ended.
    """
    stored = log.own(tx, conversation_id)
    person = persons.get(tx, stored.person_id)
    if person is None:
        raise NotFound
    if not stored.state.is_open:
        raise Conflict("This conversation has ended; open a new one.")
    wish = VisitRequest(
        template_id=stored.state.template_id,
        external_id=person.external_id,
        name=None,
        source="server",
        proof=stored.state.top_proof,
        method="link",
        context={},
        wants_token=False,
    )
    visitor = _Visitor(person=person, proof=wish.proof, method="link", called=None)
    why = _Why("resumed", "resumed")
    return _visit(tx, wish, ids, visitor, conversation_id=conversation_id, state=stored.state, why=why)


def open_in(tx: Writing, wish: VisitRequest, named: Named, conversation_id: str, ids: Ids) -> Opened:
    """Open a visit of whom the wish names to this very conversation, which is hers by now."""
    person, called = _named(tx, named.person, wish, named.sight)
    visitor = _Visitor(person=person, proof=named.sight.proof, method=named.method, called=called)
    state = log.read(tx, conversation_id).state
    why = _Why("resumed", "resumed")
    return _visit(tx, wish, ids, visitor, conversation_id=conversation_id, state=state, why=why)


def _begin(tx: Writing, wish: VisitRequest, person: Person, version: int, ids: Ids) -> tuple[str, Conversation]:
    conversation_id = ids.new("iv")
    conversations.begin(
        tx,
        conversation_id,
        person_id=person.id,
        template_id=wish.template_id,
        template_version=version,
        is_trial=wish.is_trial,
        allowed_domains=wish.allowed_domains,
    )
    persons.count_conversation(tx, person.id, 1)
    opened = ConversationOpened(template_id=wish.template_id, template_version=version, trial=wish.is_trial)
    return conversation_id, conversations.add(tx, conversation_id, EMPTY, None, [opened])


def _visit(
    tx: Writing,
    wish: VisitRequest,
    ids: Ids,
    visitor: _Visitor,
    *,
    conversation_id: str,
    state: Conversation,
    why: _Why,
) -> Opened:
    visit = _visit_of(tx, wish, ids, visitor, conversation_id=conversation_id, state=state, why=why)
    token, join_secret = _keep(tx, visit, wish, why, ids)
    if visit.proof is Proof.verified:
        state = _close_to_others(tx, conversation_id, state)
    return Opened(
        conversation_id=conversation_id,
        session_id=visit.session_id,
        token=token,
        join_secret=join_secret,
        expires_at=visit.expires_at,
        reason=why.told,
        judged=why.judged,
        proof=visit.proof,
        resumed=why.told == "resumed",
        person=visitor.person,
        created_at=state.created_at or tx.now,
        state=conversations.add(tx, conversation_id, state, visit.session_id, _facts(visit, visitor, wish, why, state)),
    )


def _visit_of(
    tx: Writing,
    wish: VisitRequest,
    ids: Ids,
    visitor: _Visitor,
    *,
    conversation_id: str,
    state: Conversation,
    why: _Why,
) -> Visit:
    """The visit, which is kept nowhere yet."""
    person = visitor.person
    return Visit(
        session_id=ids.new("sess"),
        environment=tx.environment,
        conversation_id=conversation_id,
        person_id=person.id,
        owner_id=person.id,
        external_id=person.external_id,
        proof=visitor.proof,
        method=visitor.method,
        reason=why.told,
        timezone=wish.timezone,
        locale=wish.locale,
        allowed_domains=None,
        browser=wish.browser,
        top_proof=max(visitor.proof, state.top_proof),
        exchanged_at=None,
        expires_at=tx.now + min(wish.lasts or SESSION_LIFE, SESSION_LIFE),
        ended_at=None,
    )


def _keep(tx: Writing, visit: Visit, wish: VisitRequest, why: _Why, ids: Ids) -> tuple[str | None, str | None]:
    """Keep the visit, and that its browser was seen; says what it is entered by: a token, or the secret of a link."""
    token = ids.secret("st") if wish.wants_token else None
    join_secret = None if wish.wants_token else ids.secret("join")
    sessions.create(
        tx,
        visit,
        token=token,
        join_secret=join_secret,
        judged=why.judged,
        tab=wish.tab,
        identity_secret_id=wish.identity_secret_id,
    )
    if visit.browser is not None:
        is_verified = visit.proof is Proof.verified
        devices.see(tx, visit.person_id, visit.browser, wish.host, verified=is_verified, ids=ids)
    return token, join_secret


def _facts(visit: Visit, visitor: _Visitor, wish: VisitRequest, why: _Why, state: Conversation) -> list[AnyEvent]:
    source: ContextSource = wish.source
    started = SessionStarted(
        proof=visit.proof.name,
        reason=why.told,
        method=visitor.method,
        device=visit.browser is not None,
        judged=None if why.judged == why.told else why.judged,
    )
    return [
        started,
        *([ContextAdded(context=wish.context, source=source)] if wish.context else []),
        *([ContextAdded(context=wish.vouched_context, source="server")] if wish.vouched_context else []),
        *([PersonNamed(name=visitor.called)] if visitor.called and visitor.called != state.person_name else []),
    ]


def _close_to_others(tx: Writing, conversation_id: str, state: Conversation) -> Conversation:
    """A verified session comes: whoever is here with less has to go, for what is said from now on is hers."""
    for session_id in sessions.below_verified(tx, conversation_id):
        sessions.end(tx, session_id)
        session = state.sessions.get(session_id)
        if session is not None and session.ended_at is None:
            state = conversations.add(tx, conversation_id, state, session_id, [SessionEnded(cause="revoked")])
    return state
