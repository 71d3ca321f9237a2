"""The pictures of the dashboard, taken of the real pages in a real browser.

On the stage are people who never were: `tests.dashboard.stage`.
"""

import asyncio
import socket
import tempfile
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import uvicorn
from playwright.async_api import Browser, Page

from roxels.testing import CountedIds
from tests.dashboard.office import EMAIL, PASSWORD, Office
from tests.dashboard.stage import Past, Scene, fill

DOCS = Path(__file__).resolve().parents[2] / "docs"


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """One picture: of which page of the stage, how large, in which light."""

    name: str
    of: str
    width: int = 1200
    height: int = 820
    scheme: str = "light"


_ALL = (
    Picture(name="dashboard-people", of="people", height=560),
    Picture(name="dashboard-person", of="person", height=1010),
    Picture(name="dashboard-conversation", of="conversation", height=1000),
    Picture(name="dashboard-not-resumed", of="not-resumed", height=620),
    Picture(name="dashboard-delivery", of="delivery", height=790),
    Picture(name="dashboard-template", of="template", height=900),
    Picture(name="dashboard-phone", of="conversation", width=375, height=760, scheme="dark"),
)
PICTURES = {picture.name: picture for picture in _ALL}


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


async def take(browser: Browser, names: Collection[str]) -> None:
    """Take these, each as an operator sees it who has just signed in."""
    async with stage() as (office, scene):
        for picture in (PICTURES[name] for name in names):
            await _take(browser, office, scene, picture)
            print(f"docs/{picture.name}.png")


async def _take(browser: Browser, office: Office, scene: Scene, picture: Picture) -> None:
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
