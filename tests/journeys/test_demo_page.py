"""The demo page against the real server: deliveries reach the page of the person they are about, and no other."""

import asyncio

import aiohttp
import pytest
from playwright.async_api import BrowserContext, Route, expect

from tests.journeys.visits import Visit, visit
from tests.processes import Demo

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

CANARY = "the canary conservatory"


async def begin(tab: Visit, name: str) -> None:
    await tab.page.get_by_text(name, exact=True).first.click()
    await tab.page.locator("#start").click()
    await tab.opened()
    await tab.hears("make green first?")


async def test_whoever_presses_early_is_heard(roxels: Demo, tabs: BrowserContext) -> None:
    """The page is drawn before it knows of Roxels; until then its buttons wait, they do not play dead."""

    async def late(route: Route) -> None:
        await asyncio.sleep(1)
        await route.continue_()

    await tabs.route("**/demo/config.json", late)
    bob = await visit(tabs, roxels.config["demo_url"])
    assert await bob.page.locator("#start").is_disabled()
    await begin(bob, "Bob")


async def test_deliveries_reach_only_the_person_they_are_about(roxels: Demo, tabs: BrowserContext) -> None:
    ada = await visit(tabs, roxels.config["demo_url"])
    await begin(ada, "Ada")
    for words, ending in [(CANARY, "already?"), ("25", "dim."), ("bright", "plenty.")]:
        await ada.say(words)
        await ada.hears(ending)
    await expect(ada.page.locator("#deliveries")).to_contain_text("Idempotency-Key", timeout=20_000)
    shown = await ada.page.locator("#deliveries").inner_text()
    assert CANARY in (await ada.page.locator("#deliveries").text_content() or "")
    assert "person_id" not in shown
    await ada.page.close()

    bob = await visit(tabs, roxels.config["demo_url"])
    await begin(bob, "Bob")
    for _ in range(3):
        async with bob.page.expect_response("**/deliveries.json?**") as answer:
            pass
        assert await (await answer.value).json() == {"items": []}


@pytest.mark.parametrize("query", ["", "?as=ada", "?session=", "?session=sess_unknown", "?as=ada&session=sess_unknown"])
async def test_nothing_is_shown_to_whoever_cannot_name_a_session(roxels: Demo, query: str) -> None:
    async with aiohttp.ClientSession() as http:
        for about in ("iv_1", None, ""):
            item = {"external_id": "ada", "interview_id": about, "data": CANARY}
            await (await http.post(roxels.config["sink_url"], json=item)).read()
        answer = await http.get(f"{roxels.config['url']}/demo/deliveries.json{query}")
        assert await answer.json() == {"items": []}


async def test_her_next_conversation_begins_with_an_empty_page(roxels: Demo, tabs: BrowserContext) -> None:
    """Deliveries and the form are those of the running conversation, not of all that she ever said."""
    bob = await visit(tabs, roxels.config["demo_url"])
    await begin(bob, "Bob")
    for words, ending in [("the first room", "already?"), ("25", "dim."), ("bright", "plenty.")]:
        await bob.say(words)
        await bob.hears(ending)
    form = bob.page.locator("#plan-fields")
    await expect(form.locator("input").first).to_have_value("the first room")
    await expect(bob.page.locator("#deliveries li")).to_have_count(1, timeout=20_000)
    assert "person_id" not in (await bob.page.locator("#deliveries").text_content() or "")
    await bob.frame.click("#more")
    await bob.frame.click("#start-over")
    await bob.frame.click("#confirm-yes")
    await expect(bob.page.locator("#deliveries li")).to_have_count(0)
    await bob.hears("still right?")
    async with bob.page.expect_response("**/deliveries.json?**") as answer:
        pass
    assert await (await answer.value).json() == {"items": []}
    await expect(form.locator("input")).to_have_count(0)
