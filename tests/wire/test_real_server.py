"""The wire over real sockets, against a real process: what misbehaves, and that nobody else notices."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from roxels.wire import protocol
from roxels.wire.view import ClientView
from tests.processes import Demo


@pytest.fixture
def tmp_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What happens at sockets depends on no database; `tests.journeys` has real servers on both."""
    return tmp_path_factory.mktemp("server")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with Demo(tmp_path_factory.mktemp("wire") / "data", scripted_cps="0", limits="off") as demo:
        yield demo


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as http:
        yield http


async def opened(http: aiohttp.ClientSession, demo: Demo, external_id: str | None = None) -> dict[str, Any]:
    """A visit."""
    body = {"external_id": external_id} if external_id else {}
    headers = {"Authorization": f"Bearer {demo.config['embed_key']}"}
    async with http.post(f"{demo.config['url']}/v1/embed/sessions", json=body, headers=headers) as answer:
        assert answer.status == 201
        visit: dict[str, Any] = await answer.json()
        return visit


class Participant:
    """A socket and the view that its frames add up to."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.view = ClientView()

    async def answered(self, message_id: str, text: str) -> None:
        """Say something and wait until the agent has answered it."""
        await self.socket.send_json({"frame": "say", "id": message_id, "text": text})
        count = len(self.view.messages)
        await self.until(lambda: len(self.view.messages) >= count + 2 and self.view.writing is None)

    async def until(self, condition: Any) -> None:
        """Take in frames until it holds."""
        async with asyncio.timeout(10):
            while not condition():
                self.view.apply(msgspec.json.decode(await self.socket.receive_str()))


@asynccontextmanager
async def participant(http: aiohttp.ClientSession, visit: dict[str, Any]) -> AsyncIterator[Participant]:
    """Somebody who is in and was greeted."""
    async with http.ws_connect(visit["socket_url"], max_msg_size=0) as socket:
        await socket.send_json({"frame": "hello", "v": 1, "token": visit["token"]})
        joined = Participant(socket)
        await joined.until(lambda: joined.view.messages and joined.view.writing is None)
        yield joined


async def test_an_oversized_frame_ends_its_connection_only(http: aiohttp.ClientSession, demo: Demo) -> None:
    visit = await opened(http, demo, "oversized")
    async with participant(http, visit) as good, participant(http, visit) as bad:
        await bad.socket.send_str('{"frame": "say", "id": "m", "text": "' + "x" * 300_000 + '"}')
        async with asyncio.timeout(10):
            while (message := await bad.socket.receive()).type is aiohttp.WSMsgType.TEXT:
                pass
        assert message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
        assert bad.socket.close_code == protocol.TOO_LARGE
        await good.answered("m1", "The kitchen")


async def test_a_reader_who_takes_nothing_holds_up_nobody(http: aiohttp.ClientSession, demo: Demo) -> None:
    visit = await opened(http, demo, "slow reader")
    slow_reader, slow_writer = await raw_socket(demo, visit)
    async with participant(http, visit) as good:
        for number in range(30):
            await good.answered(f"m{number}", "what did I say about " + "x" * 15_000 + "?")
        assert len(good.view.messages) >= 61
    async with asyncio.timeout(10):
        received = b""
        while b'"m29"' not in received:
            received += await slow_reader.read(65536)
    slow_writer.close()


async def raw_socket(demo: Demo, visit: dict[str, Any]) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A WebSocket by hand, on a small receive buffer, that says hello and reads nothing."""
    plug = socket.socket()
    plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    plug.connect(("127.0.0.1", demo.port))
    reader, writer = await asyncio.open_connection(sock=plug, limit=1024)
    writer.write(
        b"GET /v1/wire HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    await reader.readuntil(b"\r\n\r\n")
    hello = msgspec.json.encode({"frame": "hello", "v": 1, "token": visit["token"]})
    writer.write(bytes([0x81, 0x80 | 126]) + len(hello).to_bytes(2, "big") + bytes(4) + hello)
    await writer.drain()
    return reader, writer


async def test_the_twin_shows_the_same(http: aiohttp.ClientSession, demo: Demo) -> None:
    visit = await opened(http, demo, "twin")
    async with participant(http, visit) as there:
        await there.answered("m1", "The attic")
        twin = ClientView()
        headers = {"Authorization": f"Bearer {visit['token']}"}
        async with http.get(f"{demo.config['url']}/v1/wire", headers=headers) as answer, asyncio.timeout(10):
            async for line in answer.content:
                if line.startswith(b"data: "):
                    twin.apply(msgspec.json.decode(line[6:]))
                if line.startswith(b"id: "):
                    number = int(line[4:])
                if twin.after == there.view.after:
                    break
        assert number == twin.after
        assert twin.as_json() == there.view.as_json()


async def asked(
    http: aiohttp.ClientSession, demo: Demo, path: str, *, token: str | None, body: Any = None
) -> tuple[int, Any]:
    """A POST, or a GET without a body; says status and answer."""
    headers = {"Authorization": token} if token else {}
    method = "GET" if body is None else "POST"
    async with http.request(method, f"{demo.config['url']}{path}", json=body, headers=headers) as answer:
        return answer.status, await answer.json()


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("say", {"id": "m", "text": ""}, 400),
        ("say", {"id": "m"}, 400),
        ("say", [], 400),
        ("dance", {}, 404),
        ("hello", {"v": 1, "token": "x"}, 404),
        ("heard", {"utterance_id": "utt_none", "chars": 3}, 200),
    ],
)
async def test_posts_of_the_twin(http: aiohttp.ClientSession, demo: Demo, path: str, body: Any, status: int) -> None:
    visit = await opened(http, demo)
    answer = await asked(http, demo, f"/v1/wire/{path}", token=f"Bearer {visit['token']}", body=body)
    assert answer[0] == status, answer[1]


async def test_a_repeated_post_has_the_same_place(http: aiohttp.ClientSession, demo: Demo) -> None:
    token = f"Bearer {(await opened(http, demo))['token']}"
    said = {"id": "m1", "text": "The hall"}
    answers = [await asked(http, demo, "/v1/wire/say", token=token, body=said) for _ in range(3)]
    assert answers[0][1]["id"] == "m1"
    assert answers[0] == answers[1] == answers[2]


@pytest.mark.parametrize("token", [None, "Bearer st_wrong", "Basic eDp5"])
async def test_without_a_token_nothing_opens(http: aiohttp.ClientSession, demo: Demo, token: str | None) -> None:
    status, answer = await asked(http, demo, "/v1/wire", token=token)
    assert (status, answer["error"]["code"]) == (401, "unauthorized")


async def test_sigterm_says_goodbye_and_ends(http: aiohttp.ClientSession, tmp_path: Path) -> None:
    demo = Demo(tmp_path / "data", scripted_cps="20").start()
    visit = await opened(http, demo, "ada")
    async with http.ws_connect(visit["socket_url"]) as socket:
        await socket.send_json({"frame": "hello", "v": 1, "token": visit["token"]})
        view = ClientView()
        while not (view.rendered and view.rendered["chars"] > 3):
            view.apply(msgspec.json.decode(await socket.receive_str()))
        ending = asyncio.create_task(asyncio.to_thread(demo.stop))
        frames = [msgspec.json.decode(message.data) async for message in socket]
        assert frames[-1]["frame"] == "bye"
        assert (frames[-1]["code"], socket.close_code) == ("draining", 4010)
        async with asyncio.timeout(10):
            await ending
    for frame in frames:
        view.apply(frame)
    demo.start()
    again = await opened(http, demo, "ada")
    assert again["resumption"]["unfinished"]["chars"] >= (view.rendered or {})["chars"]
    demo.kill()
