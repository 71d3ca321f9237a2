"""A token with a `jti` lets in once, however many processes are asked at the same moment; a rotation refuses nobody,
and nobody is let in beside a revocation and stays."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import jwt
import pytest
from sqlalchemy import select

from roxels.actions.identify import TokenRefused, create_secret, identify, revoke_secret
from roxels.actions.open import VisitRequest, open_visit
from roxels.domain.proof import Proof
from roxels.storage.database import Backend
from roxels.storage.identities import IdentitySecret
from roxels.storage.schema import sessions
from roxels.storage.store import Store
from roxels.storage.transaction import Reading, Writing
from roxels.storage.vault import Keyring
from roxels.testing import CountedIds, FakeClock
from tests.cluster import open_in


def wish(template_id: str) -> VisitRequest:
    return VisitRequest(
        template_id=template_id,
        external_id=None,
        name=None,
        source="browser",
        proof=Proof.anonymous,
        method="none",
        context={},
    )


class Signer:
    """A customer's server with a secret of its own."""

    def __init__(self, kid: str, value: str, clock: FakeClock) -> None:
        self.kid, self.value, self.clock = kid, value, clock

    def sign(self, jti: str | None = None) -> str:
        ends = int((self.clock.now() + timedelta(minutes=5)).timestamp())
        claims = {"sub": "ada", "exp": ends} | ({"jti": jti} if jti else {})
        return jwt.encode(claims, self.value, "HS256", {"kid": self.kid})


@pytest.fixture
async def other(database: Backend, clock: FakeClock, tmp_path: Path) -> AsyncIterator[Store]:
    """A second process on the same database."""
    store = Store(open_in(tmp_path), clock)
    yield store
    await asyncio.to_thread(store.close)


async def signer(store: Store, keyring: Keyring, ids: CountedIds, clock: FakeClock) -> Signer:
    made, value = await store.write("test", create_secret, "web", "HS256", None, ids, keyring.vault)
    assert value is not None
    return Signer(made.id, value, clock)


async def test_two_processes_let_it_in_once(
    store: Store, other: Store, ids: CountedIds, keyring: Keyring, clock: FakeClock, template_id: str
) -> None:
    web = await signer(store, keyring, ids, clock)

    async def present(process: Store, token: str) -> bool:
        def enter(tx: Writing) -> bool:
            return identify(tx, wish(template_id), token, keyring.vault).proof is Proof.verified

        try:
            return await process.write("test", enter)
        except TokenRefused:
            return False

    for number in range(20):
        token = web.sign(f"once-{number}")
        let_in = await asyncio.gather(*(present(process, token) for process in (store, other) * 3))
        assert sum(let_in) == 1


async def test_a_rotation_under_load_refuses_nobody(
    store: Store, ids: CountedIds, keyring: Keyring, clock: FakeClock, template_id: str
) -> None:
    def enter(tx: Writing, token: str) -> Proof:
        return identify(tx, wish(template_id), token, keyring.vault).proof

    current = await signer(store, keyring, ids, clock)
    for _ in range(5):
        newer = await signer(store, keyring, ids, clock)
        both = [each.sign() for each in (current, newer)] * 5
        proofs = await asyncio.gather(*(store.write("test", enter, token) for token in both))
        assert set(proofs) == {Proof.verified}
        await store.write("test", revoke_secret, current.kid)
        with pytest.raises(TokenRefused):
            await store.write("test", enter, current.sign())
        current = newer


async def test_nobody_slips_in_while_it_is_revoked(
    store: Store, other: Store, ids: CountedIds, keyring: Keyring, clock: FakeClock, template_id: str
) -> None:
    def enter(tx: Writing, token: str) -> None:
        open_visit(tx, identify(tx, wish(template_id), token, keyring.vault), ids)

    def left(tx: Reading, kid: str) -> int:
        theirs = (sessions.c.identity_secret_id == kid, sessions.c.ended_at.is_(None))
        return len(tx.all(select(sessions.c.id).where(*theirs)))

    for _ in range(10):
        secret = await signer(store, keyring, ids, clock)
        tries = [process.write("test", enter, secret.sign()) for process in (store, other) * 4]
        outcomes = await asyncio.gather(
            *tries[:4], other.write("test", revoke_secret, secret.kid), *tries[4:], return_exceptions=True
        )
        assert {type(each) for each in outcomes} <= {type(None), IdentitySecret, TokenRefused}
        assert await store.read("test", left, secret.kid) == 0
