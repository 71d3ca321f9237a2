"""`kill -9` in the middle of an answer, thirty times: what was shown stays, and it goes on at the next character.

Judged from the bytes that the client received, against the same conversation without a kill. The kills fall at random
places; the seed is printed, and ROXELS_CRASH_SEED repeats it.
"""

import asyncio
import os
import random
import statistics
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from roxels.wire.view import ClientView
from tests.processes import Demo

KILLS = 30
#: Kills that must fall inside an answer: something of it shown, and not all.
INSIDE = 25
WORDS = "Difference Engines"


class Heard:
    """One participant: every byte that came, and the view that it adds up to."""

    def __init__(self, http: aiohttp.ClientSession, url: str, key: str, external_id: str) -> None:
        self.view = ClientView()
        self.received: list[dict[str, Any]] = []
        #: After how many characters to cut.
        self.cut = 1
        self._http = http
        self._url = url
        self._key = key
        self._external_id = external_id

    async def open(self) -> dict[str, Any]:
        """A session."""
        async with self._http.post(
            f"{self._url}/v1/embed/sessions",
            json={"external_id": self._external_id},
            headers={"Authorization": f"Bearer {self._key}"},
        ) as answer:
            assert answer.status == 201
            opened: dict[str, Any] = await answer.json()
            return opened

    async def frames(self, opened: dict[str, Any], say: tuple[str, str] | None = None) -> AsyncIterator[dict[str, Any]]:
        """What comes on one connection, until it breaks; `say`: what to say (again) first."""
        async with self._http.ws_connect(opened["socket_url"]) as socket:
            hello = {"frame": "hello", "v": 1, "token": opened["token"]}
            await socket.send_json(hello | {"after": self.view.after, "rendered": self.view.rendered})
            if say is not None:
                await socket.send_json({"frame": "say", "id": say[0], "text": say[1]})
            async for message in socket:
                if message.type is not aiohttp.WSMsgType.TEXT:
                    return
                frame: dict[str, Any] = msgspec.json.decode(message.data)
                self.received.append(frame)
                self.view.apply(frame)
                yield frame

    @property
    def said(self) -> list[tuple[str, str]]:
        """The finished messages: who and what."""
        return [(message.role, message.text) for message in self.view.messages.values() if message.final]


async def until_finished(heard: Heard, opened: dict[str, Any], count: int, say: tuple[str, str] | None = None) -> None:
    """Listen until that many messages stand, all finished."""
    async with asyncio.timeout(30):
        async for _frame in heard.frames(opened, say):
            if len(heard.said) == count and heard.view.writing is None:
                return


async def until_shown(heard: Heard, opened: dict[str, Any], chars: int, say: tuple[str, str] | None) -> None:
    """Listen until the answer under way shows that much."""
    async with asyncio.timeout(30):
        async for _frame in heard.frames(opened, say):
            under_way = heard.view.rendered
            if under_way and under_way["chars"] >= chars and len(heard.said) == (2 if say else 0):
                return


async def test_thirty_kills_lose_and_repeat_nothing(tmp_path: Path) -> None:
    seed = int(os.environ.get("ROXELS_CRASH_SEED", random.SystemRandom().randrange(10**9)))
    print(f"\nROXELS_CRASH_SEED={seed}")
    chance = random.Random(seed)
    inside, resumed_after = 0, []
    demo = Demo(tmp_path / "data", scripted_cps="300", limits="off").start()
    try:
        async with aiohttp.ClientSession() as http:
            unbroken = Heard(http, demo.config["url"], demo.config["embed_key"], "unbroken")
            opened = await unbroken.open()
            await until_finished(unbroken, opened, 1)
            await until_finished(unbroken, opened, 3, say=("m1", WORDS))
            for number in range(KILLS):
                heard = Heard(http, demo.config["url"], demo.config["embed_key"], f"person {number}")
                target, say = await _choose(heard, chance, unbroken)
                shown, waited = await _kill_and_come_back(demo, heard, target, say)
                inside += 0 < shown < len(unbroken.said[target][1])
                resumed_after.append(waited)
                assert heard.said[: target + 1] == unbroken.said[: target + 1], f"kill {number}"
                assert [role for role, _ in heard.said].count("user") == (1 if say else 0)
    finally:
        demo.kill()
    print(f"{inside} of {KILLS} kills inside an answer; came back within {max(resumed_after):.3f} s")
    assert inside >= INSIDE
    assert statistics.quantiles(resumed_after, n=20)[-1] <= 1.0


async def _choose(heard: Heard, chance: random.Random, unbroken: Heard) -> tuple[int, tuple[str, str] | None]:
    """Which answer to cut: the greeting, or the reply to the person's words."""
    if chance.random() < 0.5:
        heard.cut = chance.randrange(1, len(unbroken.said[0][1]) * 4 // 5)
        return 0, None
    opened = await heard.open()
    await until_finished(heard, opened, 1)
    heard.cut = chance.randrange(1, len(unbroken.said[2][1]) * 4 // 5)
    return 2, ("m1", WORDS)


async def _kill_and_come_back(demo: Demo, heard: Heard, target: int, say: tuple[str, str] | None) -> tuple[int, float]:
    """Cut, start again, listen to the end; says how much was shown at the cut and how long coming back took."""
    await until_shown(heard, await heard.open(), heard.cut, say)
    demo.kill()
    under_way = heard.view.rendered
    prefix = next(reversed(heard.view.messages.values())).text
    shown = under_way["chars"] if under_way else 0
    await asyncio.to_thread(demo.start)
    began = time.monotonic()
    opened = await heard.open()
    assert opened["resumption"]["resumed"]
    place = len(heard.received)
    first = 0.0
    async with asyncio.timeout(30):
        async for frame in heard.frames(opened, say):
            first = first or (time.monotonic() - began if frame["frame"] in ("piece", "event") else 0.0)
            if len(heard.said) == target + 1 and heard.view.writing is None:
                break
    pieces = [frame for frame in heard.received[place:] if frame["frame"] == "piece"]
    if shown and pieces:
        assert pieces[0]["from"] == shown
    assert heard.said[target][1].startswith(prefix)
    endings = [frame for frame in heard.received if frame.get("type") == "agent.said"]
    assert len({ending["utterance_id"] for ending in endings}) == len(endings)
    return shown, first
