"""Answers that are cut in every way there is, and what the participant has in the end.

A round is some people who talk at the same time with a real server. Each is cut at a random place of a random answer,
and comes back:

    kill      the server process is killed (`-9`) and started again
    restart   the server is told to stop (SIGTERM) and started again
    socket    the connection is dropped; the same visit connects again, with what it shows
    tab       the tab is closed; a new visit starts from nothing

Judged from the bytes that each received, against the same talk without a cut: what was shown stays and goes on at the
next character, each message of the person is there once, each commit once.
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from typing import Any, Literal, get_args

import aiohttp
import msgspec

from roxels.wire.view import ClientView
from tests.processes import Demo

Cut = Literal["kill", "restart", "socket", "tab"]
CUTS: tuple[Cut, ...] = get_args(Cut)
#: What everybody says, one after the other; the third completes a goal of the demo's template.
WORDS = ("The conservatory", "25", "bright")
#: A whole talk: a greeting, and an answer to each.
MESSAGES = 1 + 2 * len(WORDS)
PATIENCE = 60.0


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """How one person fared. `faults` is empty where nothing was lost, repeated or replaced."""

    cut: Cut
    #: Whether the cut fell inside an answer: something of it shown, and not all.
    inside: bool
    faults: tuple[str, ...]


class Talker:
    """Somebody who says the same as everybody, over as many connections as it takes."""

    def __init__(self, http: aiohttp.ClientSession, demo: Demo, external_id: str) -> None:
        self.external_id = external_id
        self.view = ClientView()
        self._http = http
        self._demo = demo
        self._opened: dict[str, Any] = {}

    @property
    def said(self) -> list[tuple[str, str]]:
        """The finished messages: who and what."""
        return [(message.role, message.text) for message in self.view.messages.values() if message.final]

    @property
    def shown(self) -> str:
        """What is shown of the answer under way."""
        return self.view.messages[self.view.writing].text if self.view.writing else ""

    async def open(self) -> None:
        """A new visit, which shows nothing yet."""
        self.view = ClientView()
        key = {"Authorization": f"Bearer {self._demo.config['embed_key']}"}
        url = f"{self._demo.config['url']}/v1/embed/sessions"
        async with self._http.post(url, json={"external_id": self.external_id}, headers=key) as answer:
            assert answer.status == 201, await answer.text()
            self._opened = await answer.json()

    async def talk(self, *, until: int, chars: int | None = None) -> None:
        """Talk until so many messages stand; with `chars`, leave when so much of the next one is shown."""
        async with asyncio.timeout(PATIENCE):
            async with self._http.ws_connect(self._opened["socket_url"]) as socket:
                hello = {"frame": "hello", "v": 1, "token": self._opened["token"]}
                await socket.send_json(hello | {"after": self.view.after, "rendered": self.view.rendered})
                async for frame in self._frames(socket):
                    if frame["frame"] == "welcome" or frame.get("type") == "agent.said":
                        await self._say_next(socket)
                    if chars is None and len(self.said) >= until and self.view.writing is None:
                        return
                    if chars is not None and self._is_at(until, chars):
                        return

    def _is_at(self, count: int, chars: int) -> bool:
        """Whether so many messages stand, the person's next words among them, and so much of the answer is shown."""
        return len(self.said) > count or (len(self.said) == count and len(self.shown) >= chars)

    async def _frames(self, socket: aiohttp.ClientWebSocketResponse) -> AsyncIterator[dict[str, Any]]:
        async for message in socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                frame: dict[str, Any] = msgspec.json.decode(message.data)
                self.view.apply(frame)
                yield frame
        raise ConnectionError("the server hung up")

    async def _say_next(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """The next words, under an id of their own, so that saying them again says nothing new."""
        count = len(self.said)
        if count and self.said[-1][0] == "agent" and count < MESSAGES:
            number = count // 2
            await socket.send_json({"frame": "say", "id": f"m{number}", "text": WORDS[number]})

    async def kept(self) -> list[dict[str, Any]]:
        """The facts that the server has of the talk."""
        key = {"Authorization": f"Bearer {self._demo.config['secret_key']}"}
        url = f"{self._demo.config['url']}/v1/interviews"
        async with self._http.get(url, params={"external_id": self.external_id}, headers=key) as answer:
            talks = (await answer.json())["items"]
        assert len(talks) == 1, f"{len(talks)} conversations of one person"
        async with self._http.get(f"{url}/{talks[0]['id']}/events?limit=200", headers=key) as answer:
            facts: list[dict[str, Any]] = (await answer.json())["items"]
        return facts


async def unbroken(demo: Demo, http: aiohttp.ClientSession) -> list[tuple[str, str]]:
    """The whole talk as it is without a cut."""
    talker = Talker(http, demo, "unbroken")
    await talker.open()
    await talker.talk(until=MESSAGES)
    return talker.said


async def cut_round(
    demo: Demo,
    http: aiohttp.ClientSession,
    whole: Sequence[tuple[str, str]],
    people: Sequence[tuple[str, Cut]],
    seed: int,
) -> list[Found]:
    """People talk at once, each is cut in their way, all come back and finish. One kind of server death a round."""
    chance = random.Random(seed)
    talkers = [(Talker(http, demo, external_id), cut) for external_id, cut in people]
    # The greeting, or the answer behind the person's first, second or third words.
    places = [2 * chance.randrange(len(WORDS) + 1) for _ in talkers]
    chars = [chance.randrange(1, len(whole[place][1])) for place in places]

    async def until_cut(talker: Talker, place: int, chars: int) -> str:
        await talker.open()
        await talker.talk(until=place, chars=chars)
        return talker.shown

    shown = await asyncio.gather(
        *(until_cut(talker, place, n) for (talker, _), place, n in zip(talkers, places, chars, strict=True))
    )
    cuts = {cut for _, cut in talkers}
    if "kill" in cuts or "restart" in cuts:
        await asyncio.to_thread(demo.kill if "kill" in cuts else demo.stop)
        await asyncio.to_thread(demo.start)
    before = [dict(talker.view.messages) for talker, _ in talkers]
    await asyncio.gather(*(_come_back(talker, cut) for talker, cut in talkers))
    return [
        Found(
            cut=cut,
            inside=0 < len(text) < len(whole[place][1]),
            faults=tuple(await _faults(talker, whole, messages)),
        )
        for (talker, cut), text, place, messages in zip(talkers, shown, places, before, strict=True)
    ]


async def _come_back(talker: Talker, cut: Cut) -> None:
    if cut == "tab":
        await talker.open()
    await talker.talk(until=MESSAGES)


async def _faults(talker: Talker, whole: Sequence[tuple[str, str]], before: dict[str, Any]) -> list[str]:
    """What is not as it should be."""
    found = []
    if talker.said != list(whole):
        found.append(f"{talker.external_id}: the talk ended as {talker.said!r}")
    for message_id, message in before.items():
        now = talker.view.messages.get(message_id)
        if now is None or not now.text.startswith(message.text):
            found.append(f"{talker.external_id}: what was shown of {message_id} was lost or replaced")
    facts = await talker.kept()
    words = Counter(fact["id"] for fact in facts if fact["type"] == "person.said")
    if set(words.values()) != {1} or len(words) != len(WORDS):
        found.append(f"{talker.external_id}: messages were kept {dict(words)}")
    commits = Counter((fact["goal_id"], fact["revision"]) for fact in facts if fact["type"] == "goal.committed")
    if set(commits.values()) != {1}:
        found.append(f"{talker.external_id}: commits {dict(commits)}")
    return found
