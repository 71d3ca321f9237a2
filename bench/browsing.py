"""E1: what somebody waits for on a customer's page: the launcher, and the first text after pressing it."""

import asyncio
import tempfile
from collections.abc import Sequence

from aiohttp import web
from playwright.async_api import Browser, async_playwright

from bench.figures import Figure, Scale, median, ms
from bench.serving import Served, served
from tests.browser.conftest import ARGS
from tests.needs import chromium

#: A page that notes when the launcher stands there, and how long after pressing it the first text came.
PAGE = """<!doctype html><title>Host</title><link rel="icon" href="data:,"><body><h1>A page</h1>
<script src="{url}/embed.js"></script>
<script>
  new MutationObserver((_, watch) => {{
    if (!document.querySelector("[data-roxels=launcher]")) return;
    window.launcher = performance.now();
    watch.disconnect();
  }}).observe(document.documentElement, {{ childList: true, subtree: true }});
  Roxels.on("chat", () => (window.text ??= performance.now() - window.pressed));
  Roxels.init({{ templateKey: "{key}" }});
</script>"""
TIMES = {"whole": 15, "small": 2}


def waiting(scale: Scale) -> Sequence[Figure]:
    """E1."""
    program = chromium()
    measured = "not measured: there is no Chromium here"
    if program is not None:
        with tempfile.TemporaryDirectory() as folder, served("roxels", "--data", folder) as process:
            launcher, text = asyncio.run(_looked(program, process, TIMES[scale.name]))
        measured = f"launcher {ms(launcher)}, first text {ms(text)} after it was pressed"
    return [
        Figure(
            id="E1",
            what="in Chromium, its cache empty, the server warm: page asked for → launcher; pressed → first text",
            goal="none",
            measured=measured,
            holds=None,
        )
    ]


async def _looked(program: str, process: Served, times: int) -> tuple[float, float]:
    """Seconds, the middle of so many visits after a first one that warms the server."""
    text = PAGE.format(url=process.config["url"], key=process.config["embed_key"])

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(text=text, content_type="text/html")

    app = web.Application()
    app.router.add_get("/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    address = f"http://localhost:{runner.addresses[0][1]}/"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=ARGS)
        seen = [await _visit(browser, address) for _ in range(times + 1)][1:]
        await browser.close()
    await runner.cleanup()
    return median([launcher for launcher, _ in seen]), median([first for _, first in seen])


async def _visit(browser: Browser, address: str) -> tuple[float, float]:
    context = await browser.new_context()
    page = await context.new_page()
    await page.goto(address)
    await page.wait_for_function("window.launcher")
    await page.evaluate("window.pressed = performance.now()")
    await page.locator("[data-roxels=fab]").click()
    await page.wait_for_function("window.text")
    launcher, text = await page.evaluate("[window.launcher, window.text]")
    await context.close()
    return launcher / 1000, text / 1000
