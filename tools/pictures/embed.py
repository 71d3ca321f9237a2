"""The pictures of the embed, from a real server and a page on another site."""

import asyncio
import base64
import contextlib
import json
import tempfile
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path
from typing import Any, Literal

import aiohttp
from playwright.async_api import Browser, Error, Page, Route, expect

from tests.journeys.visits import Network, Site, Visit
from tests.processes import Demo, free_port

DOCS = Path(__file__).resolve().parents[2] / "docs"
#: What Ada says on the pictures, and how what she hears in return ends.
SAID = [
    ("The conservatory", "already?"),
    ("about twenty-five", "dim."),
    ("bright", "plenty."),
    ("Something green all winter", "begin?"),
]
FORMED = {
    "name": "Fernwood plant planner",
    "goals": [{"id": "home", "label": "Your home", "schema": {"properties": {"room": {}, "light": {}}}}],
    "settings": {
        "embedded": {"resumption": True},
        "greeting": "Good to see you, **Ada**. Today we could plan:\n\n- your *conservatory*, before it gets cold\n"
        "- the [winter herbs](https://example.com/herbs)\n\nSay `later` and I will remember.",
    },
}
ARABIC = {
    "name": "مخطط النباتات",
    "language": "ar",
    "goals": [
        {
            "id": "home",
            "label": "منزلك",
            "prompt": "لنبدأ.",
            "schema": {"properties": {"room": {"title": "الغرفة", "description": "بأي غرفة نبدأ"}}},
        }
    ],
    "settings": {"embedded": {"resumption": True}, "greeting": "أهلاً بك. بعض الأسئلة القصيرة، ثم تكتمل خطتك."},
}
Scheme = Literal["light", "dark"]


class Studio:
    """A demo server behind a network that can be cut, a customer's site, and a browser."""

    def __init__(self, demo: Demo, network: Network, site: Site, browser: Browser) -> None:
        self.demo = demo
        self.network = network
        self.site = site
        self.browser = browser

    async def page(self, width: int, height: int, scheme: Scheme = "light") -> Page:
        """A window of that size, in which nothing moves."""
        context = await self.browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce", locale="en-GB"
        )
        return await context.new_page()

    async def ask(self, path: str, body: Any) -> Any:
        """A call of the customer's server."""
        headers = {"Authorization": f"Bearer {self.demo.config['secret_key']}"}
        async with aiohttp.ClientSession(self.demo.config["url"], headers=headers) as http:
            return await (await http.post(path, json=body)).json()

    async def key_of(self, template: dict[str, Any]) -> str:
        """An embed key of a template that is made for the picture."""
        made = await self.ask("/v1/templates", template)
        return str((await self.ask(f"/v1/embed/keys/{made['id']}", {"allowed_domains": []}))["key"])

    async def talk(self, page: Page, **options: Any) -> Visit:
        """A talk on the customer's page, up to its first question."""
        await page.goto(self.site.url)
        visit = Visit(page)
        await visit.start(**{"templateKey": self.demo.config["embed_key"], "externalId": "ada", **options})
        await expect(visit.frame.locator(".growing")).to_have_count(0)
        return visit


# The pictures -------------------------------------------------------------------------------------------------------


async def on_the_demo_page(studio: Studio, page: Page, who: str, display: str) -> None:
    """Somebody who was not there yet signs in on the demo page and answers a few questions."""
    await page.goto(studio.demo.config["demo_url"])
    visit = Visit(page)
    await page.get_by_text(who, exact=True).first.click()
    await visit.run(f"void Roxels.start({{display: '{display}'}})")
    await visit.opened()
    await visit.hears("?")
    for words, ending in SAID:
        await visit.say(words)
        await visit.hears(ending)


async def modal(studio: Studio) -> Page:
    page = await studio.page(1200, 750)
    await on_the_demo_page(studio, page, "Ada", "modal")
    return page


async def compact(studio: Studio) -> Page:
    page = await studio.page(1180, 760)
    await on_the_demo_page(studio, page, "Bob", "compact")
    return page


async def phone(studio: Studio) -> Page:
    page = await studio.page(360, 720, "dark")
    await on_the_demo_page(studio, page, "Nobody", "modal")
    return page


async def door(studio: Studio) -> Page:
    """What stands behind a join link."""
    page = await studio.page(900, 620)
    body = {"template_id": studio.demo.config["template_id"], "persons": [{"external_id": "invited"}]}
    await page.goto((await studio.ask("/v1/interviews", body))["join_url"])
    await page.get_by_role("button", name="Begin").wait_for()
    return page


async def opens(studio: Studio, page: Page, **options: Any) -> None:
    """The widget, whatever then becomes of it."""
    await page.goto(studio.site.url)
    wanted = json.dumps({"templateKey": studio.demo.config["embed_key"], "externalId": "ada", **options})
    await page.evaluate(f"void Roxels.start({wanted})")
    await page.wait_for_selector("[data-roxels=modal][data-state=open]")


async def connecting(studio: Studio, page: Page) -> None:
    async def slowly(route: Route) -> None:
        await asyncio.sleep(4)
        with contextlib.suppress(Error):  # the picture has been taken
            await route.abort()

    await page.route("**/v1/embed/sessions", slowly)
    await opens(studio, page)


async def formed(studio: Studio, page: Page) -> None:
    await studio.talk(page, templateKey=await studio.key_of(FORMED), externalId="reads")


async def correcting(studio: Studio, page: Page) -> None:
    visit = await studio.talk(page, externalId="corrects")
    for words, ending in SAID[:2]:
        await visit.say(words)
        await visit.hears(ending)
    await visit.frame.click("summary")
    await visit.frame.hover(".field")
    await visit.frame.click(".edit >> nth=0")


async def cut(studio: Studio, page: Page) -> None:
    """The network is gone, and something was said meanwhile."""
    visit = await studio.talk(page, externalId="is-cut")
    studio.network.cut()
    await visit.frame.wait_for_selector("[data-state=cut]")
    await visit.say(SAID[0][0])
    await visit.frame.wait_for_selector(".pending")


async def right_to_left(studio: Studio, page: Page) -> None:
    await studio.talk(page, templateKey=await studio.key_of(ARABIC), externalId="reads-from-the-right")


async def ended(studio: Studio, page: Page) -> None:
    visit = await studio.talk(page, externalId="is-done")
    await visit.say("stop")
    await visit.frame.locator(".agent:not(.growing)").nth(1).wait_for()
    await visit.say("yes")
    await visit.frame.wait_for_selector("#done")


async def used(studio: Studio, page: Page) -> None:
    await opens(studio, page, sessionId="sess_of-another-browser")
    await Visit(page).frame.wait_for_selector("#trouble")


async def failed(studio: Studio, page: Page) -> None:
    async def refuse(route: Route) -> None:
        await route.fulfill(status=403, json={"error": {"code": "forbidden", "message": "Not on this site."}})

    await page.route("**/v1/embed/sessions", refuse)
    await opens(studio, page)
    await Visit(page).frame.wait_for_selector("#trouble")


STATES: list[tuple[str, Scheme, Callable[[Studio, Page], Awaitable[None]]]] = [
    ("Connecting", "light", connecting),
    ("Words with form", "light", formed),
    ("A value is corrected", "dark", correcting),
    ("The network is gone", "dark", cut),
    ("Right to left", "light", right_to_left),
    ("Ended", "light", ended),
    ("A link that was used", "light", used),
    ("It cannot be opened", "dark", failed),
]
SHEET = """<!doctype html><meta charset="utf-8"><style>
body { margin: 0; padding: 24px; display: grid; grid-template-columns: repeat(4, 320px); gap: 24px; }
html { background: #e9ecec; }
figure { margin: 0; } img { display: block; width: 320px; border-radius: 12px; box-shadow: 0 2px 12px #0002; }
figcaption { margin-block-end: 8px; font: 600 14px system-ui, sans-serif; color: #333; }</style>"""


async def states(studio: Studio) -> Page:
    """All states of the frame on one sheet."""
    sheet = SHEET
    for title, scheme, prepare in STATES:
        page = await studio.page(360, 600, scheme)
        await prepare(studio, page)
        picture = base64.b64encode(await page.screenshot()).decode()
        studio.network.mend()
        await page.context.close()
        sheet += f'<figure><figcaption>{title}</figcaption><img src="data:image/png;base64,{picture}"></figure>'
    page = await studio.page(1400, 1210)
    await page.set_content(sheet)
    return page


PICTURES = {
    "demo": modal,
    "embed-compact": compact,
    "embed-phone": phone,
    "embed-join": door,
    "embed-states": states,
}


async def take(browser: Browser, names: Collection[str]) -> None:
    """Take these, from a server for the pictures alone, which is gone afterwards."""
    port = free_port()
    network = await Network(port).start()
    origin = f"http://127.0.0.1:{network.port}"
    site = await Site(origin).start()
    with tempfile.TemporaryDirectory() as folder:
        demo = Demo(Path(folder) / "data", port=port, scripted_cps="2000", public_url=origin)
        try:
            await asyncio.to_thread(demo.start)
            studio = Studio(demo, network, site, browser)
            for name in names:
                page = await PICTURES[name](studio)
                await page.screenshot(path=DOCS / f"{name}.png")
                await page.context.close()
                print(f"docs/{name}.png")
        finally:
            demo.stop()
            await site.stop()
            await network.stop()
