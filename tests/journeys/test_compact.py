"""The compact box: moved, folded to an orb, and found again where it was left."""

import pytest
from playwright.async_api import BrowserContext, Page

from tests.journeys.visits import Site, visit
from tests.processes import Demo

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

BOX = "[data-roxels=compact]"


async def place_of(page: Page) -> tuple[int, int]:
    box = await page.locator(BOX).bounding_box()
    assert box
    return round(box["x"]), round(box["y"])


async def test_it_moves_folds_and_remembers(roxels: Demo, site: Site, tabs: BrowserContext) -> None:
    key = roxels.config["embed_key"]
    tab = await visit(tabs, site.url)
    page = tab.page
    await tab.start(templateKey=key, externalId="compact", display="compact")
    await tab.hears("make green first?")
    await page.click("#before")  # the page stays usable
    left, top = await place_of(page)
    await page.mouse.move(left + 60, top + 20)
    await page.mouse.down()
    await page.mouse.move(left - 140, top - 40, steps=5)
    await page.mouse.up()
    assert await place_of(page) == (left - 200, top - 60)
    await page.focus("[data-roxels=grip]")
    await page.keyboard.press("ArrowLeft")
    assert await place_of(page) == (left - 224, top - 60)
    await page.mouse.move(left - 100, top - 40)
    await page.mouse.down()
    await page.mouse.move(-500, -500, steps=3)
    await page.mouse.up()
    assert await place_of(page) == (8, 8), "it never leaves the window"

    await page.get_by_role("button", name="Minimise").click()
    orb = page.get_by_role("button", name="Open the conversation")
    assert await orb.is_visible()
    assert not await page.locator("iframe[data-roxels]").is_visible()
    await tab.run("Roxels.sendMessage('The hall')")
    await page.wait_for_selector("[data-roxels=orb][data-news]")
    before = await place_of(page)
    await page.reload()
    await tab.run(f"void Roxels.start({{templateKey: '{key}', externalId: 'compact', display: 'compact'}})")
    await orb.wait_for()
    assert await place_of(page) == before
    await tab.until("heard.some(([name]) => name === 'connected')")
    await orb.click()
    await tab.hears("live there already?")
    assert "roxels.place" in await tab.run("JSON.stringify(localStorage)")
    assert "compact" not in await tab.run("JSON.stringify(localStorage)")
    await page.get_by_role("button", name="Close").click()
    assert await page.locator("[data-roxels]").count() == 0
