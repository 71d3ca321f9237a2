"""A real database for each test, once SQLite and once PostgreSQL, with a template to talk about."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from roxels.storage import templates
from roxels.storage.database import Backend
from roxels.storage.store import Store
from roxels.testing import CountedIds, FakeClock
from tests.cluster import BOTH, at_hand, open_in

TEMPLATE: dict[str, Any] = {
    "name": "Welcome",
    "goals": [
        {
            "id": "g1",
            "prompt": "Tell me about your company.",
            "schema": {
                "type": "object",
                "properties": {"company": {"type": "string", "description": "The name of your company"}},
                "required": ["company"],
            },
            "outputs": [{"type": "webhook", "config": {"url": "http://127.0.0.1:9/hook"}}],
        }
    ],
    "settings": {"greeting": "Hello!", "embedded": {"resumption": True}},
}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def ids() -> CountedIds:
    return CountedIds()


@pytest.fixture(params=BOTH)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    with at_hand(request, tmp_path):
        database = open_in(tmp_path)
        yield database
        database.close()


@pytest.fixture
async def store(database: Backend, clock: FakeClock) -> AsyncIterator[Store]:
    store = Store(database, clock)
    yield store
    await asyncio.get_running_loop().run_in_executor(None, store.close)


@pytest.fixture
async def template_id(store: Store, ids: CountedIds) -> str:
    return await store.write("test", templates.create, TEMPLATE, ids)
