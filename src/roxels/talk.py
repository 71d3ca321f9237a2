"""`roxels talk`: a conversation in the terminal, over the same wire as the browser's.

Leave with Ctrl-C whenever you like, in the middle of an answer too, and come back with the same command: it goes on.
"""

import asyncio
import contextlib
import sys
from collections.abc import Callable
from typing import Any, TextIO

import aiohttp

from roxels.domain.ids import Ids
from roxels.domain.texts import mended
from roxels.wire.client import Client, Over


class CannotTalk(Exception):
    """The server did not open a conversation."""

    code = "cannot_talk"


async def talk(
    url: str,
    embed_key: str,
    *,
    external_id: str | None,
    name: str | None,
    resume: bool,
    ids: Ids,
    chance: Callable[[], float],
    out: TextIO = sys.stdout,
) -> None:
    """Talk until the conversation ends or the person leaves. Raises `CannotTalk`."""
    async with aiohttp.ClientSession() as http:
        opened = await _open(http, url, embed_key, {"external_id": external_id, "person_name": name, "resume": resume})
        client = Client(http, opened["socket_url"], opened["token"], chance)
        screen = Screen(client, out)
        screen.report(opened["resumption"])
        typing = asyncio.create_task(_type(client, ids))
        try:
            async for frame in client.frames():
                screen.show(frame)
                if frame.get("type") == "conversation.completed":
                    break
        except Over:
            out.write("\n(The visit is over.)\n")
        finally:
            typing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await typing


class Screen:
    """Writes what comes, character by character, and never a character twice."""

    def __init__(self, client: Client, out: TextIO) -> None:
        self._client = client
        self._out = out
        self._shown: dict[str, int] = {}
        self._ended: set[str] = set()

    def report(self, resumption: dict[str, Any]) -> None:
        """Say honestly what this start restored."""
        if resumption["resumed"]:
            self._out.write(f"(Going on where you left off: {resumption['turns']} messages so far.)\n")
        self._out.flush()

    def show(self, frame: dict[str, Any]) -> None:
        """Write what is new."""
        for message in self._client.view.messages.values():
            start = self._shown.get(message.id)
            if message.role == "user":
                if start is None and message.id not in self._client.own:
                    self._out.write(f"> {message.text}\n")
                self._shown[message.id] = len(message.text)
                continue
            if start is None:
                start = 0
            self._out.write(message.text[start:])
            if message.final and message.id not in self._ended:
                self._ended.add(message.id)
                self._out.write("\n" if not message.interrupted else " -\n")
            self._shown[message.id] = len(message.text)
        if frame.get("type") == "goal.committed":
            self._out.write(f"(Committed: {frame['goal_id']}, revision {frame['revision']}.)\n")
        self._out.flush()


async def _open(http: aiohttp.ClientSession, url: str, key: str, body: dict[str, Any]) -> dict[str, Any]:
    given = {name: value for name, value in body.items() if value is not None}
    try:
        async with http.post(
            f"{url}/v1/embed/sessions", json=given, headers={"Authorization": f"Bearer {key}"}
        ) as response:
            answer: dict[str, Any] = await response.json(content_type=None)
    except aiohttp.ClientConnectionError:
        raise CannotTalk(
            f"There is no server at {url}. Start one with `make run`, or name another with --url."
        ) from None
    except (aiohttp.ClientError, ValueError):
        raise CannotTalk(f"What answers at {url} is not Roxels. Is --url right?") from None
    if response.status != 201:
        raise CannotTalk(answer["error"]["message"])
    return answer


async def _type(client: Client, ids: Ids) -> None:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        if words := mended(line.decode("utf-8", "replace")).strip():
            await client.say(ids.new("msg"), words)
