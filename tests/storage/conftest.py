"""A real database in a folder of its own, with a template to talk about."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from roxels.storage import templates
from roxels.storage.database import Database
from roxels.storage.store import Store
from roxels.testing import CountedIds, FakeClock

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


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "roxels.db")
    database.create_all()
    yield database
    database.close()


@pytest.fixture
async def store(database: Database, clock: FakeClock) -> AsyncIterator[Store]:
    store = Store(database, clock)
    yield store
    await asyncio.get_running_loop().run_in_executor(None, store.close)


@pytest.fixture
async def template_id(store: Store, ids: CountedIds) -> str:
    return await store.write("test", templates.create, TEMPLATE, ids)
