"""Coming back as the same person, whatever happened: the same words go on at the next character.

An observer in the frame notes every text node that shrinks, is replaced or goes away.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, expect

from tests.journeys.visits import Network, Site, Visit, visit
from tests.processes import Demo, free_port

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


class Place:
    """A server behind a network, and a customer's site in front of it."""

    def __init__(self, demo: Demo, network: Network, site: Site) -> None:
        self.demo = demo
        self.network = network
        self.site = site
        self.key: str = demo.config["embed_key"]


@pytest_asyncio.fixture(loop_scope="session")
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    port = free_port()
    network = await Network(port).start()
    origin = f"http://127.0.0.1:{network.port}"
    demo = Demo(tmp_path / "data", port=port, scripted_cps="50", public_url=origin)
    await asyncio.to_thread(demo.start)
    site = await Site(origin).start()
    yield Place(demo, network, site)
    await site.stop()
    demo.kill()
    await network.stop()


async def ada_begins(place: Place, tabs: BrowserContext) -> Visit:
    ada = await visit(tabs, place.site.url)
    await ada.start(templateKey=place.key, externalId="ada", personName="Ada")
    await ada.hears("make green first?")
    await ada.say("The conservatory")
    return ada


async def goes_on(ada: Visit, before: list[str]) -> None:
    """Everything that stood there stands there, and the sentence has its end."""
    await ada.hears("live there already?")
    after = await ada.words()
    assert [now.startswith(then) for now, then in zip(after, before, strict=True)] == [True] * len(before)
    assert await ada.lost() == []
    await expect(ada.frame.locator("#panel")).to_contain_text("The conservatory")


async def conversations(place: Place) -> list[dict[str, Any]]:
    headers = {"Authorization": f"Bearer {place.demo.config['secret_key']}"}
    async with aiohttp.ClientSession(headers=headers) as http:
        listed = await (await http.get(f"{place.demo.config['url']}/v1/interviews")).json()
        urls = [f"{place.demo.config['url']}/v1/interviews/{item['id']}" for item in listed["items"]]
        return [await (await http.get(url)).json() for url in urls]


async def test_reload_and_closed_tab(place: Place, tabs: BrowserContext) -> None:
    ada = await ada_begins(place, tabs)
    await ada.in_the_middle()
    before = await ada.words()
    await ada.page.reload()
    await ada.start(templateKey=place.key, externalId="ada")
    report = (await ada.heard("resumption"))[0]
    assert (report["resumed"], report["reason"], report["proof"]) == (True, "resumed", "device")
    assert report["turns"] == 2
    assert report["unfinished"]["chars"] >= len(before[-1])
    assert report["goals"]["your_home"] == "active"
    await goes_on(ada, before)

    await ada.say("25")
    await ada.in_the_middle()
    before = await ada.words()
    await ada.page.close()
    again = await visit(tabs, place.site.url)
    await again.start(templateKey=place.key, externalId="ada")
    await again.hears("dim.")
    assert (await again.words())[: len(before) - 1] == before[:-1]
    assert await again.lost() == []
    assert len(await conversations(place)) == 1


@pytest.mark.parametrize("seconds", [2, pytest.param(20, marks=pytest.mark.long)])
async def test_the_network_is_gone_for_a_while_and_a_message_is_written_meanwhile(
    place: Place, tabs: BrowserContext, seconds: int
) -> None:
    ada = await ada_begins(place, tabs)
    await ada.in_the_middle()
    place.network.cut()
    await ada.frame.wait_for_selector("[data-state=cut]")
    before = await ada.words()
    await ada.say("said while nothing passed")
    await ada.shows([*before, "said while nothing passed"])
    await asyncio.sleep(seconds)
    place.network.mend()
    await ada.frame.wait_for_selector("[data-state=live]", timeout=45_000)  # the next attempt may be half a minute away
    await ada.frame.wait_for_selector("#log .pending", state="detached")
    assert await ada.lost() == []
    transcript = (await conversations(place))[0]["transcript"]
    assert [turn["text"] for turn in transcript if turn["role"] == "user"] == [
        "The conservatory",
        "said while nothing passed",
    ]


async def test_offline_and_back_as_the_browser_tells_it(place: Place, tabs: BrowserContext) -> None:
    ada = await ada_begins(place, tabs)
    await ada.in_the_middle()
    before = await ada.words()
    await tabs.set_offline(True)
    place.network.cut()
    await asyncio.sleep(1)
    place.network.mend()
    await tabs.set_offline(False)
    await goes_on(ada, before)


async def test_the_server_is_killed_in_mid_answer_and_the_page_just_waits(place: Place, tabs: BrowserContext) -> None:
    ada = await ada_begins(place, tabs)
    await ada.in_the_middle()
    await asyncio.to_thread(place.demo.kill)
    before = await ada.words()
    await asyncio.to_thread(place.demo.start)
    await goes_on(ada, before)
    said = [chat for chat in await ada.heard("chat") if chat["final"]]
    assert len({chat["id"] for chat in said}) == len([chat for chat in said if not chat["replayed"]])


async def test_what_is_not_acknowledged_goes_by_beacon_under_the_same_id(place: Place, tabs: BrowserContext) -> None:
    ada = await ada_begins(place, tabs)
    await ada.hears("live there already?")
    place.network.cut()
    await ada.frame.wait_for_selector("body[data-phase=cut]")
    await ada.say("25")
    own = (await ada.heard("chat"))[-1]
    place.network.mend()
    await ada.page.goto("about:blank")
    async with asyncio.timeout(10):
        while len(transcript := (await conversations(place))[0]["transcript"]) < 4:
            await asyncio.sleep(0.1)
    assert (transcript[3]["id"], transcript[3]["text"]) == (own["id"], "25")
    again = await visit(tabs, place.site.url)
    await again.start(templateKey=place.key, externalId="ada")
    await again.hears("dim.")
    transcript = (await conversations(place))[0]["transcript"]
    assert [turn["text"] for turn in transcript if turn["role"] == "user"] == ["The conservatory", "25"]


async def test_without_an_id_a_new_tab_is_fresh(place: Place, tabs: BrowserContext) -> None:
    somebody = await visit(tabs, place.site.url)
    await somebody.start(templateKey=place.key)
    await somebody.hears("make green first?")
    await somebody.say("The canary room")
    await somebody.in_the_middle()
    other = await visit(tabs, place.site.url)
    await other.start(templateKey=place.key)
    await other.hears("make green first?")
    report = (await other.heard("resumption"))[0]
    assert (report["resumed"], report["reason"], report["proof"]) == (False, "new_person", "anonymous")
    assert "canary" not in await other.frame.content()


async def test_without_an_id_a_reload_of_the_tab_goes_on(place: Place, tabs: BrowserContext) -> None:
    somebody = await visit(tabs, place.site.url)
    await somebody.start(templateKey=place.key)
    await somebody.hears("make green first?")
    await somebody.say("The conservatory")
    await somebody.in_the_middle()
    before = await somebody.words()
    await somebody.page.reload()
    await somebody.start(templateKey=place.key)
    report = (await somebody.heard("resumption"))[0]
    assert (report["resumed"], report["reason"], report["proof"]) == (True, "resumed", "anonymous")
    await goes_on(somebody, before)
    assert len(await conversations(place)) == 1


async def test_without_an_id_and_without_cookies_a_reload_begins_anew_and_says_so(
    place: Place, tabs: BrowserContext
) -> None:
    somebody = await visit(tabs, place.site.url)
    await somebody.start(templateKey=place.key)
    await somebody.hears("make green first?")
    await tabs.clear_cookies()
    await somebody.page.reload()
    await somebody.start(templateKey=place.key)
    report = (await somebody.heard("resumption"))[0]
    assert (report["resumed"], report["reason"], report["proof"]) == (False, "new_person", "anonymous")


async def test_f5_on_a_page_with_a_session_of_its_server(place: Place, tabs: BrowserContext) -> None:
    """The page was rendered with the id in it, so a reload passes the same one."""
    headers = {"Authorization": f"Bearer {place.demo.config['secret_key']}"}
    body = {"template_id": place.demo.config["template_id"], "persons": [{"external_id": "ada", "name": "Ada"}]}
    async with aiohttp.ClientSession(headers=headers) as http:
        opened = await (await http.post(f"{place.demo.config['url']}/v1/interviews", json=body)).json()
    ada = await visit(tabs, place.site.url)
    await ada.start(sessionId=opened["session_id"])
    await ada.hears("make green first?")
    await ada.say("The conservatory")
    await ada.in_the_middle()
    before = await ada.words()
    await ada.page.reload()
    await ada.start(sessionId=opened["session_id"])
    assert (await ada.heard("resumption"))[0]["proof"] == "verified"
    await goes_on(ada, before)
    assert [talk["id"] for talk in await conversations(place)] == [opened["id"]]


async def test_the_page_is_told_what_came_of_it(roxels: Demo, site: Site, tabs: BrowserContext) -> None:
    """`complete` waits for the results, and `ended` for `complete`."""
    tab = await visit(tabs, site.url)
    await tab.start(templateKey=roxels.config["embed_key"], externalId="done-with-it")
    await tab.say("The hall")
    await tab.hears("already?")
    headers = {"Authorization": f"Bearer {roxels.config['secret_key']}"}
    async with aiohttp.ClientSession(roxels.config["url"], headers=headers) as http:
        (item,) = (await (await http.get("/v1/interviews?external_id=done-with-it")).json())["items"]
        ended = await (await http.post(f"/v1/interviews/{item['id']}/end")).json()
    await tab.until("heard.some(([name]) => name === 'ended')")
    assert ended["summary"]
    assert [complete["summary"] for complete in await tab.heard("complete")] == [ended["summary"]]
    names = [name for name, _ in await tab.run("heard")]
    assert names[-4:] == ["ending", "complete", "status", "ended"]
