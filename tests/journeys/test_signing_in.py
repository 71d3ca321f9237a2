"""Signing in during a talk: what was begun as nobody goes on as hers, without a seam."""

import asyncio
from typing import Any

import aiohttp
import pytest
from playwright.async_api import BrowserContext

from tests.journeys.visits import Site, visit
from tests.processes import Demo

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def talks_of(roxels: Demo, her: str) -> list[dict[str, Any]]:
    headers = {"Authorization": f"Bearer {roxels.config['secret_key']}"}
    async with aiohttp.ClientSession(headers=headers) as server:
        url = f"{roxels.config['url']}/v1/interviews?external_id={her}"
        items: list[dict[str, Any]] = (await (await server.get(url)).json())["items"]
    return items


async def test_an_anonymous_talk_goes_on_as_hers(roxels: Demo, site: Site, tabs: BrowserContext) -> None:
    tab = await visit(tabs, site.url)
    await tab.start(templateKey=roxels.config["embed_key"])
    await tab.hears("make green first?")
    await tab.say("The conservatory")
    await tab.in_the_middle()
    words = await tab.words()
    await tab.run("heard.length = 0; Roxels.setPerson({externalId: 'signs-in-1', name: 'Ada'})")
    await tab.hears("live there already?")
    await tab.until("heard.some(([name]) => name === 'session')")
    after = await tab.words()
    assert [now.startswith(then) for now, then in zip(after, words, strict=True)] == [True] * len(words)
    assert await tab.lost() == []
    assert await tab.heard("error") == []
    await tab.say("Seven")
    async with asyncio.timeout(10):
        while not (talks := await talks_of(roxels, "signs-in-1")):
            await asyncio.sleep(0.05)
    assert [talk["adopted_at"] is not None for talk in talks] == [True]
    assert [each["proof"] for each in talks[0]["sessions"]] == ["anonymous", "claimed"]
    words = await tab.words()
    again = await visit(tabs, site.url)
    await again.start(templateKey=roxels.config["embed_key"], externalId="signs-in-1")
    assert (await again.heard("resumption"))[0]["reason"] == "resumed"
    assert (await again.words())[: len(words) - 1] == words[:-1]


async def test_start_afterwards_is_the_same_talk(roxels: Demo, site: Site, tabs: BrowserContext) -> None:
    tab = await visit(tabs, site.url)
    options = {"templateKey": roxels.config["embed_key"]}
    await tab.start(**options)
    await tab.hears("make green first?")
    await tab.run("heard.length = 0; Roxels.setPerson({externalId: 'signs-in-2'})")
    await tab.until("heard.some(([name, p]) => name === 'status' && p.status === 'connected')")
    assert await tab.run(f"(call => Roxels.start({{templateKey: '{options['templateKey']}'}}) === call)(Roxels.call)")
