"""A small real server that speaks the wire to the embed: answers in pieces, and connections that are cut on demand.

It keeps what the contract promises (facts with `seq`, pieces joined by `from`, `ack`, one say per id) and nothing else,
so that what a browser test shows is the embed's doing. It serves the embed's files as they are in the source tree. The
same port is two sites: the host page on `localhost`, Roxels on `127.0.0.1`.
"""

import asyncio
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import WSMsgType, web

EMBED = Path(__file__).resolve().parents[2] / "src" / "roxels" / "embed"
TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".html": "text/html",
    ".ts": "text/plain",
    ".svg": "image/svg+xml",
}
ANYONE = {"Access-Control-Allow-Origin": "*"}
FRAME_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https: data:; "
    "connect-src 'self' ws://127.0.0.1:*"
)
SETTINGS: dict[str, Any] = {
    "notice": None,
    "name": "Fernwood",
    "goals": [
        {
            "id": "home",
            "label": "Your home",
            "fields": [
                {"name": "room", "label": "Which room", "type": "string"},
                {"name": "plants", "label": "How many plants", "type": "integer"},
                {"name": "light", "label": "How much light", "type": "string", "enum": ["bright", "dim"]},
            ],
        },
        {
            "id": "contact",
            "label": "Where to write",
            "fields": [{"name": "email", "label": "E-mail", "type": "string"}],
        },
    ],
}
ASKED = [("home", "room"), ("home", "plants"), ("contact", "email")]
QUESTIONS = [
    "Which room should get greener? 🌿",
    "Lovely. How many plants live there already? A guess is fine, and none at all is an answer too.",
    "Good to know. And where may we send the plan once it is ready?",
    "Thank you, that is all I need. Your plan is on its way.",
]


@dataclass
class Answer:
    """An answer that is being uttered: `text` is planned, the first `sent` code points were sent."""

    utterance_id: str
    text: str
    sent: int = 0


@dataclass
class Conversation:
    external_id: str | None
    facts: list[dict[str, Any]] = field(default_factory=list)
    said: dict[str, int] = field(default_factory=dict)
    answer: Answer | None = None
    step: int = 0
    sockets: dict[web.WebSocketResponse, web.Request] = field(default_factory=dict)
    speaking: asyncio.Task[None] | None = None

    @property
    def greeting(self) -> str:
        return str(next(fact["text"] for fact in self.facts if fact["type"] == "agent.said"))

    def status_of(self, goal: str) -> str:
        committed = {fact["goal_id"] for fact in self.facts if fact["type"] == "goal.committed"}
        return "committed" if goal in committed else "open"


class FakeServer:
    """Start it with `await server.start()`; `origin` is Roxels', `page` the host page's."""

    def __init__(self) -> None:
        self.pace = 0.004
        #: Seconds until it answers to a start.
        self.delay = 0.0
        #: The head of that answer comes, its body never.
        self.halting = False
        self.piece = 3
        #: Every connection is dropped when an answer has come exactly so far, in characters; each once.
        self.cuts: set[int] = set()
        #: What it says first; empty: its usual words.
        self.greeting = ""
        self.language = "en"
        self.settings = dict(SETTINGS)
        self.launcher: dict[str, Any] = {"enabled": False}
        self.refusal: tuple[int, str] | None = None
        self.silent = False
        self.down = False
        #: It lets everyone in, and drops them at once.
        self.fickle = False
        #: What came of a conversation is told when it has ended.
        self.settles = True
        #: While it is clear, whoever connects waits at the door.
        self.door = asyncio.Event()
        self.door.set()
        #: So many have connected, or wait.
        self.knocks = 0
        self.host_html = ""
        self.host_policy = ""
        self.requests: list[dict[str, Any]] = []
        #: So many messages are refused: too often.
        self.too_often = 0
        self.hellos: list[dict[str, Any]] = []
        self.says: list[dict[str, Any]] = []
        self.corrections: list[dict[str, Any]] = []
        self.deliveries: list[dict[str, Any]] = []
        self.byes = 0
        self.resets: list[dict[str, Any]] = []
        self.conversations: list[Conversation] = []
        self._sessions: dict[str, Conversation] = {}
        self.identified = asyncio.Event()
        self._count = itertools.count(1)
        self._runner: web.AppRunner | None = None
        self.port = 0

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def page(self) -> str:
        return f"http://localhost:{self.port}"

    async def start(self) -> None:
        app = web.Application()
        app.add_routes(
            [
                web.get("/embed.js", self._file(lambda request: "embed.js")),
                web.get("/embed/frame", self._frame),
                web.get("/embed/static/{v}/{name}", self._file(lambda request: request.match_info["name"])),
                web.get("/demo/", self._file(lambda request: "demo/index.html")),
                web.get("/demo/config.json", self._config),
                web.get("/demo/deliveries.json", self._deliveries),
                web.get("/demo/{name}", self._file(lambda request: "demo/" + request.match_info["name"])),
                web.get("/host", self._host),
                web.get("/v1/embed/launcher", self._launcher),
                web.post("/v1/embed/sessions", self._open),
                web.post("/v1/embed/sessions/exchange", self._open),
                web.post("/v1/embed/sessions/identify", self._identify),
                web.post("/v1/embed/sessions/reset", self._reset),
                web.get("/v1/wire", self._wire),
                web.post("/v1/wire/say", self._say),
                web.post("/v1/wire/correct", self._correct),
                web.post("/v1/wire/bye", self._bye),
            ]
        )
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        for conversation in self.conversations:
            if conversation.speaking:
                conversation.speaking.cancel()
        self.cut()
        if self._runner:
            await self._runner.cleanup()

    # ---- what tests do to it

    def cut(self) -> None:
        """Drops every connection without a goodbye, as a dead network does."""
        for conversation in self.conversations:
            for request in conversation.sockets.values():
                if isinstance(request.transport, asyncio.Transport):
                    request.transport.abort()
            conversation.sockets.clear()

    async def close(self, code: int) -> None:
        for conversation in self.conversations:
            for socket in list(conversation.sockets):
                await socket.close(code=code)

    async def end_visits(self) -> None:
        """The time of every visit is over; the conversations are not."""
        for conversation in self.conversations:
            for socket in list(conversation.sockets):
                await socket.send_json({"frame": "bye", "code": "time", "retry_ms": None})
        self.forget_sessions()
        await self.close(1000)

    def forget_sessions(self) -> None:
        """Every token is void from now on."""
        self._sessions.clear()

    # ---- pages

    def _file(self, name: Callable[[web.Request], str]) -> Callable[[web.Request], Any]:
        async def serve(request: web.Request) -> web.Response:
            path = EMBED / name(request)
            if not path.is_file():
                raise web.HTTPNotFound
            return web.Response(
                body=path.read_bytes(), content_type=TYPES[path.suffix], charset="utf-8", headers=ANYONE
            )

        return serve

    async def _frame(self, request: web.Request) -> web.Response:
        html = (EMBED / "frame.html").read_text().replace("{{ v }}", "v")
        return web.Response(text=html, content_type="text/html", headers={"Content-Security-Policy": FRAME_POLICY})

    async def _host(self, request: web.Request) -> web.Response:
        headers = {"Content-Security-Policy": self.host_policy} if self.host_policy else None
        html = self.host_html.replace("ORIGIN", self.origin)
        return web.Response(text=html, content_type="text/html", headers=headers)

    async def _config(self, request: web.Request) -> web.Response:
        return web.json_response({"origin": self.origin, "embed_key": "rk_test_demo", "template_id": "tpl_demo"})

    async def _deliveries(self, request: web.Request) -> web.Response:
        return web.json_response({"items": self.deliveries})

    async def _launcher(self, request: web.Request) -> web.Response:
        return web.json_response(self.launcher, headers=ANYONE)

    # ---- sessions

    async def _open(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.requests.append(body)
        await asyncio.sleep(self.delay)
        if self.halting:
            head = web.StreamResponse(status=201, headers={"Content-Type": "application/json"})
            await head.prepare(request)
            await head.write(b" ")
            await asyncio.sleep(60)
        if self.refusal:
            status, code = self.refusal
            return web.json_response({"error": {"code": code, "message": f"Refused: {code}."}}, status=status)
        external_id = body.get("external_id") or (body.get("session_id") and "ada")
        open_ones = [each for each in self.conversations if external_id and each.external_id == external_id]
        resumed = bool(open_ones) and body.get("resume") is not False
        conversation = open_ones[-1] if resumed else Conversation(external_id)
        if not resumed:
            self.conversations.append(conversation)
        token = f"token_{next(self._count)}"
        self._sessions[token] = conversation
        answer = conversation.answer
        resumption = {
            "resumed": resumed,
            "reason": "resumed" if resumed else "new_person",
            "turns": sum(fact["type"] in ("person.said", "agent.said") for fact in conversation.facts),
            "goals": {goal["id"]: conversation.status_of(goal["id"]) for goal in SETTINGS["goals"]},
            "proof": "claimed" if external_id else "anonymous",
            "unfinished": answer and {"utterance_id": answer.utterance_id, "chars": answer.sent},
        }
        answer_body = {"session_id": f"sess_{token}", "token": token, "resumption": resumption, "socket_url": ""}
        return web.json_response(answer_body, status=201)

    async def _identify(self, request: web.Request) -> web.Response:
        conversation, said = self._bearer(request), await request.json()
        kept = conversation.external_id is None and said.get("external_id")
        self.identified.set()
        return web.json_response({"outcome": "kept" if kept else "unchanged", "visit": None})

    async def _reset(self, request: web.Request) -> web.Response:
        self.resets.append(await request.json())
        self._sessions.pop(str(self.resets[-1].get("token")), None)
        return web.json_response({"signed_out": True})

    def _bearer(self, request: web.Request) -> Conversation:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in self._sessions:
            raise web.HTTPUnauthorized
        return self._sessions[token]

    # ---- the wire

    async def _wire(self, request: web.Request) -> web.WebSocketResponse:
        if self.down:
            raise web.HTTPServiceUnavailable
        self.knocks += 1
        await self.door.wait()
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        first = await socket.receive()
        if first.type is not WSMsgType.TEXT:
            return socket  # whoever knocked has gone
        hello = json.loads(first.data)
        self.hellos.append(hello)
        conversation = self._sessions.get(hello["token"])
        if conversation is None:
            await socket.send_json(
                {"frame": "error", "code": "unauthorized", "message": "No such session.", "fatal": True}
            )
            await socket.close(code=4001)
            return socket
        await self._join(socket, request, conversation, hello)
        if self.fickle:
            await socket.close(code=1012)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                frame = json.loads(message.data)
                if frame["frame"] == "say" and self.too_often:
                    self.too_often -= 1
                    busy = {"code": "rate_limited", "message": "Too many requests.", "fatal": False, "retry_ms": 1000}
                    await socket.send_json({"frame": "error", **busy})
                elif frame["frame"] == "say":
                    await self._heard(conversation, frame, socket)
        conversation.sockets.pop(socket, None)
        return socket

    async def _join(
        self, socket: web.WebSocketResponse, request: web.Request, conversation: Conversation, hello: dict[str, Any]
    ) -> None:
        head = len(conversation.facts)
        welcome = {
            "frame": "welcome",
            "resumption": {},
            "head": head,
            "external_id": conversation.external_id,
            "language": self.language,
            "settings": self.settings,
        }
        await socket.send_json(welcome)
        for fact in conversation.facts[hello["after"] : head]:
            await socket.send_json(fact)
        answer, rendered = conversation.answer, hello["rendered"] or {}
        if answer and answer.sent:
            start = rendered["chars"] if rendered.get("utterance_id") == answer.utterance_id else 0
            frame = {"utterance_id": answer.utterance_id, "from": start, "text": answer.text[start : answer.sent]}
            await socket.send_json({"frame": "piece", **frame})
        conversation.sockets[socket] = request
        if not conversation.facts:
            await self._fact(conversation, "session.started", proof="claimed", reason="new_person")
            await self._fact(conversation, "goal.activated", goal_id="home")
            name = conversation.external_id or "you"
            usual = f"Hello {name}, good to see you.\nA few questions, then your plan is ready. {QUESTIONS[0]}"
            await self._speak(conversation, self.greeting or usual)
        elif answer and (conversation.speaking is None or conversation.speaking.done()):
            conversation.speaking = asyncio.create_task(self._utter(conversation))

    async def _heard(
        self, conversation: Conversation, frame: dict[str, Any], socket: web.WebSocketResponse | None
    ) -> int:
        self.says.append({"id": frame["id"], "text": frame["text"]})
        if self.silent:
            return 0
        if frame["id"] not in conversation.said:
            await self._interrupt(conversation)
            conversation.said[frame["id"]] = await self._fact(
                conversation, "person.said", id=frame["id"], text=frame["text"]
            )
        seq = conversation.said[frame["id"]]
        if socket is not None:
            await socket.send_json({"frame": "ack", "id": frame["id"], "seq": seq})
        if seq == len(conversation.facts):
            await self._reply(conversation, frame["text"])
        return seq

    async def _reply(self, conversation: Conversation, text: str) -> None:
        if conversation.step < len(ASKED):
            goal, name = ASKED[conversation.step]
            await self._fact(
                conversation, "field.captured", goal_id=goal, field=name, value=int(text) if text.isdigit() else text
            )
            conversation.step += 1
            if conversation.step == len(ASKED) or ASKED[conversation.step][0] != goal:
                await self._commit(conversation, goal)
        if "goodbye" in text:
            await self._fact(conversation, "conversation.ended", ended_by="participant", at="2026-01-01T10:02:00Z")
            if self.settles:
                at = "2026-01-01T10:02:00.250Z"
                await self._fact(conversation, "conversation.completed", summary="All said.", findings=[], at=at)
            return
        await self._speak(conversation, QUESTIONS[min(conversation.step, len(QUESTIONS) - 1)])

    async def _commit(self, conversation: Conversation, goal: str) -> None:
        captured = [fact for fact in conversation.facts if fact["type"] == "field.captured" and fact["goal_id"] == goal]
        data = {fact["field"]: fact["value"] for fact in captured}
        await self._fact(
            conversation, "goal.committed", goal_id=goal, revision=1, commit_id=f"commit_{next(self._count)}", data=data
        )
        if conversation.step < len(ASKED):
            await self._fact(conversation, "goal.activated", goal_id=ASKED[conversation.step][0])

    async def _fact(self, conversation: Conversation, kind: str, **body: Any) -> int:
        seq = len(conversation.facts) + 1
        fact = {"frame": "event", "seq": seq, "type": kind, "at": "2026-01-01T10:00:00Z", **body}
        conversation.facts.append(fact)
        await self._send(conversation, fact)
        return seq

    async def _send(self, conversation: Conversation, frame: dict[str, Any]) -> None:
        for socket in list(conversation.sockets):
            if not socket.closed:
                await socket.send_json(frame)

    async def _speak(self, conversation: Conversation, text: str) -> None:
        conversation.answer = Answer(f"utt_{next(self._count)}", text)
        await self._fact(conversation, "agent.started", utterance_id=conversation.answer.utterance_id)
        conversation.speaking = asyncio.create_task(self._utter(conversation))

    async def _utter(self, conversation: Conversation) -> None:
        answer = conversation.answer
        while answer and conversation.answer is answer and answer.sent < len(answer.text):
            await asyncio.sleep(self.pace)
            if not conversation.sockets:
                return  # nobody is there: the rest waits
            text = answer.text[answer.sent : answer.sent + self.piece]
            frame = {"frame": "piece", "utterance_id": answer.utterance_id, "from": answer.sent, "text": text}
            answer.sent += len(text)
            await self._send(conversation, frame)
            if answer.sent in self.cuts:
                self.cuts.remove(answer.sent)
                self.cut()
        if answer and conversation.answer is answer:
            await self._end_answer(conversation, answer)

    async def _interrupt(self, conversation: Conversation) -> None:
        if conversation.answer:
            await self._end_answer(conversation, conversation.answer)

    async def _end_answer(self, conversation: Conversation, answer: Answer) -> None:
        conversation.answer = None
        body = {
            "utterance_id": answer.utterance_id,
            "text": answer.text[: answer.sent],
            "interrupted": answer.sent < len(answer.text),
        }
        await self._fact(conversation, "agent.said", **body)

    # ---- the HTTP twin, as far as the frame uses it

    async def _say(self, request: web.Request) -> web.Response:
        frame = await request.json()
        seq = await self._heard(self._bearer(request), frame, None)
        return web.json_response({"id": frame["id"], "seq": seq})

    async def _correct(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.corrections.append(body)
        if body["value"] == "wrong":
            return web.json_response(
                {"error": {"code": "invalid_value", "message": "That is not a room we know."}}, status=400
            )
        await self._fact(self._bearer(request), "field.captured", **body)
        return web.json_response({})

    async def _bye(self, request: web.Request) -> web.Response:
        self._bearer(request)
        self.byes += 1
        return web.json_response({})
