"""An operator's whole story, in real Chromium: a template, a snippet on a page, a talk that is watched as it goes on, a
delivery that fails and is sent again, a visit that did not resume and why, and in the end a receipt.
"""

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.journeys.visits import Site, Visit, visit
from tests.processes import Demo

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

#: Who is signed in on the page; the snippet has another in that place.
PERSON = "drinks_tea"
HOST = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Tea</title><link rel="icon" href="data:,">
</head><body><h1>Tea</h1>{snippet}<script src="/record.js"></script></body></html>"""


def template(sink_url: str) -> dict[str, Any]:
    """One question, whose webhook is refused the first time."""
    tea = {"type": "string", "description": "Which tea shall it be?"}
    return {
        "name": "Tea order",
        "goals": [
            {
                "id": "order",
                "label": "The order",
                "schema": {"type": "object", "properties": {"tea": tea}, "required": ["tea"]},
                "outputs": [{"type": "webhook", "config": {"url": f"{sink_url}/story?status=404&times=1"}}],
            }
        ],
        "settings": {
            "greeting": "Welcome to the tea shop.",
            "embedded": {"resumption": True, "launcher": {"enabled": True, "label": "Order tea"}, "auto_close": False},
        },
    }


@pytest_asyncio.fixture(loop_scope="session")
async def desk(roxels: Demo, browser: Browser) -> AsyncIterator[Page]:
    """The operator's browser, signed in."""
    context = await browser.new_context(viewport={"width": 1200, "height": 820})
    context.set_default_timeout(15_000)
    page = await context.new_page()
    await page.goto(roxels.config["dashboard_url"])
    login = roxels.config["dashboard_login"]
    await page.get_by_label("E-mail").fill(login["email"])
    await page.get_by_label("Password").fill(login["password"])
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("heading", name="People")).to_be_visible()
    yield page
    await context.close()


async def test_the_operators_story(roxels: Demo, site: Site, desk: Page, tabs: BrowserContext) -> None:
    await makes_a_template(desk, roxels)
    await tries_it_beside_the_editor(desk)
    await tries_what_nobody_else_gets(desk)
    site.html = HOST.format(snippet=await takes_the_snippet(desk))
    guest = await opens_the_page(tabs, site, hears="Which tea shall it be?")
    await watches_the_talk(desk, guest)
    await sends_what_failed_again(desk, roxels)
    await guest.page.close()
    await opens_the_page(tabs, site, hears="Last time you said your tea is Earl Grey. Is that still right?")
    await sees_why_it_did_not_resume(desk)
    await erases_the_person(desk)


async def makes_a_template(desk: Page, roxels: Demo) -> None:
    """From the list of templates to one that is published."""
    await to(desk, "Templates")
    await desk.get_by_role("link", name="New template").first.click()
    await desk.get_by_text("The same in JSON").click()
    await desk.locator("textarea[name=text]").fill(json.dumps(template(roxels.config["sink_url"]), indent=2))
    await desk.get_by_role("button", name="Make it").click()
    await expect(desk.get_by_role("heading", level=1, name="Tea order")).to_be_visible()


async def tries_it_beside_the_editor(desk: Page) -> None:
    """As somebody whom nobody knows, without leaving the page."""
    await desk.get_by_role("textbox", name="As", exact=True).fill("tester")
    await desk.get_by_role("button", name="Talk").click()
    trial = desk.frame_locator("#trial")
    await trial.get_by_role("button", name="Begin").click()
    await expect(trial.locator("#log")).to_contain_text("Which tea shall it be?")
    await expect(desk.get_by_role("heading", level=1, name="Tea order")).to_be_visible()


async def tries_what_nobody_else_gets(desk: Page) -> None:
    """Another greeting, tried while the published one stays what people hear."""
    await desk.get_by_label("Greeting").fill("Welcome to the coffee house.")
    await desk.get_by_role("textbox", name="As", exact=True).fill("taster")
    await desk.get_by_role("button", name="Talk").click()
    await expect(desk.locator("main")).to_contain_text("You try version 2, a draft: nobody else is asked by it.")
    trial = desk.frame_locator("#trial")
    await trial.get_by_role("button", name="Begin").click()
    await expect(trial.locator("#log")).to_contain_text("Welcome to the coffee house.")


async def takes_the_snippet(desk: Page) -> str:
    """A key for it, and what is to be pasted."""
    await to(desk, "Embed")
    ours = desk.locator("section.template").filter(has_text="Tea order")
    await ours.get_by_role("button", name="Make key").click()
    await expect(ours.locator("pre").first).to_contain_text("data-template-key")
    return (await ours.locator("pre").first.inner_text()).replace("user_123", PERSON)


async def opens_the_page(tabs: BrowserContext, site: Site, *, hears: str) -> Visit:
    """Somebody comes to the customer's page and presses the button that the snippet put there."""
    guest = await visit(tabs, site.url)
    await guest.page.get_by_role("button", name="Order tea").click()
    await guest.opened()
    await guest.hears(hears)
    return guest


async def watches_the_talk(desk: Page, guest: Visit) -> None:
    """From the list of people to her words, as she says them, and what became of them."""
    await to(desk, "People")
    await desk.get_by_role("link", name=PERSON).click()
    await desk.get_by_role("link", name="Tea order").click()
    timeline, panels = desk.locator("#timeline"), desk.locator("#panels")
    await expect(timeline).to_contain_text("Which tea shall it be?")
    await guest.say("Earl Grey")
    await expect(timeline.locator("li.words.user p")).to_have_text("Earl Grey")
    await expect(timeline).to_contain_text("Committed The order, revision 1")
    await expect(panels.locator("[data-key=goals]")).to_contain_text("Earl Grey")
    await expect(panels.locator("[data-key=state]")).to_contain_text("completed")


async def sends_what_failed_again(desk: Page, roxels: Demo) -> None:
    """From the list of failures to a delivery that has arrived: the same bytes, the same key."""
    await to(desk, "Deliveries")
    await desk.get_by_role("navigation", name="Status").get_by_role("link", name="failed").click()
    await desk.locator("li").filter(has_text="/story?").get_by_role("link", name="The order").click()
    await expect(desk.get_by_role("heading", level=1)).to_contain_text("failed")
    await expect(desk.locator("[data-part=attempts]")).to_contain_text('{"ok":false}')
    await expect(desk.locator("#body")).to_contain_text("Earl Grey")
    await desk.get_by_role("button", name="Send again").click()
    await expect(desk.get_by_role("heading", level=1)).to_contain_text("delivered")
    async with aiohttp.ClientSession() as http, http.get(roxels.config["sink_url"]) as answer:
        items = [item for item in (await answer.json())["items"] if item["path"].endswith("/story")]
    assert len(items) == 2
    assert items[0]["body"] == items[1]["body"]
    assert items[0]["headers"]["idempotency-key"] == items[1]["headers"]["idempotency-key"]


async def sees_why_it_did_not_resume(desk: Page) -> None:
    """Her second conversation says why it is not the first, and leads there."""
    await to(desk, "People")
    await desk.get_by_role("link", name=PERSON).click()
    await desk.get_by_role("link", name="Tea order").first.click()
    await expect(desk.locator("#timeline")).to_contain_text("Not resumed: the earlier one had ended.")
    await desk.get_by_role("link", name="an earlier conversation").click()
    await expect(desk.locator("#timeline")).to_contain_text("Earl Grey")


async def erases_the_person(desk: Page) -> None:
    """She is gone, and the receipt stands where receipts stand."""
    await desk.get_by_role("link", name=PERSON).first.click()
    await desk.get_by_role("link", name="Erase…").click()
    await desk.get_by_role("button", name="Erase for good").click()
    await expect(desk.get_by_role("heading", name="Erased")).to_be_visible()
    receipt = json.loads(await desk.locator("#receipt").inner_text())
    assert receipt["counts"]["conversations"] == 2
    await to(desk, "Receipts")
    await expect(desk.locator("main")).to_contain_text(receipt["id"])
    await to(desk, "People")
    await expect(desk.get_by_role("link", name=PERSON)).to_have_count(0)


async def to(desk: Page, place: str) -> None:
    """Go there by the navigation."""
    await desk.get_by_role("navigation", name="Main").get_by_role("link", name=place, exact=True).click()
    await expect(desk.get_by_role("heading", level=1, name=place)).to_be_visible()
