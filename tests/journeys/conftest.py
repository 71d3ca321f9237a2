"""One Chromium and one demo server for all browser journeys; those that kill servers start their own."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, async_playwright, expect

from tests.journeys.visits import ARGS, Site
from tests.processes import Demo

#: Milliseconds that a page may take to show what is waited for: much, for the machine may be busy.
expect.set_options(timeout=20_000)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(chromium_path: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_path, args=ARGS, timeout=60_000)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def tabs(browser: Browser) -> AsyncIterator[BrowserContext]:
    """A browser of one's own: nothing is shared between tests."""
    context = await browser.new_context(viewport={"width": 1180, "height": 780})
    context.set_default_timeout(15_000)
    yield context
    await context.close()


@pytest.fixture(scope="session")
def roxels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with Demo(tmp_path_factory.mktemp("roxels") / "data", scripted_cps="150") as demo:
        yield demo


@pytest_asyncio.fixture(loop_scope="session")
async def site(roxels: Demo) -> AsyncIterator[Site]:
    site = await Site(roxels.config["url"]).start()
    yield site
    await site.stop()
