"""Templates and their immutable versions. What the customer wrote is kept as written."""

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import func, insert, select, update

from roxels.domain import templates as rules
from roxels.domain.ids import Ids
from roxels.domain.proof import Proof
from roxels.domain.templates import Template
from roxels.storage.pages import Page, Span, page
from roxels.storage.schema import conversations, template_versions, templates
from roxels.storage.transaction import Reading, View, Writing


class StoredTemplate(msgspec.Struct, frozen=True, kw_only=True):
    """A template's row with one of its versions."""

    id: str
    environment: str
    version: int
    active_version: int
    status: str
    raw: dict[str, Any]
    created_at: Any
    updated_at: Any

    def read(self) -> Template:
        """What the raw JSON means."""
        return rules.read(self.id, self.version, self.raw)


class VersionOutline(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a template as a list shows it."""

    version: int
    name: str
    is_active: bool
    created_at: datetime
    published_at: datetime | None


_JOINED = select(
    templates.c.id,
    templates.c.environment,
    template_versions.c.version,
    templates.c.active_version,
    templates.c.status,
    template_versions.c.raw,
    templates.c.created_at,
    templates.c.updated_at,
).join(template_versions, template_versions.c.template_id == templates.c.id)


def active(tx: Reading, template_id: str) -> StoredTemplate | None:
    """The template in its active version."""
    return _first(
        tx,
        _JOINED.where(
            templates.c.environment == tx.environment,
            templates.c.id == template_id,
            template_versions.c.version == templates.c.active_version,
        ),
    )


def policy(tx: Reading, template_id: str) -> Proof:
    """The least proof that opens a past under this template, as it is published now."""
    query = select(templates.c.history_requires)
    kept = tx.value(query.where(templates.c.environment == tx.environment, templates.c.id == template_id))
    return Proof.verified if kept is None else Proof(kept)


def strictest(tx: Reading, person_id: str) -> Proof:
    """The most that any template requires on which somebody talked as this person."""
    query = (
        select(func.max(templates.c.history_requires))
        .join(conversations, conversations.c.template_id == templates.c.id)
        .where(conversations.c.environment == tx.environment, conversations.c.person_id == person_id)
    )
    return Proof(tx.value(query) or Proof.claimed)


def active_across(view: View, template_id: str) -> StoredTemplate | None:
    """The template in its active version, whatever its environment: for whoever holds its embed key."""
    return _first(
        view,
        _JOINED.where(templates.c.id == template_id, template_versions.c.version == templates.c.active_version),
    )


def version(view: View, template_id: str, number: int) -> StoredTemplate | None:
    """One version of a template; a conversation stays on the one it began with."""
    return _first(view, _JOINED.where(templates.c.id == template_id, template_versions.c.version == number))


def listed(tx: Reading, span: Span) -> Page[StoredTemplate]:
    """The templates of this environment in their active versions, newest first."""
    query = _JOINED.where(
        templates.c.environment == tx.environment, template_versions.c.version == templates.c.active_version
    )
    return page(tx, query, (templates.c.created_at, templates.c.id), span, lambda row: StoredTemplate(**row._mapping))


def history(tx: Reading, template_id: str) -> list[VersionOutline]:
    """All versions of a template, oldest first; none where there is no such template."""
    query = (
        select(template_versions, templates.c.active_version)
        .join(templates, templates.c.id == template_versions.c.template_id)
        .where(templates.c.environment == tx.environment, templates.c.id == template_id)
        .order_by(template_versions.c.version)
    )
    return [
        VersionOutline(
            version=row.version,
            name=row.raw["name"],
            is_active=row.version == row.active_version,
            created_at=row.created_at,
            published_at=row.published_at,
        )
        for row in tx.all(query)
    ]


def create(tx: Writing, raw: dict[str, Any], ids: Ids) -> str:
    """Keep a new template, its first version published; says its id."""
    template_id = ids.new("tpl")
    tx.run(
        insert(templates).values(
            id=template_id,
            environment=tx.environment,
            name=raw["name"],
            status="active",
            active_version=1,
            history_requires=int(rules.history_requires(raw)),
            created_at=tx.now,
            updated_at=tx.now,
        )
    )
    _keep_version(tx, template_id, 1, raw, published=True)
    return template_id


def hold(tx: Writing, template_id: str) -> None:
    """Let nobody else change this template until the transaction ends. Read it afterwards."""
    tx.first(
        tx.held(select(templates.c.id).where(templates.c.environment == tx.environment, templates.c.id == template_id))
    )


def revise(tx: Writing, template_id: str, raw: dict[str, Any], *, publish: bool) -> int:
    """Keep a new version; says its number. Published, it is the one that new conversations begin with."""
    newest = tx.value(
        select(func.max(template_versions.c.version)).where(template_versions.c.template_id == template_id)
    )
    number = int(newest) + 1
    _keep_version(tx, template_id, number, raw, published=publish)
    if publish:
        activate(tx, template_id, number, raw)
    return number


def activate(tx: Writing, template_id: str, number: int, raw: dict[str, Any]) -> None:
    """Make this version the one that new conversations begin with."""
    tx.run(
        update(template_versions)
        .where(
            template_versions.c.environment == tx.environment,
            template_versions.c.template_id == template_id,
            template_versions.c.version == number,
            template_versions.c.published_at.is_(None),
        )
        .values(published_at=tx.now)
    )
    tx.run(
        update(templates)
        .where(templates.c.environment == tx.environment, templates.c.id == template_id)
        .values(
            active_version=number,
            name=raw["name"],
            history_requires=int(rules.history_requires(raw)),
            updated_at=tx.now,
        )
    )


def set_status(tx: Writing, template_id: str, status: str) -> None:
    """`active`, or `archived`: kept for what began with it."""
    tx.run(
        update(templates)
        .where(templates.c.environment == tx.environment, templates.c.id == template_id)
        .values(status=status, updated_at=tx.now)
    )


def _keep_version(tx: Writing, template_id: str, number: int, raw: dict[str, Any], *, published: bool) -> None:
    tx.run(
        insert(template_versions).values(
            template_id=template_id,
            version=number,
            environment=tx.environment,
            raw=raw,
            created_at=tx.now,
            published_at=tx.now if published else None,
        )
    )


def _first(view: View, query: Any) -> StoredTemplate | None:
    row = view.first(query)
    return None if row is None else StoredTemplate(**row._mapping)
