"""A join link: a page with a button; its secret reaches no server but in the exchange, and lets one browser in."""

import json
from typing import Any, Literal

import aiohttp
import pytest
from playwright.async_api import Browser, BrowserContext, Page, WebSocketRoute, expect

from tests.browser.axe import stumbles
from tests.processes import Demo

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def opened(roxels: Demo, external_id: str) -> dict[str, Any]:
    """A conversation that a server opened for somebody."""
    headers = {"Authorization": f"Bearer {roxels.config['secret_key']}"}
    body = {"template_id": roxels.config["template_id"], "persons": [{"external_id": external_id, "name": "Ada"}]}
    async with aiohttp.ClientSession(headers=headers) as http:
        answer: dict[str, Any] = await (await http.post(f"{roxels.config['url']}/v1/interviews", json=body)).json()
        return answer


async def greeting(page: Page) -> None:
    await expect(page.locator("#log")).to_contain_text("make green first?")


async def test_a_press_of_the_button_opens_the_talk(roxels: Demo, tabs: BrowserContext, browser: Browser) -> None:
    link = (await opened(roxels, "invited"))["join_url"]
    secret = link.partition("#")[2]
    page = await tabs.new_page()
    sent: list[str] = []
    page.on("request", lambda request: sent.append(f"{request.url} {request.headers}"))
    await page.goto(link)
    await expect(page.locator("#door-title")).to_have_text("You are invited to a conversation")
    assert not any("/v1/" in each for each in sent)
    await page.get_by_role("button", name="Begin").click()
    await greeting(page)
    assert secret not in page.url
    assert not any(secret in each for each in sent)
    await page.fill("#words", "The hall")
    await page.press("#words", "Enter")
    await expect(page.locator("#log")).to_contain_text("live there already?")
    assert await page.locator("#more").is_hidden()

    elsewhere = await browser.new_context()
    other = await elsewhere.new_page()
    await other.goto(link)
    await other.get_by_role("button", name="Begin").click()
    await expect(other.locator("#trouble-text")).to_contain_text("used already")
    assert "The hall" not in await other.content()
    await elsewhere.close()


async def test_when_its_time_is_over_a_new_link_is_what_helps(roxels: Demo, tabs: BrowserContext) -> None:
    page = await tabs.new_page()
    lines: list[WebSocketRoute] = []

    def through(line: WebSocketRoute) -> None:
        line.connect_to_server()
        lines.append(line)

    await page.route_web_socket("**/v1/wire", through)
    await page.goto((await opened(roxels, "invited-for-long"))["join_url"])
    await page.get_by_role("button", name="Begin").click()
    await greeting(page)
    lines[0].send(json.dumps({"frame": "bye", "code": "time", "retry_ms": None}))
    await lines[0].close(code=1000)
    await expect(page.locator("#done-text")).to_contain_text("ask for a new link")
    assert await page.locator("#again").is_hidden()


async def test_a_link_without_its_secret_says_what_to_do(roxels: Demo, tabs: BrowserContext) -> None:
    link = (await opened(roxels, "invited-2"))["join_url"].partition("#")[0]
    page = await tabs.new_page()
    await page.goto(link)
    await expect(page.locator("#door-text")).to_contain_text("ask for a new one")
    assert await page.locator("#enter").is_hidden()


async def test_nobody_but_the_dashboard_may_frame_it(roxels: Demo) -> None:
    async with aiohttp.ClientSession() as http, http.get(f"{roxels.config['url']}/join/i/iv_any") as answer:
        assert "frame-ancestors 'self'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_everybody_gets_through_the_door(
    roxels: Demo, browser: Browser, scheme: Literal["light", "dark"]
) -> None:
    """The door, the talk behind it, and what stands there when the link was used: nothing that axe calls serious."""
    link = (await opened(roxels, f"invited-{scheme}"))["join_url"]
    for used in (False, True):
        context = await browser.new_context(color_scheme=scheme, reduced_motion="reduce")
        page = await context.new_page()
        await page.goto(link)
        assert await stumbles(page) == []
        await page.get_by_role("button", name="Begin").click()
        await expect(page.locator("#trouble-text" if used else "#log")).to_contain_text("used" if used else "first?")
        assert await stumbles(page) == []
        await context.close()
