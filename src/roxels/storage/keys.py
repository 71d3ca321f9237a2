"""Keys: secret keys by their hash, publishable embed keys, and sealed webhook secrets. Revoking is at once."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import insert, select, update

from roxels.domain.ids import hashed
from roxels.storage.pages import Page, Span, page
from roxels.storage.schema import api_keys, embed_keys, webhook_secrets
from roxels.storage.transaction import AnySelect, Environment, Reading, Rows, View, Writing


class EmbedKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key that a web page carries: it starts visits to one template from some domains, and nothing else."""

    id: str
    environment: Environment
    template_id: str
    key: str
    allowed_domains: tuple[str, ...]
    created_at: datetime
    revoked_at: datetime | None = None


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """A secret key of a customer's server. Its value is nowhere kept."""

    id: str
    environment: Environment
    name: str
    created_at: datetime
    revoked_at: datetime | None = None


class WebhookSecret(msgspec.Struct, frozen=True, kw_only=True):
    """What webhooks are signed with; its value is kept sealed, and opened by the worker alone."""

    id: str
    environment: Environment
    name: str
    created_at: datetime
    revoked_at: datetime | None = None


# Embed keys ---------------------------------------------------------------------------------------------------------


def create_embed_key(tx: Writing, key: EmbedKey) -> None:
    """Keep a new embed key."""
    tx.run(insert(embed_keys).values(msgspec.structs.asdict(key) | {"allowed_domains": list(key.allowed_domains)}))


def embed_key_by_value(view: View, value: str) -> EmbedKey | None:
    """The embed key that a page sent, unless it was revoked."""
    return _embed_key(
        view.first(select(embed_keys).where(embed_keys.c.key == value, embed_keys.c.revoked_at.is_(None)))
    )


def embed_key(tx: Reading, key_id: str) -> EmbedKey | None:
    """The embed key of that id, revoked or not."""
    return _embed_key(
        tx.first(select(embed_keys).where(embed_keys.c.environment == tx.environment, embed_keys.c.id == key_id))
    )


def embed_keys_of(tx: Reading, template_id: str, span: Span) -> Page[EmbedKey]:
    """The keys of a template, newest first."""
    query = select(embed_keys).where(
        embed_keys.c.environment == tx.environment, embed_keys.c.template_id == template_id
    )
    return page(tx, query, (embed_keys.c.created_at, embed_keys.c.id), span, _of_embed_row)


def domains_of(tx: Reading, template_id: str) -> tuple[str, ...]:
    """Where the keys of this template together let it be shown; empty where any of them, or their absence, says
    everywhere."""
    query = select(embed_keys.c.allowed_domains).where(
        embed_keys.c.environment == tx.environment,
        embed_keys.c.template_id == template_id,
        embed_keys.c.revoked_at.is_(None),
    )
    lists: list[Sequence[str]] = [row.allowed_domains for row in tx.all(query)]
    if not all(lists):
        return ()
    return tuple(dict.fromkeys(domain for domains in lists for domain in domains))


def revoke_embed_key(tx: Writing, key_id: str) -> None:
    """From now on it opens nothing."""
    tx.run(
        update(embed_keys)
        .where(embed_keys.c.environment == tx.environment, embed_keys.c.id == key_id, embed_keys.c.revoked_at.is_(None))
        .values(revoked_at=tx.now)
    )


# Secret keys --------------------------------------------------------------------------------------------------------


def create_api_key(tx: Writing, key: ApiKey, value: str) -> None:
    """Keep a new secret key; of its value only the hash."""
    tx.run(insert(api_keys).values(msgspec.structs.asdict(key) | {"hash": hashed(value)}))


def api_key_by_value(view: View, value: str) -> ApiKey | None:
    """The secret key that a caller sent, unless it was revoked."""
    return _api_key(view.first(_API_KEYS.where(api_keys.c.hash == hashed(value), api_keys.c.revoked_at.is_(None))))


def api_key(tx: Reading, key_id: str) -> ApiKey | None:
    """The secret key of that id, revoked or not."""
    return _api_key(tx.first(_API_KEYS.where(api_keys.c.environment == tx.environment, api_keys.c.id == key_id)))


def api_keys_page(tx: Reading, span: Span) -> Page[ApiKey]:
    """The secret keys of this environment, newest first."""
    query = _API_KEYS.where(api_keys.c.environment == tx.environment)
    return page(tx, query, (api_keys.c.created_at, api_keys.c.id), span, lambda row: ApiKey(**row._mapping))


def revoke_api_key(tx: Writing, key_id: str) -> None:
    """From now on it opens nothing."""
    tx.run(
        update(api_keys)
        .where(api_keys.c.environment == tx.environment, api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None))
        .values(revoked_at=tx.now)
    )


# Webhook secrets ----------------------------------------------------------------------------------------------------


def create_webhook_secret(tx: Writing, secret: WebhookSecret, sealed: str) -> None:
    """Keep a new webhook secret, sealed."""
    tx.run(insert(webhook_secrets).values(msgspec.structs.asdict(secret) | {"sealed": sealed}))


def webhook_secret(tx: Reading, secret_id: str) -> WebhookSecret | None:
    """The webhook secret of that id, revoked or not."""
    where = (webhook_secrets.c.environment == tx.environment, webhook_secrets.c.id == secret_id)
    row = tx.first(_WEBHOOK_SECRETS.where(*where))
    return None if row is None else WebhookSecret(**row._mapping)


def webhook_secrets_page(tx: Reading, span: Span) -> Page[WebhookSecret]:
    """The webhook secrets of this environment, newest first, without their values."""
    query = _WEBHOOK_SECRETS.where(webhook_secrets.c.environment == tx.environment)
    order = (webhook_secrets.c.created_at, webhook_secrets.c.id)
    return page(tx, query, order, span, lambda row: WebhookSecret(**row._mapping))


def revoke_webhook_secret(tx: Writing, secret_id: str) -> None:
    """From now on nothing is signed with it."""
    tx.run(
        update(webhook_secrets)
        .where(
            webhook_secrets.c.environment == tx.environment,
            webhook_secrets.c.id == secret_id,
            webhook_secrets.c.revoked_at.is_(None),
        )
        .values(revoked_at=tx.now)
    )


_API_KEYS: AnySelect = select(*(column for column in api_keys.c if column.name != "hash"))
_WEBHOOK_SECRETS: AnySelect = select(*(column for column in webhook_secrets.c if column.name != "sealed"))


def _embed_key(row: Rows | None) -> EmbedKey | None:
    return None if row is None else _of_embed_row(row)


def _of_embed_row(row: Rows) -> EmbedKey:
    return EmbedKey(**{**row._mapping, "allowed_domains": tuple(row.allowed_domains)})


def _api_key(row: Rows | None) -> ApiKey | None:
    return None if row is None else ApiKey(**row._mapping)
