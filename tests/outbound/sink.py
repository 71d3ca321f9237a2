"""A receiver of webhooks on loopback that keeps all it gets and answers as a test tells it to."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from aiohttp import web


class Got(msgspec.Struct, frozen=True):
    """One request as it arrived."""

    path: str
    #: Names in small letters.
    headers: dict[str, str]
    body: bytes
    method: str = "POST"

    @property
    def data(self) -> Any:
        """What the commit captured."""
        return msgspec.json.decode(self.body)["data"]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What to answer, once `gate` (if any) is open."""

    status: int = 200
    headers: Mapping[str, str] = {}
    gate: asyncio.Event | None = None
    text: str = "noted"
    #: Whether to say all that was received, in place of `text`.
    echo: bool = False


#: The answer to a request; `n` counts all requests from 1.
Answering = Callable[[Got, int], Answer]


class Sink:
    """Where webhooks arrive."""

    def __init__(self, answering: Answering) -> None:
        self.got: list[Got] = []
        self.answering = answering
        self.url = ""
        self._arrived = asyncio.Condition()

    async def until(self, count: int) -> None:
        """Wait until so many requests have arrived."""
        async with asyncio.timeout(10), self._arrived:
            await self._arrived.wait_for(lambda: len(self.got) >= count)

    async def take(self, request: web.Request) -> web.Response:
        """Keep a request, then answer it."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        got = Got(request.path_qs, headers, await request.read(), request.method)
        async with self._arrived:
            self.got.append(got)
            number = len(self.got)
            self._arrived.notify_all()
        answer = self.answering(got, number)
        if answer.gate is not None:
            await answer.gate.wait()
        said = f"{got.path} {got.headers} {got.body.decode()}" if answer.echo else answer.text
        return web.Response(status=answer.status, headers=answer.headers, text=said)


def always(status: int = 200, **headers: str) -> Answering:
    """The same answer for everyone."""
    return lambda _got, _n: Answer(status=status, headers={k.replace("_", "-"): v for k, v in headers.items()})


@asynccontextmanager
async def sinking(answering: Answering | None = None) -> AsyncIterator[Sink]:
    """A sink that listens."""
    sink = Sink(answering or always())
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", sink.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    sink.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield sink
    finally:
        await runner.cleanup()
