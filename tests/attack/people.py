"""Who acts on the ground: a browser that keeps what it is given, and conversations held by it."""

import json
from typing import Any

import httpx2

from tests.attack.ground import HOST, ORIGIN, SESSION, Ground, Place
from tests.attack.wire import Line, scope_of

FRAME = {"origin": ORIGIN, "sec-fetch-site": "same-origin"}
ANSWERED = ('"agent.said"', '"error"', '"bye"')


class Browser:
    """A browser with the frame in a page of `HOST`. `seen` is all that ever came back to it."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.jar: dict[str, str] = {}
        self.seen: list[str] = []
        #: The sessions that are its own: what the speaker is told in them, it can make the speaker say.
        self.sessions: set[str] = set()

    @property
    def cookie(self) -> str:
        """What it sends along."""
        return "; ".join(f"{name}={value}" for name, value in self.jar.items())

    async def ask(
        self, method: str, path: str, *, headers: dict[str, str] | None = None, **more: Any
    ) -> httpx2.Response:
        """One request with these headers and no others; whatever comes back is seen."""
        async with self.ground.client(**(headers or {})) as client:
            answer = await client.request(method, path, **more)
        self.seen.append(f"{answer.status_code} {dict(answer.headers)} {answer.text}")
        return answer

    async def start(self, place: Place, *, headers: dict[str, str] | None = None, **body: Any) -> dict[str, Any]:
        """Start a visit as the frame does; `{}` where it is refused."""
        return await self._let_in(SESSION, place, headers, {"host_origin": HOST, **body})

    async def exchange(self, *, headers: dict[str, str] | None = None, **body: Any) -> dict[str, Any]:
        """Enter a visit that a server opened; `{}` where it is refused."""
        return await self._let_in(f"{SESSION}/exchange", None, headers, {"host_origin": HOST, **body})

    async def converse(self, visit: dict[str, Any], *words: str) -> Line | None:
        """Join over the socket, hear the greeting, say the words, hear each answer, hang up."""
        if "token" not in visit:
            return None
        line = self.line({"origin": ORIGIN})
        await line.send({"frame": "hello", "v": 1, "token": visit["token"], "after": 0, "rendered": None})
        await line.until(*ANSWERED)
        for number, text in enumerate(words):
            after = len(line.sent)
            await line.send({"frame": "say", "id": f"{visit['session_id'][-8:]}-{number}", "text": text})
            await line.until(*ANSWERED, after=after)
        return await self.hang_up(line)

    def line(self, headers: dict[str, str], kind: str = "websocket", query: str = "") -> Line:
        """A connection to the wire; `hang_up` tells what came."""
        return Line(self.ground.app, scope_of(kind, "/v1/wire", headers, query))

    async def hang_up(self, line: Line) -> Line:
        """The connection is over; whatever came was seen."""
        await line.close()
        self.seen += line.sent
        return line

    def is_shown(self, word: str) -> bool:
        """Whether this word came back, or was told to the speaker of one of its own sessions."""
        told = (text for session_id, text in self.ground.voices.told if session_id in self.sessions)
        return any(word in text for text in (*self.seen, *told))

    async def _let_in(
        self, path: str, place: Place | None, headers: dict[str, str] | None, body: dict[str, Any]
    ) -> dict[str, Any]:
        sent = dict(FRAME if headers is None else headers)
        if self.cookie and "cookie" not in sent:
            sent["cookie"] = self.cookie
        if place is not None:
            sent["authorization"] = f"Bearer {place.embed_key}"
        answer = await self.ask("POST", path, headers=sent, content=json.dumps(body))
        for header in answer.headers.get_list("set-cookie"):
            name, _, value = header.partition(";")[0].partition("=")
            self.jar[name] = value
        visit: dict[str, Any] = answer.json() if answer.status_code == 201 else {}
        self.sessions |= {visit["session_id"]} if visit else set()
        return visit
