"""The demo page: a customer's page like any other, which shows in its own form what it is told."""

import pytest

from tests.browser.host import HostPage

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

DELIVERY = {
    "received_at": "2026-01-01T10:00:00Z",
    "headers": {"idempotency-key": "commit_9", "x-roxels-signature": "t=1,v1=ab"},
    "body": '{"goal_id": "home", "external_id": "ada", "data": {"room": "The kitchen"}}',
}


async def test_the_form_fills_deliveries_arrive_and_bob_sees_none_of_it(host: HostPage) -> None:
    host.server.deliveries = [DELIVERY]
    page = host.page
    await page.goto(f"{host.server.page}/demo/")
    await page.click("[name=account][value=ada] + span")
    await page.click("#start")
    await page.wait_for_selector("[data-roxels=modal][data-state=open]")
    await host.frame.wait_for_selector("#log .agent:not(.growing)")
    await host.frame.fill("#words", "The kitchen")
    await host.frame.press("#words", "Enter")
    await page.wait_for_selector("#deliveries >> text=commit_9")
    await page.wait_for_function("document.querySelector('#plan-fields input')?.value === 'The kitchen'")
    await page.keyboard.press("Escape")
    await page.click("[name=account][value=bob] + span")
    assert "kitchen" not in await page.inner_text("main")
    await page.click("#start")
    await page.wait_for_selector("[data-roxels=modal][data-state=open]")
    await host.frame.wait_for_selector("text=Hello bob")
    assert "kitchen" not in await host.frame.inner_text("body")
    assert await page.locator("#deliveries li").count() == 0


async def test_the_page_can_draw_the_talk_itself(host: HostPage) -> None:
    page = host.page
    await page.goto(f"{host.server.page}/demo/")
    await page.wait_for_function("window.Roxels && Roxels.state.connection === 'idle'")
    await page.click("#start-inline")
    await page.wait_for_selector("#inline-log >> text=Which room")
    await page.fill("#inline-words", "The kitchen")
    await page.press("#inline-words", "Enter")
    await page.wait_for_selector("#inline-log .user >> text=The kitchen")
    await page.wait_for_selector("#inline-log >> text=How many plants")
    await page.click("#inline-close")
    await page.wait_for_selector("#inline", state="hidden")


async def test_each_way_in_can_be_tried_beside_its_code(host: HostPage) -> None:
    page = host.page
    await page.goto(f"{host.server.page}/demo/")
    await page.wait_for_function("window.Roxels && Roxels.state.connection === 'idle'")
    for way, drawn in [("Script tag", "fab"), ("start alone", "compact"), ("init, then start", "modal")]:
        await page.get_by_role("tab", name=way, exact=True).click()
        await page.click("#try")
        await page.wait_for_selector(f"[data-roxels={drawn}]")
    await page.wait_for_selector("[data-roxels=modal][data-state=open]")
    await page.keyboard.press("Escape")
    await page.wait_for_selector("[data-roxels=modal]", state="detached")
    await page.get_by_role("tab", name="Opened by your server").click()
    await page.wait_for_selector("#try", state="hidden")
