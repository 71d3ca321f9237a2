"""One person in two tabs: the same conversation live in both, word by word; either may speak; starting over."""

import pytest
from playwright.async_api import BrowserContext, expect

from tests.journeys.visits import Site, visit
from tests.processes import Demo

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_both_tabs_are_live_and_either_may_speak(roxels: Demo, site: Site, tabs: BrowserContext) -> None:
    key = roxels.config["embed_key"]
    first, second = await visit(tabs, site.url), await visit(tabs, site.url)
    await first.start(templateKey=key, externalId="two-tabs")
    await first.hears("make green first?")
    await second.start(templateKey=key, externalId="two-tabs")
    assert await second.words() == await first.words()
    await first.say("The hall")
    await second.in_the_middle(3)
    grown = await second.words()
    await second.hears("live there already?")
    assert (await second.words())[-1].startswith(grown[-1])
    await second.say("7")
    await first.in_the_middle(3)
    await first.hears("dim.")
    await expect(first.frame.locator("#panel")).to_contain_text("7")
    assert await second.words() == await first.words()
    assert await first.lost() == []
    assert await second.lost() == []


async def test_starting_over_begins_anew_and_the_next_visit_finds_the_newest(
    roxels: Demo, site: Site, tabs: BrowserContext
) -> None:
    key = roxels.config["embed_key"]
    ada = await visit(tabs, site.url)
    await ada.start(templateKey=key, externalId="starts-over")
    await ada.hears("make green first?")
    await ada.say("The first room")
    await ada.hears("live there already?")
    await ada.frame.click("#more")
    await ada.frame.click("#start-over")
    await ada.frame.click("#confirm-yes")
    await ada.until("heard.filter(([name]) => name === 'resumption').length === 2")
    report = (await ada.heard("resumption"))[1]
    assert (report["resumed"], report["reason"]) == (False, "asked_new")
    await expect(ada.frame.locator("#log")).not_to_contain_text("The first room")
    await expect(ada.frame.locator("#panel")).not_to_contain_text("The first room")
    await ada.hears("?")
    words = await ada.words()
    await ada.page.reload()
    await ada.start(templateKey=key, externalId="starts-over")
    assert await ada.words() == words
