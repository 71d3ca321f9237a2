"""The only outgoing HTTP client: what we send to addresses that somebody else has written down.

It trusts neither the address nor the answer. The name is resolved once per connection, every address of the answer is
judged (`outbound.guard`), and the connection goes to the judged addresses themselves, so a name that changes its mind
in between changes nothing. It follows no redirects, uses no proxy of the environment, keeps no cookies, unpacks
nothing. One time limit covers all from resolving to the last byte; of the answer it reads at most `READ_AT_MOST`.

A receiver can do what it likes: `call` returns an `Outcome`. It raises only when it is cancelled.
"""

import asyncio
import json
import logging
import re
import socket
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import ClassVar, Self
from urllib.parse import quote, quote_plus

import aiohttp
import msgspec
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from roxels.domain.texts import mended
from roxels.outbound import guard, names
from roxels.outbound.attempt import Fault, Outcome

logger = logging.getLogger(__name__)

TIME_LIMIT = 10.0
READ_AT_MOST = 64 * 1024
EXCERPT = 4 * 1024
USER_AGENT = "Roxels-Webhook/1"
_METHODS = frozenset({"POST", "PUT", "PATCH", "GET", "DELETE"})
#: Framing and routing: set by us, since a second opinion on them is how requests are smuggled.
_OURS_TO_SET = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer", "expect"}
)
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_NOT_IN_A_VALUE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]")


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One request, complete: to it come only `Host`, `Accept`, `Accept-Encoding`, `User-Agent` and the framing."""

    url: str
    #: POST, PUT, PATCH, GET or DELETE.
    method: str = "POST"
    headers: Mapping[str, str] = {}
    #: The exact bytes, or None for no body.
    body: bytes | None = None
    #: Values that stand somewhere in this request and must never stand in an outcome, should the receiver echo them.
    secrets: tuple[str, ...] = ()


class TargetNotAllowed(Exception):
    """A name resolves to an address that must not be reached."""

    code: ClassVar[str] = "target"


class _JudgingResolver(AbstractResolver):
    """Resolves names by another resolver, and hands on only answers that are good as a whole."""

    def __init__(self, inner: AbstractResolver, permits: guard.Permits) -> None:
        self._inner = inner
        self._permits = permits

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        if not found:
            raise OSError("the name has no address")
        if not all(self._permits(one["host"]) for one in found):
            raise TargetNotAllowed
        return found

    async def close(self) -> None:
        await self._inner.close()


class Caller:
    """Calls addresses of others, within bounds. Use as `async with`; one for the process.

    `permits`: `guard.is_public`, or `guard.anywhere` for development. `time_limit`: seconds for a whole call.
    `monotonic`: seconds, for measuring.
    `resolver`: where names are looked up; `outbound.names` if None; closed on leaving.
    """

    def __init__(
        self,
        *,
        permits: guard.Permits,
        monotonic: Callable[[], float],
        time_limit: float = TIME_LIMIT,
        resolver: AbstractResolver | None = None,
    ) -> None:
        self._permits = permits
        self._monotonic = monotonic
        self._time_limit = time_limit
        self._resolver = resolver
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open the pool of connections."""
        self._resolver = self._resolver or names.Resolver()
        judging = _JudgingResolver(self._resolver, self._permits)
        self._session = aiohttp.ClientSession(
            # No cache of names: each new connection resolves and is judged anew. No limit: who calls sets it.
            connector=aiohttp.TCPConnector(resolver=judging, use_dns_cache=False, limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
            headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity"},
            skip_auto_headers=("Content-Type",),
            auto_decompress=False,
            trust_env=False,
        )
        if self._permits is guard.anywhere:
            logger.warning("outgoing requests may reach private addresses", extra={"action": "outbound.open"})
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None
        if self._resolver is not None:
            await self._resolver.close()
            self._resolver = None

    async def call(self, request: Request) -> Outcome:
        """Make one attempt. Whatever the receiver does, or fails to do, is in the outcome."""
        if self._session is None:
            raise RuntimeError("a Caller is used inside `async with`")
        began = self._monotonic()
        answer = _Answer()
        target = guard.target(request.url)
        fault = self._forbids(target, request)
        if target is not None and fault is None:
            try:
                async with asyncio.timeout(self._time_limit):
                    await _exchange(self._session, target, request, answer)
            except (aiohttp.ClientError, TargetNotAllowed, OSError, ValueError) as error:
                fault = _fault_named(error)
        text = _without_secrets(bytes(answer.body), request.secrets)
        return Outcome(
            status_code=answer.status,
            error=fault,
            duration_ms=round((self._monotonic() - began) * 1000),
            response_excerpt=text.encode()[:EXCERPT].decode("utf-8", "ignore"),
            answer=text,
            retry_after=answer.retry_after,
        )

    def _forbids(self, target: URL | None, request: Request) -> Fault | None:
        """What can be refused before anything is sent."""
        if target is None or target.raw_host is None:
            return "url"
        if guard.kind_of(target.raw_host) == "address" and not self._permits(target.raw_host):
            return "target"
        if request.method not in _METHODS or not all(_is_sendable(*pair) for pair in request.headers.items()):
            return "request"
        return None


class _Answer:
    """What has arrived so far: it stays, whatever happens next."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.retry_after: str | None = None
        self.body = bytearray()


async def _exchange(session: aiohttp.ClientSession, target: URL, request: Request, answer: _Answer) -> None:
    async with session.request(
        request.method, target, data=request.body, headers=request.headers, allow_redirects=False
    ) as response:
        answer.status = response.status
        answer.retry_after = response.headers.get("Retry-After", "")[:64] or None
        while len(answer.body) < READ_AT_MOST:
            chunk = await response.content.read(READ_AT_MOST - len(answer.body))
            if not chunk:
                return
            answer.body += chunk
        response.close()


def _is_sendable(name: str, value: str) -> bool:
    return (
        _HEADER_NAME.fullmatch(name) is not None
        and name.lower() not in _OURS_TO_SET
        and not name.lower().startswith("proxy-")
        and _NOT_IN_A_VALUE.search(value) is None
    )


def _fault_named(error: Exception) -> Fault:
    """The name of what went wrong. From the narrow classes to the wide ones: the order is the table."""
    match error:
        case TargetNotAllowed():
            return "target"
        case TimeoutError():
            return "timeout"
        case aiohttp.ClientConnectorDNSError():
            return "name"
        case aiohttp.ClientSSLError():
            return "tls"
        case aiohttp.ClientConnectorError():
            return "connect"
        case aiohttp.InvalidURL() | aiohttp.NonHttpUrlClientError():
            return "url"
        case aiohttp.ClientResponseError():
            return "not_http"
        case aiohttp.ClientError() | OSError():
            return "cut_off"
        case _:
            return "request"


def _without_secrets(body: bytes, secrets: tuple[str, ...]) -> str:
    """An answer as text that may be kept: no secret that was sent, nothing that no database keeps."""
    text: str = mended(body.decode("utf-8", "replace"))
    for form in sorted(_forms(secrets), key=len, reverse=True):
        text = text.replace(form, "[secret]")
    return text


def _forms(secrets: tuple[str, ...]) -> set[str]:
    """How a secret may come back: as it is, in a URL, in JSON."""
    forms: set[str] = set()
    for secret in filter(None, secrets):
        forms |= {secret, quote(secret, safe=""), quote(secret), quote_plus(secret)}
        forms |= {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    return forms
