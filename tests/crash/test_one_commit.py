"""Eight visits talk into one conversation for five hundred turns; the server dies between deciding and committing.

It dies again and again, at each point of a commit's life (`tests.crash.dying`): decided, written, committed and told to
nobody. Whoever was not answered says it again. In the end each message is there once, the revisions of the goal count
up by one without a gap, each is owed to the receiver once, and the last is what was said last.
"""

import asyncio
import random
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import msgspec
import pytest

from tests.crash.test_deliveries import template
from tests.crash.test_erasing import told
from tests.outbound.sink import sinking
from tests.processes import Demo

VISITS, TURNS, DEATHS = 8, 500, 12
POINTS = ("commit.begun", "commit.written", "commit.kept")
#: A life ends with one of its first commits of this many.
LONGEST_LIFE = 10
#: Seconds before somebody speaks: the others' words and answers fall in between.
LONGEST_THOUGHT = 0.2


class Voice:
    """One visit that says its part, each message until it is acknowledged, and waits for an answer to it.

    The answer may arrive before the acknowledgement: what was kept in one commit is told by two ways.
    """

    def __init__(
        self,
        http: aiohttp.ClientSession,
        opened: dict[str, Any],
        part: Sequence[tuple[str, str]],
        chance: random.Random,
    ) -> None:
        self.part = list(part)
        self._http = http
        self._opened = opened
        self._chance = chance
        self._after = 0

    async def speak(self) -> None:
        """Say what is left; whenever the server dies, wait until it is back."""
        while self.part:
            try:
                async with self._http.ws_connect(self._opened["socket_url"]) as socket:
                    await self._talk(socket)
            except (aiohttp.ClientError, ConnectionError):
                await asyncio.sleep(0.05)

    async def _talk(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        await socket.send_json({"frame": "hello", "v": 1, "token": self._opened["token"], "after": self._after})
        kept: int | None = None
        answered = 0
        async for message in socket:
            frame = msgspec.json.decode(message.data)
            self._after = max(self._after, frame.get("seq", 0) if frame["frame"] == "event" else 0)
            if frame["frame"] == "ack":
                self.part, kept = [each for each in self.part if each[0] != frame["id"]], frame["seq"]
            if frame.get("type") == "agent.said":
                answered = frame["seq"]
            if frame["frame"] == "welcome" or (kept is not None and answered > kept):
                if not self.part:
                    return
                message_id, text = self.part[0]
                await asyncio.sleep(self._chance.uniform(0, LONGEST_THOUGHT))
                await socket.send_json({"frame": "say", "id": message_id, "text": text})
                kept = None


@pytest.mark.long
async def test_each_commit_is_made_once(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(10**9)
    print(f"\nseed {seed}")
    chance = random.Random(seed)
    said = [(f"m{n}", f"change my company to Company {n}") for n in range(TURNS)]
    async with sinking() as sink, aiohttp.ClientSession() as http:
        demo = Demo(tmp_path / "data", limits="off", scripted_cps="0")
        with demo:
            made = await told(http, demo, "POST", "/v1/templates", template(sink.url))
            key = (await told(http, demo, "POST", f"/v1/embed/keys/{made['id']}", {}))["key"]
            opened = [await _opened(http, demo, key) for _ in range(VISITS)]
        voices = [Voice(http, visit, said[n::VISITS], chance) for n, visit in enumerate(opened)]
        talk = asyncio.gather(*(voice.speak() for voice in voices))
        whole = list(demo.program)
        deaths = 0
        for point in islice(cycle(POINTS), DEATHS):
            fuse = f"{point}:{chance.randint(1, LONGEST_LIFE)}"
            demo.program = [sys.executable, "-m", "tests.crash.dying", fuse, str(urlsplit(sink.url).port)]
            await asyncio.to_thread(demo.start)
            death = asyncio.create_task(asyncio.to_thread(demo.dead))
            both: list[asyncio.Future[Any]] = [talk, death]
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            assert not talk.done(), f"all was said after {deaths} deaths"
            deaths += await death == -9
            demo.kill()
        demo.program = whole
        with demo:
            async with asyncio.timeout(120):
                await talk
                facts = await _facts(http, demo)
                owed = await _owed(http, demo)
    assert deaths == DEATHS
    assert faults(facts, [message_id for message_id, _ in said], owed) == []
    bodies = {(got.headers["idempotency-key"], got.body) for got in sink.got}
    assert sorted(key for key, _ in bodies) == sorted(owed), "each arrives, and whoever gets it twice can tell"


async def _opened(http: aiohttp.ClientSession, demo: Demo, key: str) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {key}"}
    url = f"{demo.config['url']}/v1/embed/sessions"
    async with http.post(url, json={"external_id": "ada"}, headers=headers) as answer:
        found: dict[str, Any] = await answer.json()
        return found


async def _facts(http: aiohttp.ClientSession, demo: Demo) -> list[dict[str, Any]]:
    (talk,) = (await told(http, demo, "GET", "/v1/interviews?external_id=ada"))["items"]
    facts: list[dict[str, Any]] = []
    while True:
        after = facts[-1]["seq"] if facts else 0
        page = await told(http, demo, "GET", f"/v1/interviews/{talk['id']}/events?after={after}&limit=200")
        facts += page["items"]
        if not page["has_more"]:
            return facts


async def _owed(http: aiohttp.ClientSession, demo: Demo) -> list[str]:
    """The commits of all deliveries, once all are delivered."""
    while True:
        owed: list[dict[str, Any]] = []
        cursor = ""
        while True:
            page = await told(http, demo, "GET", f"/v1/deliveries?limit=200{cursor}")
            owed += page["items"]
            if not page["has_more"]:
                break
            cursor = f"&cursor={page['next_cursor']}"
        if all(each["status"] == "delivered" for each in owed):
            return [str(each["commit_id"]) for each in owed]
        await asyncio.sleep(0.1)


def faults(facts: Iterable[dict[str, Any]], said: Iterable[str], owed: Iterable[str]) -> list[str]:
    """What is not as it should be in a conversation about one goal with one field."""
    found: list[str] = []
    words, commits, standing = Counter[str](), list[dict[str, Any]](), None
    for fact in facts:
        if fact["type"] == "person.said":
            words[fact["id"]] += 1
        if fact["type"] == "field.captured":
            standing = fact["value"]
        if fact["type"] == "goal.committed":
            commits.append(fact)
            if fact["data"] != {"company": standing}:
                found.append(f"revision {fact['revision']} is not what stood then")
    if words != Counter(said):
        found.append("a message is missing or there twice")
    if [fact["revision"] for fact in commits] != list(range(1, len(commits) + 1)):
        found.append("the revisions do not count up by one")
    if not commits or commits[-1]["data"] != {"company": standing}:
        found.append("the last commit is not what was said last")
    if Counter(fact["commit_id"] for fact in commits) != Counter(owed):
        found.append("a commit is not owed, or owed twice")
    return found


def test_a_fault_is_seen() -> None:
    good: list[dict[str, Any]] = [
        {"type": "person.said", "id": "m1"},
        {"type": "field.captured", "value": "A"},
        {"type": "goal.committed", "revision": 1, "commit_id": "c1", "data": {"company": "A"}},
        {"type": "person.said", "id": "m2"},
        {"type": "field.captured", "value": "B"},
        {"type": "goal.committed", "revision": 2, "commit_id": "c2", "data": {"company": "B"}},
    ]
    said, owed = ["m1", "m2"], ["c1", "c2"]
    assert faults(good, said, owed) == []
    for place, fact in enumerate(good):
        assert faults([*good[:place], fact, fact, *good[place + 1 :]], said, owed) or fact["type"] == "field.captured"
        assert faults([*good[:place], *good[place + 1 :]], said, owed), fact
    assert faults(good, said, ["c1"])
    assert faults(good, said, ["c1", "c2", "c2"])
