"""One Chromium for all browser tests; a fresh server, context and page for each."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, async_playwright, expect

from tests.browser.fake_server import FakeServer
from tests.browser.host import HostPage

#: Milliseconds that a page may take to show what is waited for: much, for the machine may be busy.
PATIENCE = 20_000
expect.set_options(timeout=PATIENCE)

ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium(chromium_path: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_path, args=ARGS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def server() -> AsyncIterator[FakeServer]:
    fake = FakeServer()
    await fake.start()
    yield fake
    await fake.stop()


@pytest.fixture
def context_options() -> dict[str, Any]:
    return {"viewport": {"width": 1100, "height": 760}}


@pytest_asyncio.fixture(loop_scope="session")
async def context(chromium: Browser, context_options: dict[str, Any]) -> AsyncIterator[BrowserContext]:
    context = await chromium.new_context(**context_options)
    context.set_default_timeout(PATIENCE)
    yield context
    await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def host(server: FakeServer, context: BrowserContext) -> AsyncIterator[HostPage]:
    page = HostPage(server, await context.new_page())
    yield page
    assert page.noise == page.expected_noise, "the host's console stays empty"
