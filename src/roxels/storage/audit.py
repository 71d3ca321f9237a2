"""The audit log: who did what of consequence. Rows are only added, and go by retention alone."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import ColumnElement, delete, insert, select

from roxels.storage.pages import Cursor, Page, Span, page
from roxels.storage.schema import audit
from roxels.storage.transaction import AcrossWriting, AnySelect, Environment, Reading, Rows, Writing

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


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
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


class AuditFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which lines are wanted; None is any."""

    action: str | None = None
    actor_id: str | None = None
    subjects: Collection[str] | None = None
    since: datetime | None = None
    until: datetime | None = None


def add(tx: Writing | AcrossWriting, entry: AuditEntry) -> None:
    """Keep a line, in the transaction of what it tells of."""
    tx.run(insert(audit).values(msgspec.structs.asdict(entry)))


def listed(tx: Reading, wanted: AuditFilter, span: Span) -> Page[AuditEntry]:
    """The lines of this environment and of none, newest first.

    Each side, and each subject, is read for itself, through an index; asked for as one, all would be sorted first.
    """
    sides = (audit.c.environment == tx.environment, audit.c.environment.is_(None))
    subjects = (None,) if wanted.subjects is None else wanted.subjects
    queries = [_query(side, wanted, subject) for side in sides for subject in subjects]
    pages = [page(tx, query, (audit.c.at, audit.c.id), span, _entry) for query in queries]
    entries = sorted((entry for each in pages for entry in each.items), key=lambda each: (each.at, each.id))[::-1]
    shown = entries[: span.limit]
    has_more = len(entries) > span.limit or any(each.next for each in pages)
    after = Cursor(shown[-1].at, shown[-1].id, tx.environment, str(audit)) if has_more else None
    return Page(items=shown, next=after)


def _query(side: ColumnElement[bool], wanted: AuditFilter, subject: str | None) -> AnySelect:
    query: AnySelect = select(audit).where(side)
    if wanted.action is not None:
        query = query.where(audit.c.action == wanted.action)
    if wanted.actor_id is not None:
        query = query.where(audit.c.actor_id == wanted.actor_id)
    if subject is not None:
        query = query.where(audit.c.subject == subject)
    if wanted.since is not None:
        query = query.where(audit.c.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(audit.c.at < wanted.until)
    return query


def _entry(row: Rows) -> AuditEntry:
    return AuditEntry(**row._mapping)


def drop_old(tx: Writing, before: datetime, limit: int) -> int:
    """Forget lines of before then, at most `limit`; says how many."""
    old = select(audit.c.id).where(audit.c.environment == tx.environment, audit.c.at < before).limit(limit)
    return tx.run(delete(audit).where(audit.c.id.in_(old)))
