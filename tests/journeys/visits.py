"""What the browser journeys share: a customer's site on `localhost`, a network that can be cut, a person.

Roxels runs on `127.0.0.1`: another site than the customer's, as it is in real life.
"""

import asyncio
import contextlib
import json
import re
from typing import Any, Self

from aiohttp import web
from playwright.async_api import BrowserContext, Frame, Page, expect

ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
#: A customer's page, with every event it hears in `heard`.
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Host</title><link rel="icon" href="data:,">
<script src="{origin}/embed.js"></script><script src="/record.js"></script></head>
<body><h1>A customer's page</h1><button id="before">Before</button><div id="place"></div></body></html>"""
RECORD = """window.heard = [];
window.Roxels?.on('*', (name, payload) => heard.push([name, payload ?? null]));"""

#: Notes every text node of the transcript that is replaced, removed or gets shorter.
WATCH = """() => {
  if (window.lost) return;
  window.lost = [];
  const check = (change) => {
    const isText = change.type === "characterData";
    if (isText && !change.target.data.startsWith(change.oldValue)) lost.push(change.oldValue);
    for (const node of change.removedNodes) if (node.textContent.trim()) lost.push(node.textContent);
  };
  const wanted = {subtree: true, childList: true, characterData: true, characterDataOldValue: true};
  new MutationObserver((changes) => changes.forEach(check)).observe(document.querySelector("#log"), wanted);
}"""
GROWN = "(length) => document.querySelector('#log .growing .prose')?.textContent.length > length"


class Network:
    """A wire between browser and server: `cut` takes it away without a word, `mend` brings it back."""

    def __init__(self, port: int) -> None:
        self._behind = port
        self._server: asyncio.Server | None = None
        self._lines: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_whole = asyncio.Event()
        self._is_whole.set()
        self.port = 0

    async def start(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        self._abort()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """From now on nothing passes; what is open is gone."""
        self._is_whole.clear()
        self._abort()

    def mend(self) -> None:
        self._is_whole.set()

    def _abort(self) -> None:
        for line in self._lines:
            line.transport.abort()
        self._lines.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if not self._is_whole.is_set():
            writer.transport.abort()
            return
        lines = [writer]
        try:
            behind_reader, behind_writer = await asyncio.open_connection("127.0.0.1", self._behind)
            lines.append(behind_writer)
            self._lines.update(lines)
            await asyncio.gather(_pump(reader, behind_writer), _pump(behind_reader, writer))
        except ConnectionRefusedError:
            pass  # the server is down
        finally:
            self._lines.difference_update(lines)
            for line in lines:
                line.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.transport.abort()


class Site:
    """A customer's site: any path is the same page, `html` may be replaced, `policy` is its CSP."""

    def __init__(self, origin: str) -> None:
        self.html = PAGE.format(origin=origin)
        self.policy = ""
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def start(self) -> Self:
        app = web.Application()
        app.router.add_get("/record.js", self._record)
        app.router.add_get("/{path:.*}", self._page)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://localhost:{self._runner.addresses[0][1]}"
        return self

    async def stop(self) -> None:
        if self._runner:
            await self._runner.cleanup()

    async def _record(self, _request: web.Request) -> web.Response:
        return web.Response(text=RECORD, content_type="text/javascript")

    async def _page(self, _request: web.Request) -> web.Response:
        headers = {"Content-Security-Policy": self.policy} if self.policy else None
        return web.Response(text=self.html, content_type="text/html", headers=headers)


class Visit:
    """A page of the customer's, and the conversation in it."""

    def __init__(self, page: Page) -> None:
        self.page = page

    @property
    def frame(self) -> Frame:
        return next(frame for frame in self.page.frames if "/embed/frame" in frame.url or "/join/" in frame.url)

    async def run(self, script: str) -> Any:
        return await self.page.evaluate(script)

    async def start(self, **options: Any) -> None:
        """`Roxels.start`; waits for the first words."""
        await self.run(f"void Roxels.start({json.dumps(options)})")
        await self.opened()

    async def opened(self) -> None:
        """Wait for the frame and its first words, and watch what becomes of them."""
        await self.page.wait_for_selector("iframe[data-roxels]", state="attached")
        async with asyncio.timeout(15):
            while not any("/embed/frame" in frame.url for frame in self.page.frames):
                await asyncio.sleep(0.02)
        await self.frame.wait_for_selector("#log", state="attached")
        await self.frame.evaluate(WATCH)
        await self.frame.wait_for_selector("#log li")

    async def words(self) -> list[str]:
        """The transcript as it stands."""
        return await self.frame.locator("#log .prose").all_inner_texts()

    async def shows(self, words: list[str]) -> None:
        """Wait until the transcript is drawn and is this, message for message."""
        await expect(self.frame.locator("#log .prose")).to_have_text(words)

    async def say(self, text: str) -> None:
        await self.frame.locator("#words").fill(text)
        await self.frame.locator("#words").press("Enter")

    async def hears(self, ending: str) -> None:
        """Wait until the last answer ends so."""
        await expect(self.frame.locator("#log .prose").last).to_have_text(
            re.compile(rf"{re.escape(ending)}\s*$"), timeout=20_000
        )

    async def in_the_middle(self, length: int = 10) -> None:
        """Wait until that many characters of an answer stand there."""
        await self.frame.wait_for_function(GROWN, arg=length)

    async def lost(self) -> list[str]:
        """What was shown and then shrunk, was replaced or went away."""
        lost: list[str] = await self.frame.evaluate("window.lost")
        return lost

    async def heard(self, name: str) -> list[Any]:
        """The payloads of these events, in order."""
        events: list[Any] = await self.run("heard")
        return [payload for event, payload in events if event == name]

    async def until(self, condition: str) -> None:
        await self.page.wait_for_function(f"() => window.heard && ({condition})")


async def visit(context: BrowserContext, url: str) -> Visit:
    """A new tab on that page."""
    page = await context.new_page()
    await page.goto(url)
    return Visit(page)
