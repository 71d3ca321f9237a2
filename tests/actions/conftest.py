"""Actions run on the same real database as storage's tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from roxels.actions.eraser import Eraser
from roxels.storage.store import Store
from roxels.storage.vault import Keyring
from roxels.testing import CountedIds, FakeClock
from tests.storage.conftest import clock, database, ids, store, template_id

__all__ = ["clock", "database", "ids", "store", "template_id"]


@pytest.fixture
def keyring(tmp_path: Path, ids: CountedIds) -> Keyring:
    return Keyring.load(tmp_path / "keys", ids.key)


@pytest.fixture
async def eraser(store: Store, ids: CountedIds, keyring: Keyring, clock: FakeClock) -> AsyncIterator[Eraser]:
    eraser = Eraser(store, ids, keyring, clock)
    yield eraser
    await eraser.close()
