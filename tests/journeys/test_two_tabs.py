"""One person in two tabs: the same conversation live in both, word by word; either may speak; starting over.

A hidden tab draws nothing until it is shown; what its page hears comes all the while.
"""

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
    await second.shows(await first.words())
    await first.page.bring_to_front()
    await first.say("The hall")
    await first.hears("live there already?")
    await second.page.bring_to_front()
    await second.hears("live there already?")
    await second.say("7")
    await second.hears("dim.")
    await first.page.bring_to_front()
    await first.hears("dim.")
    await expect(first.frame.locator("#panel")).to_contain_text("7")
    await second.shows(await first.words())
    for tab in (first, second):
        growing = [chat["text"] for chat in await tab.heard("chat") if "dim." in chat["text"] or not chat["final"]]
        assert len(set(growing)) > 10
        assert await tab.lost() == []


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
    await ada.shows(words)
