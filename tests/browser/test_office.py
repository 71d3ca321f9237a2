"""Every page of the dashboard, looked at for everyone: screen readers, weak eyes, phones, keyboards, no script."""

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
import uvicorn
from playwright.async_api import Browser, BrowserContext, Page, expect

from roxels.testing import CountedIds
from tests.browser.axe import stumbles
from tests.dashboard.office import EMAIL, PASSWORD, Office
from tests.dashboard.stage import Past, Scene, fill

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

UNFOLD = "for (const each of document.querySelectorAll('main details')) each.open = true"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def office(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Office, Scene]]:
    """An office with a past, on a port of its own."""
    listener = socket.create_server(("127.0.0.1", 0))
    origin, clock = f"http://127.0.0.1:{listener.getsockname()[1]}", Past()
    folder: Path = tmp_path_factory.mktemp("office")
    office = Office(folder, clock, CountedIds(), origin=origin)
    await office.open()
    config = uvicorn.Config(office.app, log_level="warning", lifespan="off", ws="none", timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    yield office, await fill(office, clock)
    server.should_exit = True
    await serving
    await office.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def context(office: tuple[Office, Scene], chromium: Browser) -> AsyncIterator[BrowserContext]:
    """A browser whose operator is signed in."""
    context = await chromium.new_context(base_url=office[0].origin)
    page = await context.new_page()
    await page.goto("/dashboard/")
    await page.get_by_label("E-mail").fill(EMAIL)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("heading", name="People")).to_be_visible()
    await page.close()
    yield context
    await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def page(context: BrowserContext) -> AsyncIterator[Page]:
    """A tab. Whatever its console complains about fails the test."""
    page = await context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if "Content Security Policy" in said.text else None)
    yield page
    await page.close()
    assert not complaints


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_grave_on_any_page(office: tuple[Office, Scene], page: Page, scheme: str) -> None:
    await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
    found: dict[str, list[str]] = {}
    for name, address in office[1].addresses().items():
        for width in (1200, 375):
            await page.set_viewport_size({"width": width, "height": 800})
            await page.goto(address)
            await page.evaluate(UNFOLD)
            if stands := await stumbles(page):
                found[f"{name} at {width}"] = stands
    assert found == {}


async def test_axe_finds_nothing_grave_where_something_was_just_made_or_refused(
    office: tuple[Office, Scene], page: Page
) -> None:
    await page.goto("/dashboard/keys")
    await page.get_by_role("button", name="Make it").click()
    await expect(page.get_by_role("heading", name="Copy it now")).to_be_visible()
    assert await stumbles(page) == []
    await page.goto("/dashboard/secrets")
    await page.locator("#name").fill("no spaces")
    await page.locator("#value").fill("x")
    await page.get_by_role("button", name="Keep it").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    assert await stumbles(page) == []
    await page.goto("/dashboard/settings")
    await page.locator("#audit_days").fill("1")
    await page.get_by_role("button", name="See what it removes").click()
    await expect(page.get_by_role("button", name="Keep this rule")).to_be_visible()
    assert await stumbles(page) == []


async def test_nothing_sticks_out_on_a_phone(office: tuple[Office, Scene], page: Page) -> None:
    await page.set_viewport_size({"width": 360, "height": 740})
    wide = {}
    for name, address in office[1].addresses().items():
        await page.goto(address)
        await page.evaluate(UNFOLD)
        width = await page.evaluate("document.documentElement.scrollWidth")
        if width != 360:
            wide[name] = width
    assert wide == {}


async def test_the_places_open_as_a_menu_on_a_phone_by_keyboard(office: tuple[Office, Scene], page: Page) -> None:
    await page.set_viewport_size({"width": 375, "height": 740})
    await page.goto("/dashboard/")
    places = page.get_by_role("navigation", name="Main")
    await expect(places).to_be_hidden()
    await page.get_by_role("button", name="Menu").focus()
    await page.keyboard.press("Enter")
    await expect(places).to_be_visible()
    assert await stumbles(page) == []
    await page.keyboard.press("Escape")
    await expect(places).to_be_hidden()
    await expect(page.get_by_role("button", name="Menu")).to_be_focused()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    await expect(places.get_by_role("link", name="People")).to_be_focused()
    await places.get_by_role("link", name="Audit log").press("Enter")
    await expect(page.get_by_role("heading", name="Audit log")).to_be_visible()
    await expect(places).to_be_hidden()


async def test_the_places_stand_beside_every_page_and_say_where_one_is(
    office: tuple[Office, Scene], page: Page
) -> None:
    await page.set_viewport_size({"width": 1200, "height": 800})
    places = page.get_by_role("navigation", name="Main")
    for title in ("Templates", "Deliveries", "Webhook secrets", "API keys", "Receipts", "Settings", "People"):
        await page.goto("/dashboard/embed")
        await places.get_by_role("link", name=title).click()
        await expect(page.get_by_role("heading", level=1, name=title)).to_be_visible()
        await expect(places.locator("[aria-current]")).to_have_text(title)
    await page.goto(office[1].addresses()["conversation"])
    await expect(places.locator("[aria-current]")).to_have_text("People")


async def test_every_page_says_all_it_has_without_script(
    office: tuple[Office, Scene], context: BrowserContext, chromium: Browser
) -> None:
    plain = await chromium.new_context(
        base_url=office[0].origin,
        java_script_enabled=False,
        storage_state=await context.storage_state(),
        viewport={"width": 375, "height": 740},
    )
    page = await plain.new_page()
    await page.goto("/dashboard/")
    await page.get_by_role("button", name="Menu").click()
    await page.get_by_role("link", name="Webhook secrets").click()
    await page.locator("#name").fill("by hand")
    await page.get_by_role("button", name="Make it").click()
    await expect(page.get_by_text("whsec_")).to_be_visible()
    await page.get_by_role("button", name="Revoke by hand").click()
    await expect(page.get_by_role("button", name="Revoke by hand")).to_have_count(0)
    await plain.close()
