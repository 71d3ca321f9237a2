"""Secrets that outputs name: kept sealed, opened by the delivery worker alone, never shown."""

from collections.abc import Collection
from datetime import datetime

import msgspec
from sqlalchemy import delete, or_, select, update

from roxels.domain.output_rules import secrets_of
from roxels.storage.pages import Page, Span, page
from roxels.storage.schema import secrets, template_versions, templates
from roxels.storage.transaction import AnySelect, Environment, Reading, View, Writing


class Secret(msgspec.Struct, frozen=True, kw_only=True):
    """A secret without its value."""

    id: str
    environment: Environment
    name: str
    description: str
    created_at: datetime
    updated_at: datetime


_SHOWN: AnySelect = select(*(column for column in secrets.c if column.name != "sealed"))


def create(tx: Writing, secret: Secret, sealed: str) -> bool:
    """Keep a new secret; False where its name is taken."""
    return tx.insert_if_absent(secrets, msgspec.structs.asdict(secret) | {"sealed": sealed})


def get(tx: Reading, secret_id: str) -> Secret | None:
    """The secret of that id, or of that name."""
    found = _SHOWN.where(
        secrets.c.environment == tx.environment, or_(secrets.c.id == secret_id, secrets.c.name == secret_id)
    )
    row = tx.first(found.order_by(secrets.c.id != secret_id))
    return None if row is None else Secret(**row._mapping)


def listed(tx: Reading, span: Span) -> Page[Secret]:
    """The secrets of this environment, newest first."""
    query = _SHOWN.where(secrets.c.environment == tx.environment)
    return page(tx, query, (secrets.c.created_at, secrets.c.id), span, lambda row: Secret(**row._mapping))


def save(tx: Writing, secret: Secret) -> None:
    """Keep its name and description."""
    _change(tx, secret.id, {"name": secret.name, "description": secret.description, "updated_at": tx.now})


def set_value(tx: Writing, secret_id: str, sealed: str) -> None:
    """Keep another value: all templates that name it use it from now on."""
    _change(tx, secret_id, {"sealed": sealed, "updated_at": tx.now})


def remove(tx: Writing, secret_id: str) -> None:
    """Forget it."""
    tx.run(delete(secrets).where(secrets.c.environment == tx.environment, secrets.c.id == secret_id))


def users(tx: Reading, names: Collection[str]) -> list[str]:
    """The ids of templates that name one of these, in any version: conversations stay on the one they began with."""
    query = (
        select(template_versions.c.template_id, template_versions.c.raw)
        .join(templates, templates.c.id == template_versions.c.template_id)
        .where(templates.c.environment == tx.environment)
        .order_by(template_versions.c.template_id)
    )
    return list({row.template_id: None for row in tx.all(query) if secrets_of(row.raw).intersection(names)})


def sealed(view: View, environment: str, names: Collection[str]) -> dict[str, tuple[str, str]]:
    """Of these names and ids those that are known: (id, sealed)."""
    query = select(secrets.c.id, secrets.c.name, secrets.c.sealed).where(
        secrets.c.environment == environment, or_(secrets.c.id.in_(names), secrets.c.name.in_(names))
    )
    found: dict[str, tuple[str, str]] = {}
    for row in view.all(query) if names else []:
        found |= {each: (row.id, row.sealed) for each in (row.name, row.id) if each in names}
    return found


def _change(tx: Writing, secret_id: str, values: dict[str, object]) -> None:
    tx.run(update(secrets).where(secrets.c.environment == tx.environment, secrets.c.id == secret_id).values(values))
