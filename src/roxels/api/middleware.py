"""What every request passes, in pure ASGI (Starlette's BaseHTTPMiddleware costs two thirds of the throughput).

From the outside in:

Sockets   WebSockets leave for what serves them
Headers   safe headers on every answer; open CORS, never with credentials, on what a web page may call
Counts    requests by method, route and status
Faults    what nobody expected becomes the 500 of the table
Bounds    bodies up to 1 MB; no NUL in an address
"""

import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter
from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from roxels.api.errors import envelope, unexpected
from roxels.domain.errors import Invalid, RoxelsError, TooLarge

MAX_BODY = 1_000_000

#: What pages of any site may call; whether they may is decided by the key they bring.
OPEN_TO_PAGES = ("/v1/embed/sessions", "/v1/embed/sessions/exchange", "/v1/embed/launcher")
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Retry-After",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
PREFLIGHT = CORS | {
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Allow-Headers": "authorization, content-type",
    "Access-Control-Max-Age": "600",
}
SAFE = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


class Sockets:
    """Lets WebSockets to one address out to what serves them. They stay open for hours, and whatever they pass through
    waits as long: all that is further in is for requests, and would cost each of them some kilobytes.
    """

    def __init__(self, app: ASGIApp, path: str, serve: ASGIApp) -> None:
        self._app = app
        self._path = path
        self._serve = Faults(serve)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or one connection."""
        is_theirs = scope["type"] == "websocket" and scope["path"] == self._path
        await (self._serve if is_theirs else self._app)(scope, receive, send)


class Faults:
    """Answers 500 to what nobody expected; when the answer has begun already, the connection breaks off."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as fault:
            answer = unexpected(fault)
            if scope["type"] != "http" or begun:
                raise ConnectionError("a request failed") from None
            await answer(scope, receive, send)


class Headers:
    """Adds what is missing of the safe headers, and CORS where pages of other sites may ask."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_open = scope["path"] in OPEN_TO_PAGES
        if is_open and scope["method"] == "OPTIONS":
            await Response(b"{}", 200, PREFLIGHT | SAFE, media_type="application/json")(scope, receive, send)
            return
        wanted = SAFE | (CORS if is_open else {}) | ({"Cache-Control": "no-store"} if _is_api(scope) else {})
        await self._app(scope, receive, _with_headers(send, wanted))


class Bounds:
    """Refuses what is too large or cannot be meant, before anyone reads it. Bodies are small: each is read whole."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            if "\0" in scope["path"] or b"%00" in scope["query_string"]:
                raise Invalid("The address contains a NUL character.")
            if scope["method"] not in ("GET", "HEAD"):
                receive = await _whole(scope, receive)
        except RoxelsError as refusal:
            await envelope(refusal)(scope, receive, send)
            return
        await self._app(scope, receive, send)


class RequestCounter:
    """Counts what was answered."""

    def __init__(self, app: ASGIApp, registry: CollectorRegistry) -> None:
        self._app = app
        self._requests = Counter(
            "roxels_http_requests",
            "Requests by method, route and status.",
            ("method", "route", "status"),
            registry=registry,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = re.sub(r"\{\w+\}", "{}", getattr(scope.get("route"), "path", "none"))
                self._requests.labels(_method(scope), route, str(message["status"])).inc()
            await send(message)

        await self._app(scope, receive, counted if scope["type"] == "http" else send)


def _with_headers(send: Send, wanted: dict[str, str]) -> Callable[[MutableMapping[str, Any]], Awaitable[None]]:
    async def added(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in wanted.items():
                headers.setdefault(name, value)
        await send(message)

    return added


async def _whole(scope: Scope, receive: Receive) -> Receive:
    """A `receive` whose body was read already. Raises `TooLarge`."""
    length = dict(scope["headers"]).get(b"content-length", b"0")
    if length.isdigit() and int(length) > MAX_BODY:
        raise TooLarge
    body, is_more = b"", True
    while is_more:
        message = await receive()
        if message["type"] != "http.request":
            break
        body += message.get("body", b"")
        is_more = message.get("more_body", False)
        if len(body) > MAX_BODY:
            raise TooLarge
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return waiting.pop() if waiting else await receive()

    return replayed


def _is_api(scope: Scope) -> bool:
    return bool(scope["path"].startswith("/v1/"))


def _method(scope: Scope) -> str:
    known = ("GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS")
    return scope["method"] if scope["method"] in known else "other"
