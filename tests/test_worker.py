"""`roxels worker` beside `roxels serve --no-worker`: the one only talks, the other only delivers, on both databases."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from roxels.outbound.worker import POLL
from tests.cluster import address, at_hand
from tests.crash.test_deliveries import template
from tests.journeys.http_person import HttpPerson
from tests.outbound.sink import Answer, sinking
from tests.processes import ROXELS, free_port

#: Both databases; the second one where there is time.
EACH: Any = ["sqlite", pytest.param("postgresql", marks=[pytest.mark.postgresql, pytest.mark.long])]


@pytest.fixture(params=EACH)
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A data folder, and the database that it stands for, both empty."""
    with at_hand(request, tmp_path, is_empty=True):
        yield tmp_path


def environment(folder: Path) -> dict[str, str]:
    """The settings that both processes share."""
    return os.environ | {
        "ROXELS_DATA": str(folder / "data"),
        "ROXELS_DATABASE_URL": address(folder) or "",
        "ROXELS_ALLOW_PRIVATE_TARGETS": "on",
        "ROXELS_SCRIPTED_CPS": "0",
    }


@asynccontextmanager
async def running(folder: Path, *command: str, until: str) -> AsyncIterator[Process]:
    """A command, from when its log says `until`; ended by SIGTERM."""
    # What a worker is for does not go by the setting, which servers may share with it.
    settings = environment(folder) | ({"ROXELS_WORKER": "off"} if command == ("worker",) else {})
    process = await asyncio.create_subprocess_exec(str(ROXELS), *command, env=settings, stderr=PIPE)
    assert process.stderr is not None
    try:
        async with asyncio.timeout(30):
            while until not in (line := (await process.stderr.readline()).decode()):
                assert line, f"{command} ended"
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        async with asyncio.timeout(15):
            await process.communicate()


async def stopped(process: Process) -> int:
    """The exit code after SIGTERM."""
    process.terminate()
    async with asyncio.timeout(10):
        await process.communicate()
    assert process.returncode is not None
    return process.returncode


async def secret_key(folder: Path) -> str:
    """A key of the server, made beside it."""
    process = await asyncio.create_subprocess_exec(
        *(str(ROXELS), "key", "create", "--json"), env=environment(folder), stdout=PIPE, stderr=sys.stderr
    )
    printed, _ = await process.communicate()
    value: str = json.loads(printed)["value"]
    return value


class Backend:
    """Who asks the server's API."""

    def __init__(self, http: aiohttp.ClientSession, url: str, key: str) -> None:
        self._http, self._url, self._headers = http, url, {"Authorization": f"Bearer {key}"}

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        """What it answers."""
        async with self._http.request(method, f"{self._url}{path}", json=body, headers=self._headers) as answer:
            assert answer.status < 300, await answer.text()
            return await answer.json()

    async def delivery(self, status: str) -> dict[str, Any]:
        """The one delivery, once it has this status."""
        async with asyncio.timeout(20):
            while True:
                items: list[dict[str, Any]] = (await self.ask("GET", "/v1/deliveries"))["items"]
                if items and items[0]["status"] == status:
                    return items[0]
                await asyncio.sleep(0.05)


async def test_a_worker_delivers_what_a_server_without_one_owes(folder: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    serve = ("serve", "--no-worker", "--port", str(port))
    async with (
        sinking() as sink,
        aiohttp.ClientSession() as http,
        running(folder, *serve, until="Roxels listens"),
    ):
        backend = Backend(http, url, await secret_key(folder))
        await backend.ask("POST", "/v1/webhook-secrets", {})
        made = await backend.ask("POST", "/v1/templates", template(sink.url))
        key = await backend.ask("POST", f"/v1/embed/keys/{made['id']}", {})
        person = HttpPerson(http, {"url": url, "embed_key": key["key"]}, "ada")
        await person.open()
        await person.listen(lambda view: view.messages and view.writing is None)
        await person.answer("Acme")
        await backend.delivery("due")
        await asyncio.sleep(2 * POLL)
        assert sink.got == [], "a server without a worker delivers nothing"

        gate = asyncio.Event()
        sink.answering = lambda _got, _number: Answer(gate=gate)
        async with running(folder, "worker", until="delivers") as worker:
            await sink.until(1)
            assert await stopped(worker) == 0, "told to stop while it sends"
        gate.set()
        async with running(folder, "worker", until="delivers") as worker:
            await backend.delivery("delivered")
            assert await stopped(worker) == 0
    assert len({(got.body, got.headers["idempotency-key"]) for got in sink.got}) == 1
    assert json.loads(sink.got[-1].body)["data"] == {"company": "Acme"}
