"""The pictures of the dashboard in `docs/`, taken of the real pages in a real browser.

`make pictures` takes all of them again. On the stage are people who never were: `tests.dashboard.stage`.
"""

import asyncio
import socket
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import uvicorn
from playwright.async_api import Browser, Page, async_playwright

from roxels.testing import CountedIds
from tests.browser.conftest import ARGS
from tests.dashboard.office import EMAIL, PASSWORD, Office
from tests.dashboard.stage import Past, Scene, fill
from tests.needs import chromium

DOCS = Path(__file__).resolve().parent.parent / "docs"


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """One picture: of which page of the stage, how large, in which light."""

    name: str
    of: str
    width: int = 1200
    height: int = 820
    scheme: str = "light"


PICTURES = (
    Picture(name="dashboard-people", of="people", height=560),
    Picture(name="dashboard-person", of="person", height=1010),
    Picture(name="dashboard-conversation", of="conversation", height=1000),
    Picture(name="dashboard-not-resumed", of="not-resumed", height=620),
    Picture(name="dashboard-delivery", of="delivery", height=790),
    Picture(name="dashboard-phone", of="conversation", width=375, height=760, scheme="dark"),
)


@asynccontextmanager
async def stage() -> AsyncIterator[tuple[Office, Scene]]:
    """The dashboard of an office with a past, served on a free port."""
    with tempfile.TemporaryDirectory() as folder:
        listener = socket.create_server(("127.0.0.1", 0))
        clock = Past()
        office = Office(Path(folder), clock, CountedIds(), origin=f"http://127.0.0.1:{listener.getsockname()[1]}")
        await office.open()
        config = uvicorn.Config(office.app, log_level="warning", lifespan="off", ws="none", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        yield office, await fill(office, clock)
        server.should_exit = True
        await serving
        await office.close()


async def take(browser: Browser, office: Office, scene: Scene, picture: Picture) -> None:
    """Take one, as an operator sees it who has just signed in."""
    context = await browser.new_context(
        base_url=office.origin,
        viewport={"width": picture.width, "height": picture.height},
        color_scheme="dark" if picture.scheme == "dark" else "light",
        reduced_motion="reduce",
        locale="en-GB",
        timezone_id="Europe/London",
    )
    page = await context.new_page()
    await _sign_in(page)
    await page.goto(scene.addresses()[picture.of])
    await page.evaluate("document.fonts.ready")
    await page.screenshot(path=str(DOCS / f"{picture.name}.png"))
    await context.close()


async def _sign_in(page: Page) -> None:
    await page.goto("/dashboard/")
    await page.get_by_label("E-mail").fill(EMAIL)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await page.get_by_role("heading", name="People").wait_for()


async def main(names: list[str]) -> int:
    """Take all, or those that are named; says with what fault it ended."""
    wanted = [picture for picture in PICTURES if not names or picture.name in names]
    if not wanted:
        print(f"There is no such picture; there are {', '.join(each.name for each in PICTURES)}.", file=sys.stderr)
        return 2
    program = chromium()
    if program is None:
        print("There is no Chromium to take them with. Install it: apt-get install chromium", file=sys.stderr)
        return 2
    async with stage() as (office, scene), async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=ARGS)
        for picture in wanted:
            await take(browser, office, scene, picture)
            print(f"docs/{picture.name}.png")
        await browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
