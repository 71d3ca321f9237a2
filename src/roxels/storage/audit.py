"""The audit log: who did what of consequence. Rows are only added, and go by retention alone."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import delete, insert, or_, select

from roxels.storage.pages import Page, Span, page
from roxels.storage.schema import audit
from roxels.storage.transaction import AcrossWriting, Environment, Reading, Writing

#: key: a secret key.   operator: in the dashboard.   command: on the server itself.   job, system: what followed of it.
#: browser: somebody with a page's embed key, or with nothing.
ActorKind = Literal["key", "operator", "command", "job", "system", "browser"]


class Actor(msgspec.Struct, frozen=True):
    """Who did it. `id`: the id of the key, embed key, operator or job."""

    kind: ActorKind
    id: str | None = None


SYSTEM = Actor("system")
COMMAND = Actor("command")
BROWSER = Actor("browser")


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One line. `subject` is the salted hash under which receipts, too, speak of a person or conversation."""

    id: str
    #: None for what belongs to no environment: signing in.
    environment: Environment | None
    at: datetime
    actor_kind: ActorKind
    actor_id: str | None
    action: str
    subject_kind: str | None
    subject: str | None
    detail: dict[str, Any]


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which lines are wanted; None is any."""

    action: str | None = None
    actor_id: str | None = None
    subjects: Collection[str] | None = None
    since: datetime | None = None
    until: datetime | None = None


def add(tx: Writing | AcrossWriting, entry: Entry) -> None:
    """Keep a line, in the transaction of what it tells of."""
    tx.run(insert(audit).values(msgspec.structs.asdict(entry)))


def listed(tx: Reading, wanted: Wanted, span: Span) -> Page[Entry]:
    """The lines of this environment and of none, newest first."""
    query = select(audit).where(or_(audit.c.environment == tx.environment, audit.c.environment.is_(None)))
    if wanted.action is not None:
        query = query.where(audit.c.action == wanted.action)
    if wanted.actor_id is not None:
        query = query.where(audit.c.actor_id == wanted.actor_id)
    if wanted.subjects is not None:
        query = query.where(audit.c.subject.in_(wanted.subjects))
    if wanted.since is not None:
        query = query.where(audit.c.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(audit.c.at < wanted.until)
    return page(tx, query, (audit.c.at, audit.c.id), span, lambda row: Entry(**row._mapping))


def drop_old(tx: Writing, before: datetime, limit: int) -> int:
    """Forget lines of before then, at most `limit`; says how many."""
    old = select(audit.c.id).where(audit.c.environment == tx.environment, audit.c.at < before).limit(limit)
    return tx.run(delete(audit).where(audit.c.id.in_(old)))
