"""Where the server says that it is too often, the widget says so calmly, and goes on by itself."""

import pytest
from playwright.async_api import Route, expect

from tests.browser.host import RECORD, HostPage

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_a_start_waits_its_turn_and_says_so(host: HostPage) -> None:
    refused: list[str] = []

    async def door(route: Route) -> None:
        if refused:
            await route.fallback()
            return
        refused.append(route.request.url)
        busy = {"error": {"code": "rate_limited", "message": "Too many requests."}}
        await route.fulfill(status=429, json=busy, headers={"Retry-After": "1"})

    await host.page.route("**/v1/embed/sessions", door)
    await host.open()
    await host.run(RECORD)
    await host.run("void Roxels.start({ templateKey: 'rk_test_1' })")
    frame = host.page.frame_locator("iframe[data-roxels=frame]")
    await expect(frame.locator("#hint")).to_contain_text("goes on by itself in 1 s")
    await host.said(1)
    assert [fault["error"] for fault in await host.told("error")] == ["rate_limited"]
    assert len(host.server.requests) == 1
    host.expected_noise = ["Failed to load resource: the server responded with a status of 429 (Too Many Requests)"]
