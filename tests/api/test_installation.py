"""What an installation says of itself: enough to find a wrong setting, and no secret."""

import httpx2

from tests.api.conftest import Door, told


async def test_it_says_what_it_runs_with(door: Door, server: httpx2.AsyncClient, stranger: httpx2.AsyncClient) -> None:
    told(await stranger.get("/v1/installation"), 401, "unauthorized")
    found = (await server.get("/v1/installation")).json()
    assert found.pop("version")
    assert found == {
        "origin": door.services.origin,
        "has_public_url": False,
        "database": "SQLite",
        "model": None,
        "worker": True,
        "limits": True,
        "private_targets": False,
    }
