"""Sessions: one visit each. A token is looked up by its hash, over all environments; all else stays within one."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, exists, false, insert, not_, or_, select, update

from roxels.domain.ids import hashed
from roxels.domain.proof import Proof, may_stay
from roxels.domain.resumption import TRIED
from roxels.storage.schema import conversations, persons, sessions
from roxels.storage.transaction import AnySelect, Environment, Reading, Rows, View, Writing


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """A session with what it leads to: whose it is and in which conversation."""

    session_id: str
    environment: Environment
    conversation_id: str
    person_id: str
    #: Whose the conversation is: somebody else's while it is adopted.
    owner_id: str
    external_id: str | None
    proof: Proof
    method: str
    reason: str
    timezone: str
    locale: str
    allowed_domains: tuple[str, ...] | None
    #: The browser that holds it, by the hash of its secret.
    browser: str | None
    #: The best proof of any session of its conversation.
    top_proof: Proof
    exchanged_at: datetime | None
    expires_at: datetime
    ended_at: datetime | None

    @property
    def may_stay(self) -> bool:
        """Whether it may be in its conversation: while that is its person's, and its proof is enough."""
        return self.person_id == self.owner_id and may_stay(self.proof, self.top_proof)

    def is_live(self, now: datetime) -> bool:
        """Whether it may still be used."""
        return self.ended_at is None and now < self.expires_at and self.may_stay


class VisitOutline(msgspec.Struct, frozen=True, kw_only=True):
    """A session as its row tells it, for lists."""

    id: str
    proof: Proof
    method: str
    device: bool
    reason: str
    created_at: datetime
    ended_at: datetime | None


_JOINED = (
    select(
        sessions,
        persons.c.external_id,
        conversations.c.person_id.label("owner_id"),
        conversations.c.allowed_domains,
        conversations.c.top_proof,
    )
    .join(persons, persons.c.id == sessions.c.person_id)
    .join(conversations, conversations.c.id == sessions.c.conversation_id)
)


_begun = sessions.alias("begun")


def begun_in_earnest() -> ColumnElement[bool]:
    """Whether a row of `conversations` did not begin to try a version out."""
    return not_(exists().where(_begun.c.conversation_id == conversations.c.id, _begun.c.reason == TRIED))


def create(
    tx: Writing, visit: Visit, *, token: str | None, join_secret: str | None, judged: str, tab: str | None = None
) -> None:
    """Keep a new session: with a token for the browser that asked, or to be exchanged by the first that comes."""
    tx.run(
        insert(sessions).values(
            id=visit.session_id,
            environment=tx.environment,
            conversation_id=visit.conversation_id,
            person_id=visit.person_id,
            proof=int(visit.proof),
            method=visit.method,
            reason=visit.reason,
            judged=judged,
            browser_hash=visit.browser,
            tab_hash=hashed(tab) if tab else None,
            token_hash=hashed(token) if token else None,
            join_hash=hashed(join_secret) if join_secret else None,
            exchanged_at=tx.now if token else None,
            timezone=visit.timezone,
            locale=visit.locale,
            created_at=tx.now,
            expires_at=visit.expires_at,
        )
    )


def by_token(view: View, token: str) -> Visit | None:
    """The session that this token opens, whatever its state."""
    return _one(view, _JOINED.where(sessions.c.token_hash == hashed(token)))


def by_id(view: View, session_id: str) -> Visit | None:
    """The session of that id."""
    return _one(view, _JOINED.where(sessions.c.id == session_id))


def by_join_secret(view: View, conversation_id: str, secret: str) -> Visit | None:
    """The session behind a join link."""
    return _one(
        view, _JOINED.where(sessions.c.join_hash == hashed(secret), sessions.c.conversation_id == conversation_id)
    )


def of_conversations(tx: Reading, ids: Sequence[str]) -> dict[str, list[VisitOutline]]:
    """The sessions of these conversations, oldest first, by conversation."""
    query = (
        select(sessions)
        .where(sessions.c.environment == tx.environment, sessions.c.conversation_id.in_(ids))
        .order_by(sessions.c.created_at, sessions.c.id)
    )
    found: dict[str, list[VisitOutline]] = {}
    for row in tx.all(query) if ids else []:
        outline = VisitOutline(
            id=row.id,
            proof=Proof(row.proof),
            method=row.method,
            device=row.browser_hash is not None,
            reason=row.judged,
            created_at=row.created_at,
            ended_at=row.ended_at,
        )
        found.setdefault(row.conversation_id, []).append(outline)
    return found


def newest_proofs(tx: Reading, person_ids: Sequence[str]) -> dict[str, Proof]:
    """The proof of each person's newest visit; nobody who never had one."""
    newest = (
        select(sessions.c.proof)
        .where(sessions.c.environment == tx.environment, sessions.c.person_id == persons.c.id)
        .order_by(sessions.c.created_at.desc(), sessions.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = select(persons.c.id, newest.label("proof")).where(persons.c.id.in_(person_ids))
    return {row.id: Proof(row.proof) for row in tx.all(query) if row.proof is not None} if person_ids else {}


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """The browser that takes a session."""

    browser: str | None
    tab: str | None
    timezone: str | None
    locale: str | None


def exchange(tx: Writing, session_id: str, token: str, holder: Holder) -> bool:
    """Hand the session to a browser: to the first that comes, then only to that one again; says whether it was."""
    values: dict[str, object] = {"token_hash": hashed(token), "exchanged_at": tx.now, "browser_hash": holder.browser}
    values |= {"tab_hash": hashed(holder.tab)} if holder.tab else {}
    values |= {"timezone": holder.timezone} if holder.timezone else {}
    values |= {"locale": holder.locale} if holder.locale else {}
    is_free = sessions.c.exchanged_at.is_(None)
    is_theirs = false() if holder.browser is None else sessions.c.browser_hash == holder.browser
    return (
        tx.run(
            update(sessions)
            .where(
                sessions.c.environment == tx.environment,
                sessions.c.id == session_id,
                or_(is_free, is_theirs),
                sessions.c.ended_at.is_(None),
                sessions.c.expires_at > tx.now,
            )
            .values(values)
        )
        == 1
    )


def below_verified(tx: Reading, conversation_id: str) -> list[str]:
    """The sessions of this conversation that go on and are not verified."""
    query = select(sessions.c.id).where(
        sessions.c.environment == tx.environment,
        sessions.c.conversation_id == conversation_id,
        sessions.c.proof < int(Proof.verified),
        sessions.c.ended_at.is_(None),
    )
    return [row.id for row in tx.all(query)]


def persons_of(tx: Reading, conversation_id: str) -> dict[str, str]:
    """Whose each session of this conversation is."""
    query = select(sessions.c.id, sessions.c.person_id).where(
        sessions.c.environment == tx.environment, sessions.c.conversation_id == conversation_id
    )
    return {row.id: row.person_id for row in tx.all(query)}


def browsers_of(tx: Reading, conversation_id: str) -> dict[str, str | None]:
    """Which browser holds each session of this conversation, by the hash of its secret: to compare, never to show."""
    query = select(sessions.c.id, sessions.c.browser_hash).where(
        sessions.c.environment == tx.environment, sessions.c.conversation_id == conversation_id
    )
    return {row.id: row.browser_hash for row in tx.all(query)}


def end(tx: Writing, session_id: str) -> None:
    """The visit is over: its token opens nothing any more."""
    tx.run(
        update(sessions)
        .where(sessions.c.environment == tx.environment, sessions.c.id == session_id, sessions.c.ended_at.is_(None))
        .values(ended_at=tx.now)
    )


def _one(view: View, query: AnySelect) -> Visit | None:
    row = view.first(query)
    return None if row is None else _visit(row)


def _visit(row: Rows) -> Visit:
    domains = row.allowed_domains
    return Visit(
        session_id=row.id,
        environment=row.environment,
        conversation_id=row.conversation_id,
        person_id=row.person_id,
        owner_id=row.owner_id,
        external_id=row.external_id,
        proof=Proof(row.proof),
        method=row.method,
        reason=row.reason,
        timezone=row.timezone,
        locale=row.locale,
        allowed_domains=None if domains is None else tuple(domains),
        browser=row.browser_hash,
        top_proof=Proof(row.top_proof),
        exchanged_at=row.exchanged_at,
        expires_at=row.expires_at,
        ended_at=row.ended_at,
    )
