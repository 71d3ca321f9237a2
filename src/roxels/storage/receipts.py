"""The chain of receipts of each environment."""

from collections.abc import Collection, Sequence

import msgspec
from sqlalchemy import insert, select

from roxels.domain.receipts import Receipt
from roxels.storage.schema import receipts
from roxels.storage.transaction import Reading, Rows, Writing


class ChainLink(msgspec.Struct, frozen=True):
    """A receipt and its place in the chain, from 1."""

    n: int
    receipt: Receipt


def get(tx: Reading, receipt_id: str) -> Receipt | None:
    """The receipt of that id."""
    row = tx.first(select(receipts).where(receipts.c.environment == tx.environment, receipts.c.id == receipt_id))
    return None if row is None else _link(row).receipt


def place(tx: Reading, receipt_id: str) -> ChainLink | None:
    """The receipt of that id, with its place."""
    row = tx.first(select(receipts).where(receipts.c.environment == tx.environment, receipts.c.id == receipt_id))
    return None if row is None else _link(row)


def last(tx: Reading) -> ChainLink | None:
    """The newest receipt."""
    query = select(receipts).where(receipts.c.environment == tx.environment).order_by(receipts.c.n.desc()).limit(1)
    row = tx.first(query)
    return None if row is None else _link(row)


def newest(tx: Reading, *, before: int | None, limit: int, subjects: Collection[str] | None = None) -> list[ChainLink]:
    """Receipts from the newest on; `before`: those whose place is less; `subjects`: only those about these."""
    query = select(receipts).where(receipts.c.environment == tx.environment)
    if before is not None:
        query = query.where(receipts.c.n < before)
    if subjects is not None:
        query = query.where(receipts.c.subject.in_(subjects))
    return [_link(row) for row in tx.all(query.order_by(receipts.c.n.desc()).limit(limit))]


def oldest(tx: Reading, *, after: int = 0, limit: int) -> list[ChainLink]:
    """Receipts from the oldest on; `after`: those whose place is greater."""
    query = select(receipts).where(receipts.c.environment == tx.environment, receipts.c.n > after)
    return [_link(row) for row in tx.all(query.order_by(receipts.c.n).limit(limit))]


def put_back(tx: Writing, links: Sequence[ChainLink]) -> int:
    """Keep receipts that a restored database does not know, each at its place; says how many were unknown."""
    rows = [{"environment": tx.environment, "n": link.n, **msgspec.structs.asdict(link.receipt)} for link in links]
    return sum(tx.insert_if_absent(receipts, row) for row in rows)


def add(tx: Writing, link: ChainLink) -> None:
    """Keep a sealed receipt at its place; a taken place is refused by the table."""
    tx.run(insert(receipts).values(environment=tx.environment, n=link.n, **msgspec.structs.asdict(link.receipt)))


def _link(row: Rows) -> ChainLink:
    values = dict(row._mapping)
    del values["environment"]
    return ChainLink(n=values.pop("n"), receipt=Receipt(**values))
