"""An office on a real database, and a browser whose operator is signed in."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from roxels.testing import CountedIds, FakeClock
from tests.dashboard.office import Office, sign_in


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def office(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Office]:
    office = Office(tmp_path, clock, CountedIds())
    await office.open()
    yield office
    await office.close()


@pytest.fixture
async def stranger(office: Office) -> AsyncIterator[httpx2.AsyncClient]:
    """A browser that is not signed in."""
    async with office.client() as client:
        yield client


@pytest.fixture
async def operator(office: Office) -> AsyncIterator[httpx2.AsyncClient]:
    """A browser that is signed in."""
    async with office.client() as client:
        response = await sign_in(client)
        assert response.status_code == 303, response.text
        yield client
