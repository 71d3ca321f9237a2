"""Seal again, with the newest key, what an older one has sealed: a few rows a transaction, each as often as needed.

A row that changed meanwhile keeps its change: the update names what was read. Broken off anywhere, some rows are sealed
with the old key and some with the new one; both open, and the next run goes on with what is left.
"""

from collections.abc import Callable
from typing import Any, Final, Literal

import msgspec
from sqlalchemy import Column, Table, select, tuple_, update

from roxels.storage import idempotency as answers
from roxels.storage.schema import idempotency, identity_secrets, secrets, webhook_secrets
from roxels.storage.transaction import AcrossWriting, Rows
from roxels.storage.vault import CannotOpen, Vault

#: Rows that one transaction looks at.
AT_ONCE = 200


class _Sealed(msgspec.Struct, frozen=True):
    """A column that holds sealed text, and the id under which a row's is sealed."""

    column: Column[Any]
    place: Callable[[Rows], str]

    @property
    def table(self) -> Table:
        table: Table = self.column.table
        return table


#: Everything that the vault locks; a test finds what is missing here.
SEALED: Final[tuple[_Sealed, ...]] = (
    _Sealed(webhook_secrets.c.sealed, lambda row: str(row.id)),
    _Sealed(identity_secrets.c.sealed, lambda row: str(row.id)),
    _Sealed(secrets.c.sealed, lambda row: str(row.id)),
    _Sealed(idempotency.c.body, lambda row: answers.place(row.key)),
)


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far it has come: which column, after which key, and what came of it so far."""

    column: int = 0
    after: tuple[Any, ...] | None = None
    sealed: int = 0
    #: Rows that open with no key, by table and id: they stay as they are.
    lost: tuple[str, ...] = ()

    @property
    def is_over(self) -> bool:
        """Whether nothing is left."""
        return self.column >= len(SEALED)


def step(tx: AcrossWriting, vault: Vault, progress: Progress) -> Progress:
    """Seal the next rows again."""
    one = SEALED[progress.column]
    keys = list(one.table.primary_key.columns)
    query = select(one.table).where(one.column.is_not(None)).order_by(*keys).limit(AT_ONCE)
    if progress.after is not None:
        query = query.where(tuple_(*keys) > tuple_(*progress.after))
    rows = tx.all(query)
    done = [_seal_again(tx, vault, one, row) for row in rows]
    is_last = len(rows) < AT_ONCE
    return Progress(
        column=progress.column + is_last,
        after=None if is_last else tuple(rows[-1]._mapping[key] for key in keys),
        sealed=progress.sealed + done.count("sealed"),
        lost=(*progress.lost, *(_name(one, row) for row, each in zip(rows, done, strict=True) if each == "lost")),
    )


def _seal_again(tx: AcrossWriting, vault: Vault, one: _Sealed, row: Rows) -> Literal["sealed", "current", "lost"]:
    before: str = row._mapping[one.column]
    if vault.is_current(before):
        return "current"
    place = one.place(row)
    try:
        text = vault.open(before, environment=row.environment, id=place)
    except CannotOpen:
        return "lost"
    after = vault.seal(text, environment=row.environment, id=place)
    own = [key == row._mapping[key] for key in one.table.primary_key.columns]
    changed = tx.run(update(one.table).where(*own, one.column == before).values({one.column.name: after}))
    return "sealed" if changed else "current"


def _name(one: _Sealed, row: Rows) -> str:
    return f"{one.table.name} {row._mapping.get('id', 'of a day at most')}"
