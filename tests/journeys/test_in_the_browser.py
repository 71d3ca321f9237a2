"""The main job, all six steps, in real Chromium: the demo page on one site, Roxels on another, a `kill -9` between.

What the person sees is watched by an observer in the frame: no text that was shown may shrink or be replaced.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from playwright.async_api import Browser, BrowserContext, Frame, Page, async_playwright, expect

from tests.journeys.test_main_job import HOME, check_delivery, sink_items
from tests.processes import Demo

pytestmark = pytest.mark.browser

ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]

#: Notes every text node of the transcript that is replaced or gets shorter.
WATCH = """() => {
  window.lost = [];
  const check = (change) => {
    const isText = change.type === "characterData";
    if (isText && !change.target.data.startsWith(change.oldValue)) lost.push(change.oldValue);
    for (const node of change.removedNodes) if (node.textContent.trim()) lost.push(node.textContent);
  };
  const wanted = {subtree: true, childList: true, characterData: true, characterDataOldValue: true};
  new MutationObserver((changes) => changes.forEach(check)).observe(document.querySelector("#log"), wanted);
}"""


@pytest.fixture
async def chromium(chromium_path: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_path, args=ARGS, timeout=60_000)
        yield browser
        await browser.close()


@pytest.fixture
async def context(chromium: Browser) -> AsyncIterator[BrowserContext]:
    context = await chromium.new_context(viewport={"width": 1280, "height": 820})
    context.set_default_timeout(15_000)
    yield context
    await context.close()


class Talk:
    """The demo page and the conversation in it."""

    def __init__(self, page: Page) -> None:
        self.page = page

    @property
    def frame(self) -> Frame:
        return next(frame for frame in self.page.frames if "/embed/frame" in frame.url)

    async def begin(self, name: str) -> None:
        """Sign in and start."""
        await self.page.get_by_text(name, exact=True).first.click()
        await self.page.get_by_role("button", name="Plan my care").click()
        await self.page.wait_for_selector("iframe[data-roxels]", state="attached")
        async with asyncio.timeout(15):
            while not any("/embed/frame" in frame.url for frame in self.page.frames):
                await asyncio.sleep(0.05)
        await self.frame.wait_for_selector("#log li")
        await self.frame.evaluate(WATCH)

    async def words(self) -> list[str]:
        """The transcript as it stands."""
        return await self.frame.locator("#log .prose").all_inner_texts()

    async def say(self, text: str) -> None:
        await self.frame.locator("#words").fill(text)
        await self.frame.locator("#words").press("Enter")

    async def sees(self, messages: int, chars: int) -> None:
        """Wait until so many messages stand, and so much of the last one."""
        await self.frame.wait_for_function(
            """([messages, chars]) => {
              const all = [...document.querySelectorAll("#log .prose")];
              return all.length === messages && all.at(-1).textContent.length > chars;
            }""",
            arg=[messages, chars],
        )

    async def hears(self, ending: str) -> None:
        """Wait until the last answer ends so."""
        await expect(self.frame.locator("#log .prose").last).to_have_text(_ends_with(ending))

    async def lost(self) -> list[str]:
        lost: list[str] = await self.frame.evaluate("window.lost")
        return lost


def _ends_with(ending: str) -> Any:
    return re.compile(rf"{re.escape(ending)}\s*$")


async def test_the_main_job_in_chromium(tmp_path: Path, context: BrowserContext) -> None:
    demo = Demo(tmp_path / "data", scripted_cps="60").start()
    try:
        page = await context.new_page()
        noise: list[str] = []
        page.on("pageerror", lambda error: noise.append(str(error)))
        await page.goto(demo.config["demo_url"])
        ada = Talk(page)
        await ada_talks_until_the_server_dies(ada, demo)
        said = await ada_comes_back_in_a_new_tab(ada, demo, context)
        async with aiohttp.ClientSession() as http:
            item = (await sink_items(http, demo, 1))[0]
        assert check_delivery(item, demo, "ada")["data"] == HOME
        await bob_sees_nothing_of_ada(context, demo)
        await ada_is_resumed_once_more(context, demo, said)
        await the_operator_erases_ada(context, demo)
        await ada_is_a_stranger(context, demo)
        assert noise == []
    finally:
        demo.kill()


async def ada_talks_until_the_server_dies(ada: Talk, demo: Demo) -> None:
    """Steps 1 and 2: she answers, and while the agent is in the middle of a sentence the server is killed."""
    await ada.begin("Ada")
    await ada.hears("make green first?")
    assert "Ada" in (await ada.words())[0]
    await ada.say("The conservatory")
    await ada.hears("live there already?")
    before = len(await ada.words())
    await ada.say("25")
    await ada.sees(before + 2, 12)
    demo.kill()
    cut = (await ada.words())[-1]
    await asyncio.to_thread(demo.start)
    await ada.hears("dim.")
    assert (await ada.words())[-1].startswith(cut)
    assert len(cut) < len((await ada.words())[-1])
    assert await ada.lost() == []


async def ada_comes_back_in_a_new_tab(ada: Talk, demo: Demo, context: BrowserContext) -> list[str]:
    """Step 3: the tab is closed in mid-sentence; a new one shows the same and goes on. Says what was said."""
    before = await ada.words()
    await ada.say("bright")
    await ada.sees(len(before) + 2, 8)
    cut = await ada.words()
    await ada.page.close()
    again = Talk(await context.new_page())
    await again.page.goto(demo.config["demo_url"])
    await again.begin("Ada")
    await again.hears("plenty.")
    words = await again.words()
    assert words[: len(before)] == before
    assert [now.startswith(then) for now, then in zip(words, cut, strict=True)] == [True] * len(cut)
    assert await again.lost() == []
    await expect(again.frame.locator("#panel")).to_contain_text("The conservatory")
    await again.page.close()
    return words


async def bob_sees_nothing_of_ada(context: BrowserContext, demo: Demo) -> None:
    """Step 5: another person in the same browser."""
    bob = Talk(await context.new_page())
    await bob.page.goto(demo.config["demo_url"])
    await bob.begin("Bob")
    await bob.hears("make green first?")
    everything = "".join([await frame.content() for frame in bob.page.frames if "/embed/frame" in frame.url])
    everything += str(await bob.words())
    assert "conservatory" not in everything
    assert "Ada" not in everything
    await bob.page.close()


async def ada_is_resumed_once_more(context: BrowserContext, demo: Demo, said: list[str]) -> None:
    """Step 5, second half: Ada again, everything as it was."""
    ada = Talk(await context.new_page())
    await ada.page.goto(demo.config["demo_url"])
    await ada.begin("Ada")
    await ada.hears("plenty.")
    assert await ada.words() == said
    await ada.page.close()


async def the_operator_erases_ada(context: BrowserContext, demo: Demo) -> None:
    """Step 6: people, person, conversation with its words; erase; a receipt."""
    page = await context.new_page()
    await page.goto(demo.config["dashboard_url"])
    login = demo.config["dashboard_login"]
    await page.get_by_label("E-mail").fill(login["email"])
    await page.get_by_label("Password").fill(login["password"])
    await page.get_by_role("button", name="Sign in").click()
    await page.get_by_role("link", name="Ada").first.click()
    await page.get_by_role("link", name="Fernwood plant planner").first.click()
    await expect(page.locator("#timeline")).to_contain_text("The conservatory")
    await page.go_back()
    await page.get_by_role("link", name="Erase").click()
    await page.get_by_role("button", name="Erase for good").click()
    await expect(page.get_by_role("heading", name="Erased")).to_be_visible()
    await expect(page.locator("#receipt")).to_contain_text('"signature"')
    await page.goto(demo.config["dashboard_url"])
    await expect(page.get_by_role("link", name="Ada")).to_have_count(0)
    await page.close()


async def ada_is_a_stranger(context: BrowserContext, demo: Demo) -> None:
    """Step 6, second half."""
    ada = Talk(await context.new_page())
    await ada.page.goto(demo.config["demo_url"])
    await ada.begin("Ada")
    await ada.hears("make green first?")
    assert len(await ada.words()) == 1
    await ada.page.close()
