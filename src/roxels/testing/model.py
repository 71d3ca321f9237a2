"""A language model's server, real but for the model: it speaks the chat completions protocol over HTTP.

    async with ModelServer(Interviewer()) as server:
        ...  # ROXELS_MODEL_URL=server.url

What it answers is a function of what it was asked. `Interviewer` captures and asks as a good model does; `going_on`
says what a model may do instead of going on with a cut answer; `Reply` has the faults of a bad day.
"""

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import Any, Literal, Self, get_args

import msgspec
from aiohttp import web

from roxels.agent.prompt import GO_ON
from roxels.agent.speakers.model import SECOND_LOOK

#: What a model does when it is asked to go on.
GoingOn = Literal["continues", "starts_over", "repeats", "announces", "changes_mind"]
WAYS: tuple[GoingOn, ...] = get_args(GoingOn)

_WORDS = re.compile(r"<participant>\n(.*?)\n</participant>", re.DOTALL)
_NEXT = re.compile(r"Still to be asked first: (.+) / (.+)\.")


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """One request, as a model would see it."""

    messages: list[dict[str, Any]]
    tools: list[str]
    #: What was shown of a cut answer; empty where nothing is to be gone on with.
    said: str
    #: The participant's newest words.
    words: str
    #: Goal and field that are to be asked next.
    next_up: tuple[str, str] | None
    #: Tool answers stand at the end: the calls of this turn were carried out.
    has_called: bool
    is_second_look: bool


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What to answer, and how it goes wrong."""

    text: str = ""
    #: `(name, arguments as they are written)`, after the text or before it.
    calls: tuple[tuple[str, str], ...] = ()
    calls_first: bool = False
    #: Code points per piece of text and of arguments; seconds between pieces.
    size: int = 6
    pause: float = 0.0
    reason: str = ""
    #: An HTTP status instead of an answer; 429 with `retry_after` seconds.
    status: int = 200
    retry_after: float | None = None
    #: The connection breaks after so many pieces.
    dies_after: int | None = None
    #: Nothing more comes after so many pieces, and the connection stays.
    hangs_after: int | None = None
    refusal: str = ""
    #: Sent in place of a piece: no JSON.
    garbage: bool = False


Answering = Callable[[Asked], Reply]


class ModelServer:
    """Serves `/v1/chat/completions` on a free port of this machine. `asked` lists what was asked."""

    def __init__(self, answering: Answering) -> None:
        self.answering = answering
        self.asked: list[Asked] = []
        self.keys: list[str] = []
        self.url = ""
        self._runner: web.AppRunner | None = None
        self._port = 0

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Begin to answer; after a `stop` at the same address."""
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self._complete)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True)
        await site.start()
        self._port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{self._port}/v1"

    async def stop(self) -> None:
        """An outage: nobody listens here any more."""
        if self._runner is not None:
            await self._runner.cleanup()
        self._runner = None

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        asked = read(await request.json())
        self.asked.append(asked)
        self.keys.append(request.headers.get("Authorization", "").removeprefix("Bearer "))
        reply = self.answering(asked)
        if reply.status != 200:
            headers = {} if reply.retry_after is None else {"Retry-After": str(reply.retry_after)}
            return web.json_response({"error": {"message": "no"}}, status=reply.status, headers=headers)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        with suppress(ConnectionResetError):  # whoever asked has left
            await self._write(reply, request, response)
        return response

    async def _write(self, reply: Reply, request: web.Request, response: web.StreamResponse) -> None:
        for number, piece in enumerate(_pieces(reply)):
            if number == reply.dies_after:
                if request.transport is not None:
                    request.transport.abort()
                return
            if number == reply.hangs_after:
                await asyncio.sleep(3600)
            await response.write(f"data: {piece}\n\n".encode())
            await asyncio.sleep(reply.pause)
        await response.write(b"data: [DONE]\n\n")


def read(body: dict[str, Any]) -> Asked:
    """What a request asks for."""
    messages = body["messages"]
    is_cut = messages[-1]["role"] == "user" and str(messages[-1]["content"]).endswith(GO_ON) and len(messages) > 2
    words = [words for message in messages if message["role"] == "user" for words in _WORDS.findall(message["content"])]
    next_up = _NEXT.search(messages[0]["content"])
    return Asked(
        messages=messages,
        tools=[tool["function"]["name"] for tool in body.get("tools", [])],
        said=messages[-2]["content"] if is_cut else "",
        words=words[-1] if words else "",
        next_up=(next_up[1], next_up[2]) if next_up else None,
        has_called=messages[-3 if is_cut else -1]["role"] == "tool",
        is_second_look=messages[0]["content"] == SECOND_LOOK,
    )


def going_on(text: str, said: str, way: GoingOn) -> str:
    """What is written by a model that meant to say `text` and was cut behind `said`."""
    rest = text[len(said) :]
    match way:
        case "continues":
            return rest
        case "starts_over":
            return text
        case "repeats":
            return " ".join([*said.split()[-3:], rest.lstrip()]) if rest else ""
        case "announces":
            return f"Sure, continuing: {rest}"
        case "changes_mind":
            return "Actually, let me put it differently. Could you tell me a little more?"


class Interviewer:
    """A good model: captures what it was told, asks for the next field, ends when nothing is left."""

    def __init__(self, way: GoingOn = "continues", *, size: int = 6, pause: float = 0.0) -> None:
        self.way = way
        self._size = size
        self._pause = pause

    def __call__(self, asked: Asked) -> Reply:
        """The reply; the same request always has the same."""
        if asked.is_second_look:
            return self._say("{}")
        is_answer = "<participant>" in str(asked.messages[-1]["content"])
        if is_answer and asked.next_up is not None and "capture" in asked.tools:
            goal_id, field = asked.next_up
            arguments = json.dumps({"goal_id": goal_id, "field": field, "value": asked.words})
            return Reply(calls=(("capture", arguments),), size=self._size, pause=self._pause)
        if asked.next_up is None and not asked.said and not _has_finished(asked):
            return Reply(calls=(("finish", '{"by": "agent"}'),), size=self._size, pause=self._pause)
        text = self.text_for(asked)
        return self._say(going_on(text, asked.said, self.way) if asked.said else text)

    def text_for(self, asked: Asked) -> str:
        """What it means to say."""
        if asked.next_up is None:
            return "Thank you, that is all I wanted to know. Goodbye, and good luck with everything!"
        name = asked.next_up[1].replace("_", " ")
        heard = f"Thank you, noted: {asked.words[:60]}. " if asked.words else "Hello, it is good to have you here. "
        return f"{heard}So that others find it later, would you please tell me your {name}?"

    def _say(self, text: str) -> Reply:
        return Reply(text=text, size=self._size, pause=self._pause)


def _has_finished(asked: Asked) -> bool:
    return any(
        call["function"]["name"] == "finish" for message in asked.messages for call in message.get("tool_calls") or ()
    )


def _pieces(reply: Reply) -> Iterator[str]:
    yield _chunk({"role": "assistant", "content": ""})
    if reply.garbage:
        yield "{not json"
    if reply.refusal:
        yield _chunk({"refusal": reply.refusal})
    if reply.calls_first:
        yield from _called(reply)
    for start in range(0, len(reply.text), reply.size):
        yield _chunk({"content": reply.text[start : start + reply.size]})
    if not reply.calls_first:
        yield from _called(reply)
    yield _chunk({}, reply.reason or ("tool_calls" if reply.calls else "stop"))


def _called(reply: Reply) -> Iterator[str]:
    for index, (name, arguments) in enumerate(reply.calls):
        head = {"index": index, "id": f"call_{index}", "type": "function", "function": {"name": name, "arguments": ""}}
        yield _chunk({"tool_calls": [head]})
        for start in range(0, len(arguments), reply.size):
            part = arguments[start : start + reply.size]
            yield _chunk({"tool_calls": [{"index": index, "function": {"arguments": part}}]})


def _chunk(delta: dict[str, Any], reason: str | None = None) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return json.dumps(
        {"id": "chatcmpl", "object": "chat.completion.chunk", "created": 0, "model": "fake", "choices": [choice]}
    )
