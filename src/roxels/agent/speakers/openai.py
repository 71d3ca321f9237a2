"""Any endpoint that speaks the chat completions protocol: hosted, vLLM, Ollama. The only place that knows the library.

The library is handed in, not imported here: it takes most of a second, and a server without a model never needs it. It
retries nothing and knows no environment variable; both are ours.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from types import ModuleType
from typing import Any

import msgspec

from roxels.agent.speakers.engine import Asking, CallPart, Delta, Endpoint, ModelFault, Stopped, Text

#: Longer waits than this are not waited for, whatever the service asks.
LONGEST_WAIT = 10.0
#: So many parts of one answer are taken; a service that never stops is stopped.
MOST_PARTS = 20_000

#: Sees each request before it is sent, and may refuse it; see `outbound.pinning`.
Judge = Callable[[Any], Awaitable[None]]


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds: until the first part of an answer, and between two parts."""

    first: float = 20.0
    between: float = 15.0


class OpenAIEngine:
    """Asks one endpoint. `library` brings the module `openai`; `judge` sees each request to a foreign endpoint."""

    def __init__(
        self, library: Callable[[], Awaitable[ModuleType]], endpoint: Endpoint, limits: Limits, judge: Judge
    ) -> None:
        self._library = library
        self._endpoint = endpoint
        self._limits = limits
        self._judge = judge
        self._client: Any = None
        self._openai: Any = None
        self._streams = 0
        self._is_closing = False

    async def stream(self, asking: Asking) -> AsyncGenerator[Delta, None]:
        """The answer as it comes."""
        chunks: Any = None
        is_stopped = False
        self._streams += 1
        try:
            if self._client is None:
                await self._connect()
            async with asyncio.timeout(self._limits.first):
                chunks = await self._client.chat.completions.create(**_body(asking))
            async for chunk in self._in_time(chunks):
                for delta in _deltas(chunk):
                    is_stopped = is_stopped or isinstance(delta, Stopped)
                    yield delta
        except (ModelFault, GeneratorExit):
            raise
        except Exception as fault:
            raise self._named(fault) from None
        finally:
            if chunks is not None:
                await chunks.close()
            self._streams -= 1
            if self._is_closing:
                await self.close()
        if not is_stopped:
            raise ModelFault("broken_off")

    async def close(self) -> None:
        """Hang up, as soon as the last answer under way is over."""
        self._is_closing = True
        if self._client is not None and not self._streams:
            await self._client.close()

    async def _connect(self) -> None:
        self._openai = await self._library()
        if self._client is not None:
            return  # another first turn was quicker
        self._client = self._openai.AsyncOpenAI(
            base_url=self._endpoint.url,
            api_key=self._endpoint.key or "none",
            organization="",
            project="",
            max_retries=0,
            timeout=self._limits.first + self._limits.between,
            http_client=self._bounded() if self._endpoint.is_foreign else None,
        )

    def _bounded(self) -> Any:
        return self._openai.DefaultAsyncHttpxClient(
            event_hooks={"request": [self._judge]}, follow_redirects=False, trust_env=False
        )

    async def _in_time(self, chunks: Any) -> AsyncIterator[Any]:
        parts = aiter(chunks)
        wait = self._limits.first
        for _ in range(MOST_PARTS):
            try:
                async with asyncio.timeout(wait):
                    chunk = await anext(parts)
            except StopAsyncIteration:
                return
            yield chunk
            wait = self._limits.between
        raise ModelFault("too_long", retry=False, is_outage=False)

    def _named(self, fault: Exception) -> ModelFault:
        """What went wrong, in one word: what the library says may repeat what was sent."""
        openai = self._openai
        if isinstance(fault, TimeoutError | openai.APITimeoutError):
            return ModelFault("timed_out")
        if isinstance(fault, openai.APIConnectionError | OSError):
            return ModelFault("unreachable")
        if isinstance(fault, openai.RateLimitError):
            return ModelFault("rate_limited", after=_wait_of(fault))
        if isinstance(fault, openai.APIStatusError):
            status = int(getattr(fault, "status_code", 0))
            if status >= 500 or status in (408, 409):
                return ModelFault("server_error", after=_wait_of(fault))
            return ModelFault("rejected", retry=False)
        is_refused = getattr(fault, "code", "") == "target"  # by the judge, before anything was sent
        return ModelFault("target", retry=False) if is_refused else ModelFault("broken_off")


def _body(asking: Asking) -> dict[str, Any]:
    body: dict[str, Any] = {"model": asking.model, "messages": asking.messages, "stream": True}
    if asking.tools:
        body["tools"] = asking.tools
    if asking.temperature is not None:
        body["temperature"] = asking.temperature
    if asking.max_tokens is not None:
        body["max_tokens"] = asking.max_tokens
    return body


def _deltas(chunk: Any) -> Iterator[Delta]:
    """What one chunk says. Services differ in what they leave out, so nothing is taken for granted."""
    for choice in (getattr(chunk, "choices", None) or [])[:1]:
        delta = choice.delta
        if delta is not None and getattr(delta, "refusal", None):
            yield Stopped("refusal")
        if delta is not None and delta.content:
            yield Text(delta.content)
        for part in (delta.tool_calls if delta is not None else None) or []:
            function = part.function
            yield CallPart(
                number=part.index or 0,
                id=part.id or "",
                name=(function.name if function else "") or "",
                arguments=(function.arguments if function else "") or "",
            )
        if choice.finish_reason:
            yield Stopped(choice.finish_reason)


def _wait_of(fault: Any) -> float | None:
    """How long the service asks to be left alone."""
    try:
        return min(LONGEST_WAIT, max(0.0, float(fault.response.headers.get("retry-after"))))
    except (AttributeError, TypeError, ValueError):
        return None
