"""Signing out: what the browser stood for is taken away on the server, not only on the page."""

import asyncio
import json
import time
from typing import Any

import aiohttp
import pytest
from playwright.async_api import BrowserContext, Route, WebSocket, expect

from tests.journeys.visits import Site, Visit, visit
from tests.processes import Demo

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

STRICT = {
    "name": "Strict",
    "goals": [
        {
            "id": "g1",
            "type": "structured",
            "prompt": "Ask.",
            "schema": {"type": "object", "properties": {"company": {}}},
        }
    ],
    "settings": {"greeting": "Hello.", "embedded": {"resumption": True, "history_requires": "device"}},
}


@pytest.fixture(scope="module")
def key(roxels: Demo) -> str:
    """Of a template whose policy is `device`."""
    return asyncio.run(_key(roxels))


async def _key(roxels: Demo) -> str:
    headers = {"Authorization": f"Bearer {roxels.config['secret_key']}"}
    async with aiohttp.ClientSession(roxels.config["url"], headers=headers) as http:
        template = await (await http.post("/v1/templates", json=STRICT)).json()
        made = await (await http.post(f"/v1/embed/keys/{template['id']}", json={"allowed_domains": []})).json()
    return str(made["key"])


async def starts(tab: Visit, key: str, her: str) -> dict[str, Any]:
    """She starts, and is told why it resumed or not."""
    start = f"Roxels.start({json.dumps({'templateKey': key, 'externalId': her})}).ready"
    await tab.run(f"heard.length = 0; {start}")
    await tab.opened()
    report: dict[str, Any] = (await tab.heard("resumption"))[0]
    return report


def tokens(tab: Visit) -> list[str]:
    """What the frame's sockets say hello with, from now on."""
    said: list[str] = []

    def note(frame: str | bytes) -> None:
        if json.loads(frame).get("frame") == "hello":
            said.append(json.loads(frame)["token"])

    def listen(socket: WebSocket) -> None:
        socket.on("framesent", note)

    tab.page.on("websocket", listen)
    return said


async def slowly(route: Route) -> None:
    """On a network that is in no hurry."""
    await asyncio.sleep(1.5)
    await route.continue_()


async def she_talks(tab: Visit, key: str, her: str) -> None:
    """In a conversation that this browser, and nobody else, may go on with."""
    await starts(tab, key, her)
    await tab.run("Roxels.close()")
    assert (await starts(tab, key, her))["reason"] == "resumed"


async def test_reset_ends_the_session_and_the_standing_of_the_browser(
    roxels: Demo, site: Site, tabs: BrowserContext, key: str
) -> None:
    tab = await visit(tabs, site.url)
    said = tokens(tab)
    await she_talks(tab, key, "leaves-1")
    hello = {"frame": "hello", "v": 1, "token": said[-1], "after": 0, "rendered": None}
    async with aiohttp.ClientSession(roxels.config["url"]) as http, http.ws_connect("/v1/wire") as socket:
        await socket.send_json(hello)
        assert (await socket.receive_json())["frame"] == "welcome"
        began = time.monotonic()
        assert await tab.run("Roxels.reset()") is True
        async for _ in socket:
            pass
        assert time.monotonic() - began < 1
        assert socket.close_code == 4001
        answer = await http.get("/v1/wire?after=0", headers={"Authorization": f"Bearer {said[-1]}"})
        assert answer.status == 401
    assert await tab.page.locator("[data-roxels]").count() == 0
    report = await starts(tab, key, "leaves-1")
    assert (report["reason"], report["proof"], report["turns"]) == ("proof_needed", "claimed", 0)


async def test_without_a_talk_it_is_signed_out_all_the_same(site: Site, tabs: BrowserContext, key: str) -> None:
    tab = await visit(tabs, site.url)
    await she_talks(tab, key, "leaves-2")
    await tab.page.reload()
    assert await tab.run("Roxels.reset()") is True
    await expect(tab.page.locator("[data-roxels], iframe")).to_have_count(0)
    assert await tab.run("heard") == []
    assert (await starts(tab, key, "leaves-2"))["reason"] == "proof_needed"


@pytest.mark.parametrize("leave", ["Roxels.setPerson({externalId: 'bob'})", "Roxels.setPerson(null)"])
@pytest.mark.parametrize("shared", [True, False])
async def test_a_shared_browser_signs_out_at_every_switch(
    site: Site, tabs: BrowserContext, key: str, leave: str, shared: bool
) -> None:
    tab = await visit(tabs, site.url)
    her = f"leaves-{len(leave)}-{shared}"
    await tab.run(f"Roxels.init({{shared: {str(shared).lower()}}})")
    await she_talks(tab, key, her)
    await tab.run(leave)
    assert (await starts(tab, key, her))["reason"] == ("proof_needed" if shared else "resumed")


async def test_the_next_person_starts_at_once_and_stays(site: Site, tabs: BrowserContext, key: str) -> None:
    """The sign-out is of the one before: it does not overtake the next start, also where it takes its time."""
    tab = await visit(tabs, site.url)
    await tab.run("Roxels.init({shared: true})")
    await she_talks(tab, key, "leaves-6")
    await tabs.route("**/sessions/reset", slowly)
    start = f"Roxels.start({{templateKey: '{key}'}}).ready"
    await tab.run(f"Roxels.setPerson({{externalId: 'comes-6'}}); heard.length = 0; {start}")
    await tab.opened()
    await tab.say("Acme")
    await tab.frame.wait_for_selector("#log li:nth-child(3)")
    assert await tab.heard("error") == []
    assert len(await tab.heard("session")) == 1
    await tab.run("Roxels.close(); heard.length = 0")
    assert (await starts(tab, key, "comes-6"))["reason"] == "resumed"


async def test_it_is_signed_out_though_the_page_leaves_at_once(site: Site, tabs: BrowserContext, key: str) -> None:
    tab = await visit(tabs, site.url)
    await she_talks(tab, key, "leaves-7")
    await tab.run("void Roxels.reset(); location.href = '/signed-out'")
    await tab.page.wait_for_url("**/signed-out")
    await tab.page.wait_for_function("window.heard")
    assert (await starts(tab, key, "leaves-7"))["reason"] == "proof_needed"


async def test_destroyed_at_once_it_is_signed_out_and_the_page_as_it_was(
    site: Site, tabs: BrowserContext, key: str
) -> None:
    tab = await visit(tabs, site.url)
    await she_talks(tab, key, "leaves-8")
    await tab.run("void Roxels.reset(); Roxels.destroy()")
    await expect(tab.page.locator("[data-roxels], iframe")).to_have_count(0)
    await tab.page.reload()
    assert (await starts(tab, key, "leaves-8"))["reason"] == "proof_needed"
