"""Participants who talk: each an open conversation that says something and waits for the answer."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import aiohttp

from bench.serving import Served
from bench.wire import Socket

#: How the last frame of an answer is told, and the first text of one.
SAID, TEXT = b'"agent.said"', b'"piece"'


class Person:
    """One open connection to either server."""

    def __init__(self, socket: Socket, token: str | None = None) -> None:
        self.socket = socket
        self.token = token
        self._turns = 0

    async def turn(self) -> tuple[float, float]:
        """Say something; seconds until the first text of the answer, and until its end."""
        self._turns += 1
        began = time.perf_counter()
        self.socket.send({"frame": "say", "id": f"m{self._turns}", "text": "Some words"})
        await self.socket.until(TEXT)
        first = time.perf_counter() - began
        await self.socket.until(SAID)
        return first, time.perf_counter() - began


async def sessions(served: Served, count: int, *, name: str = "person {}") -> list[dict[str, Any]]:
    """Open visits of so many persons; `name` with its number is the external id."""
    headers = {"Authorization": f"Bearer {served.config['embed_key']}"}
    async with aiohttp.ClientSession(headers=headers) as http:

        async def one(number: int) -> dict[str, Any]:
            body = {"external_id": name.format(number)}
            async with http.post(f"{served.config['url']}/v1/embed/sessions", json=body) as answer:
                assert answer.status == 201, await answer.text()
                opened: dict[str, Any] = await answer.json()
                return opened

        opened: list[dict[str, Any]] = []
        for start in range(0, count, 50):
            opened += await asyncio.gather(*(one(number) for number in range(start, min(start + 50, count))))
        return opened


async def talking(served: Served, count: int, *, name: str = "person {}") -> list[Person]:
    """So many persons in open conversations, greeted."""
    opened = await sessions(served, count, name=name)
    people = []
    for each in opened:
        socket = await Socket.connect(served.config["url"], "/v1/wire")
        socket.send({"frame": "hello", "v": 1, "token": each["token"], "after": 0, "rendered": None})
        await socket.until(SAID)
        people.append(Person(socket, each["token"]))
    return people


async def connected(served: Served, count: int) -> list[Person]:
    """So many connections to the bare server."""
    return [Person(await Socket.connect(served.config["url"])) for _ in range(count)]


async def at_once(people: Sequence[Person]) -> list[tuple[float, float]]:
    """One turn of everybody, all beginning now."""
    return list(await asyncio.gather(*(person.turn() for person in people)))


async def as_fast_as_they_go(people: Sequence[Person], seconds: float) -> tuple[int, float]:
    """Everybody talks without a pause; how many turns were finished, and in how many seconds."""
    ends = time.perf_counter() + seconds
    began = time.perf_counter()

    async def talk(person: Person) -> int:
        count = 0
        while time.perf_counter() < ends:
            await person.turn()
            count += 1
        return count

    counts = await asyncio.gather(*(talk(person) for person in people))
    return sum(counts), time.perf_counter() - began


async def at_random(people: Sequence[Person], rate: float, seconds: float, chance: Any) -> list[float]:
    """Turns arrive at random (a Poisson process of this rate), each with whoever has been idle longest.

    Returns the seconds to the first text of each, counted from when the turn was due.
    """
    idle: asyncio.Queue[Person] = asyncio.Queue()
    for person in people:
        idle.put_nowait(person)
    firsts: list[float] = []

    async def one(person: Person) -> None:
        first, _ = await person.turn()
        firsts.append(first)
        idle.put_nowait(person)

    async with asyncio.TaskGroup() as group:
        due = time.perf_counter()
        ends = due + seconds
        while (due := due + chance.expovariate(rate)) < ends:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            group.create_task(one(await idle.get()))
    return firsts
