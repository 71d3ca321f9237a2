"""Somebody who talks over the HTTP twin of the wire: an event stream, and a POST per message."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from typing import Any

import aiohttp
import msgspec

from roxels.wire.view import ClientView


class HttpPerson:
    """One visit after the other, with what a screen would show."""

    def __init__(self, http: aiohttp.ClientSession, config: dict[str, Any], external_id: str | None) -> None:
        self.view = ClientView()
        self.opened: dict[str, Any] = {}
        self.frames: list[dict[str, Any]] = []
        self._http = http
        self._config = config
        self._external_id = external_id
        self._said = 0

    async def open(self, **more: Any) -> dict[str, Any]:
        """Begin a visit; says the report of what it restored."""
        body = {"external_id": self._external_id, **more} if self._external_id else more
        self.opened = await self._post("/v1/embed/sessions", self._config["embed_key"], body, status=201)
        report: dict[str, Any] = self.opened["resumption"]
        return report

    async def say(self, text: str) -> None:
        """Say something."""
        self._said += 1
        body = {"id": f"{self.opened['session_id']} {self._said}", "text": text}
        await self._post("/v1/wire/say", self.opened["token"], body, status=200)

    async def listen(self, until: Callable[[ClientView], object], seconds: float = 30) -> None:
        """Take in what comes until the view is as wanted."""
        async with asyncio.timeout(seconds), contextlib.aclosing(self._stream()) as stream:
            async for _frame in stream:
                if until(self.view):
                    return
        raise AssertionError("the stream ended before the view was as wanted")

    async def answer(self, text: str) -> str:
        """Say something and listen to the whole answer; says it."""
        count = len(self.view.messages)
        await self.say(text)
        await self.listen(lambda view: len(view.messages) >= count + 2 and view.writing is None)
        return self.last

    @property
    def last(self) -> str:
        """The latest words of the agent."""
        return next(message.text for message in reversed(self.view.messages.values()) if message.role == "agent")

    @property
    def transcript(self) -> list[tuple[str, str]]:
        """Who said what."""
        return [(message.role, message.text) for message in self.view.messages.values()]

    async def _post(self, path: str, bearer: str, body: dict[str, Any], *, status: int) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {bearer}"}
        async with self._http.post(f"{self._config['url']}{path}", json=body, headers=headers) as answer:
            assert answer.status == status, await answer.text()
            said: dict[str, Any] = await answer.json()
            return said

    async def _stream(self) -> AsyncGenerator[dict[str, Any], None]:
        rendered = self.view.rendered
        query = {"after": str(self.view.after)}
        if rendered is not None:
            query["rendered"] = f"{rendered['utterance_id']}:{rendered['chars']}"
        headers = {"Authorization": f"Bearer {self.opened['token']}"}
        url = f"{self._config['url']}/v1/wire"
        with contextlib.suppress(aiohttp.ClientPayloadError, ConnectionError):
            async with self._http.get(url, params=query, headers=headers) as answer:
                assert answer.status == 200, await answer.text()
                async for line in answer.content:
                    if line.startswith(b"data: "):
                        frame: dict[str, Any] = msgspec.json.decode(line.removeprefix(b"data: "))
                        self.frames.append(frame)
                        self.view.apply(frame)
                        yield frame
