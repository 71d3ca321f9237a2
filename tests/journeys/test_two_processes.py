"""Two servers on one database: one speaks, the other shows the same word by word, and takes over when the first dies.

Any process serves any conversation: a load balancer needs to know nothing of it.
"""

import asyncio
import contextlib
import os
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.cluster import BOTH, address, at_hand
from tests.journeys.http_person import HttpPerson
from tests.processes import ROXELS, Demo, free_port


@pytest.fixture(params=BOTH)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with at_hand(request, tmp_path, is_empty=True):
        yield address(tmp_path) or ""


@contextlib.asynccontextmanager
async def second_server(http: aiohttp.ClientSession, data: Path, database_url: str) -> AsyncIterator[str]:
    """`roxels serve` on the same data; says where."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {**os.environ, "ROXELS_DATABASE_URL": database_url, "ROXELS_SCRIPTED_CPS": "60"}
    with (
        (data.parent / "second.log").open("w") as log,
        subprocess.Popen(
            [str(ROXELS), "serve", "--port", str(port), "--data", str(data)], stderr=log, env=environment
        ) as process,
    ):
        try:
            async with asyncio.timeout(30):
                while not await is_ready(http, url):
                    await asyncio.sleep(0.05)
            yield url
        finally:
            process.terminate()
            assert await asyncio.to_thread(process.wait, 15) in (0, -15)


async def is_ready(http: aiohttp.ClientSession, url: str) -> bool:
    """Whether it can serve."""
    try:
        async with http.get(f"{url}/readyz") as answer:
            return answer.status == 200
    except aiohttp.ClientConnectionError:
        return False


def pieces(person: HttpPerson) -> list[dict[str, Any]]:
    """What came of answers while they were being said."""
    return [frame for frame in person.frames if frame["frame"] == "piece"]


async def test_one_speaks_and_the_other_shows_it_and_takes_over(tmp_path: Path, database_url: str) -> None:
    demo = Demo(tmp_path / "data", scripted_cps="60", database_url=database_url)
    await asyncio.to_thread(demo.start)
    try:
        async with (
            aiohttp.ClientSession() as http,
            second_server(http, tmp_path / "data", database_url) as second,
        ):
            ada = HttpPerson(http, demo.config, "ada")
            await ada.open()
            speaking = asyncio.create_task(ada.listen(lambda view: False))
            while not pieces(ada):
                await asyncio.sleep(0.01)
            reader = HttpPerson(http, {**demo.config, "url": second}, "ada")
            assert (await reader.open())["reason"] == "resumed"
            await reader.listen(lambda view: view.messages and view.writing is None)
            assert reader.last == ada.last
            assert len({frame["from"] for frame in pieces(reader)}) > 3, "it comes as it is said, not at the end"

            await reader.say("The conservatory")
            await reader.listen(lambda view: view.writing and len(view.messages[view.writing].text) > 10)
            assert len(reader.transcript) == 3
            demo.kill()
            killed_at, shown = time.monotonic(), len(pieces(reader))
            with contextlib.suppress(AssertionError, aiohttp.ClientError):
                await speaking
            before = reader.transcript
            await reader.listen(lambda view: view.writing is None or len(pieces(reader)) > shown + 3)
            assert time.monotonic() - killed_at < 3
            await reader.listen(lambda view: view.writing is None)
            assert reader.transcript[:-1] == before[:-1]
            assert reader.last.startswith(before[-1][1])
            assert [role for role, _ in reader.transcript] == ["agent", "user", "agent"]
            await reader.answer("25")
            assert reader.view.data["your_home"] == {"room": "The conservatory", "plant_count": 25}
    finally:
        demo.kill()
