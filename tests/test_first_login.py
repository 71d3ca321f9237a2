"""One's own server, from its first start: the log shows a code, and `roxels login` shows another."""

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.processes import ROXELS, free_port


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[tuple[str, asyncio.StreamReader]]:
    """`roxels serve` on an empty folder: its address, and its log."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(str(ROXELS), "serve", "--port", str(port), "--data", str(tmp_path / "data")),
        stderr=asyncio.subprocess.PIPE,
        stdout=sys.stderr,
    )
    assert process.stderr is not None
    yield f"http://127.0.0.1:{port}", process.stderr
    process.terminate()
    assert (await process.stderr.read()).count(b"password") == 0
    await process.wait()


async def line_with(log: asyncio.StreamReader, text: str) -> str:
    async with asyncio.timeout(30):
        while True:
            line = (await log.readline()).decode()
            assert line, "the server stopped"
            if text in line:
                return line


async def choose(http: aiohttp.ClientSession, address: str, code: str, password: str) -> int:
    """Choose a password; the status of the answer."""
    async with http.get(address) as page:
        token = re.findall(r'name="csrf" value="(\w+)"', await page.text())[0]
    data = {"csrf": token, "code": code, "email": "ops@example.com", "password": password}
    async with http.post(address, data=data, allow_redirects=False) as answer:
        return answer.status


async def test_the_first_visit_and_a_forgotten_password(
    tmp_path: Path, served: tuple[str, asyncio.StreamReader]
) -> None:
    url, log = served
    line = await line_with(log, "first_login")
    address, code = re.findall(r"address=(\S+) code=(\S+)", line)[0]
    assert address == f"{url}/dashboard/welcome"
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as http:
        assert await choose(http, address, code, "the first password") == 303
        async with http.get(f"{url}/dashboard/") as page:
            assert page.status == 200
        login = await asyncio.create_subprocess_exec(
            *(str(ROXELS), "login", "--data", str(tmp_path / "data"), "--json"), stdout=asyncio.subprocess.PIPE
        )
        printed, _ = await login.communicate()
        assert await choose(http, address, json.loads(printed)["code"], "the second password") == 303
    process = await asyncio.create_subprocess_exec(
        *(str(ROXELS), "login", "--data", str(tmp_path / "data"), "--email", "more@example.com"),
        stdout=asyncio.subprocess.PIPE,
    )
    printed, _ = await process.communicate()
    assert b"/dashboard/welcome" in printed
    assert b"works once" in printed
