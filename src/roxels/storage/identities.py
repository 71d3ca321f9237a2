"""What customers' servers sign identity tokens with, and the tokens that were used up."""

from datetime import datetime
from typing import Literal

import msgspec
from sqlalchemy import delete, insert, select, update

from roxels.storage.pages import Page, Span, page
from roxels.storage.schema import identity_secrets, used_tokens
from roxels.storage.transaction import Reading, Rows, Writing

Algorithm = Literal["HS256", "EdDSA"]


class IdentitySecret(msgspec.Struct, frozen=True, kw_only=True):
    """A way to sign. The id is the token's `kid`. `sealed`: HS256's secret; `public_key`: EdDSA's, as PEM."""

    id: str
    environment: str
    name: str
    alg: Algorithm
    sealed: str | None
    public_key: str | None
    created_at: datetime
    revoked_at: datetime | None = None


def create(tx: Writing, secret: IdentitySecret) -> None:
    """Keep a new one."""
    tx.run(insert(identity_secrets).values(msgspec.structs.asdict(secret)))


def get(tx: Reading, secret_id: str) -> IdentitySecret | None:
    """The one of that id in this environment, revoked or not."""
    row = tx.first(
        select(identity_secrets).where(
            identity_secrets.c.environment == tx.environment, identity_secrets.c.id == secret_id
        )
    )
    return None if row is None else _of(row)


def is_in_force(tx: Writing, secret_id: str) -> bool:
    """Whether it may let somebody in; until this transaction is over, nobody revokes it."""
    row = tx.first(
        select(identity_secrets.c.revoked_at)
        .where(identity_secrets.c.environment == tx.environment, identity_secrets.c.id == secret_id)
        .with_for_update(read=True)
    )
    return row is not None and row.revoked_at is None


def listed(tx: Reading, span: Span) -> Page[IdentitySecret]:
    """Those of this environment, newest first."""
    query = select(identity_secrets).where(identity_secrets.c.environment == tx.environment)
    return page(tx, query, (identity_secrets.c.created_at, identity_secrets.c.id), span, _of)


def revoke(tx: Writing, secret_id: str) -> None:
    """From now on nothing that it signed counts."""
    tx.run(
        update(identity_secrets)
        .where(
            identity_secrets.c.environment == tx.environment,
            identity_secrets.c.id == secret_id,
            identity_secrets.c.revoked_at.is_(None),
        )
        .values(revoked_at=tx.now)
    )


def use_up(tx: Writing, token_hash: str, expires_at: datetime) -> bool:
    """Use a token that may be presented once; says whether this was the time. Those that have run out are forgotten."""
    tx.run(delete(used_tokens).where(used_tokens.c.expires_at < tx.now))
    return tx.insert_if_absent(used_tokens, {"hash": token_hash, "expires_at": expires_at})


def _of(row: Rows) -> IdentitySecret:
    return IdentitySecret(**row._mapping)
