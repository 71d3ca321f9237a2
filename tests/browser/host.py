"""The host page of the browser tests: a customer's page that records every event it hears."""

import json
from typing import Any

from playwright.async_api import Frame, Page

from tests.browser.fake_server import FakeServer

SHELL = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<title>Host</title><link rel="icon" href="data:,"></head>
<body><h1>A customer's page</h1><button id="before">Before</button><div id="place"></div>{scripts}</body></html>"""
RECORD = "void Roxels.on('*', (name, payload) => (window.heard ??= []).push([name, payload ?? null]))"


class HostPage:
    """`noise` is what the page's console said, `heard` the events in order."""

    def __init__(self, server: FakeServer, page: Page) -> None:
        self.server = server
        self.page = page
        self.noise: list[str] = []
        self.expected_noise: list[str] = []
        page.on("console", lambda message: self.noise.append(message.text))
        page.on("pageerror", lambda error: self.noise.append(str(error)))

    async def open(self, scripts: str = '<script src="ORIGIN/embed.js"></script>') -> None:
        self.server.host_html = SHELL.format(scripts=scripts)
        await self.page.goto(f"{self.server.page}/host")

    async def start(self, **options: Any) -> None:
        """Starts a talk, with every event recorded, and waits until it is connected."""
        await self.run(RECORD)
        await self.run(f"void Roxels.start({json.dumps({'templateKey': 'rk_test_1', **options})})")
        await self.until("heard.some(([name]) => name === 'connected')")

    async def run(self, script: str) -> Any:
        return await self.page.evaluate(script)

    async def until(self, condition: str) -> None:
        await self.page.wait_for_function(f"() => window.heard && ({condition})")

    async def heard(self, name: str) -> list[Any]:
        events: list[Any] = await self.run("window.heard ?? []")
        return [payload for event, payload in events if event == name]

    async def told(self, name: str) -> list[Any]:
        """The same once there is one: the page hears of a thing after the frame has shown it."""
        await self.until(f"heard.some(([name]) => name === '{name}')")
        return await self.heard(name)

    async def transcript(self) -> list[str]:
        """What the page was told, as a list of whole messages."""
        messages: dict[str, str] = {chat["id"]: chat["text"] for chat in await self.heard("chat")}
        return list(messages.values())

    async def said(self, count: int) -> None:
        """Waits until `count` answers of the agent are complete."""
        await self.until(
            "new Set(heard.filter(([name, p]) => name === 'chat' && p.role === 'agent' && p.final)"
            f".map(([, p]) => p.id)).size >= {count}"
        )

    @property
    def frame(self) -> Frame:
        frames = [frame for frame in self.page.frames if "/embed/frame" in frame.url]
        assert len(frames) == 1, f"one frame is on the page, not {len(frames)}"
        return frames[0]
