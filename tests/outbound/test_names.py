"""A resolver that hangs keeps only those waiting who ask for that name, and them not for long."""

import asyncio
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import httpx2
import pytest

from roxels.outbound import guard
from roxels.outbound.http import Caller, Request
from roxels.outbound.names import Resolver, system
from roxels.outbound.pinning import Pin
from tests.outbound.receiver import answering, receiving

#: As long as anybody waits for an answer here.
BRIEF = 0.2


class Hanging:
    """The system's resolver, but names that begin with `hangs` have no answer until `let_go`."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self._gate = threading.Event()

    def __call__(self, host: str, family: int) -> Sequence[tuple[Any, ...]]:
        self.asked[host] += 1
        if host.startswith("hangs"):
            self._gate.wait()
            host = "127.0.0.1"
        return system(host, family)

    def let_go(self) -> None:
        """Answer them all."""
        self._gate.set()


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    hanging = Hanging()
    yield hanging
    hanging.let_go()


async def asked_by_many(resolver: Resolver, name: str, times: int) -> list[Any]:
    return await asyncio.gather(*(resolver.resolve(name, 443 + n) for n in range(times)), return_exceptions=True)


async def test_unrelated_work_goes_on(hanging: Hanging) -> None:
    resolver = Resolver(hanging, time_limit=30)
    stuck = [asyncio.create_task(resolver.resolve(f"hangs{number}.example", 443)) for number in range(100)]
    await asyncio.sleep(BRIEF)
    async with asyncio.timeout(5):
        await asyncio.gather(*(asyncio.to_thread(time.sleep, 0.001) for _ in range(50)))
        (found, *_) = await resolver.resolve("localhost", 443)
        assert found["host"] in ("127.0.0.1", "::1")
        assert (found["port"], found["hostname"]) == (443, "localhost")
    hanging.let_go()
    assert {answer[0]["host"] for answer in await asyncio.gather(*stuck)} == {"127.0.0.1"}


async def test_who_asks_for_it_is_told_in_time_and_it_costs_one_thread(hanging: Hanging) -> None:
    resolver = Resolver(hanging, time_limit=BRIEF)
    before = threading.active_count()
    for _ in range(3):
        answers = await asked_by_many(resolver, "hangs.example", 50)
        assert {str(each) for each in answers} == {"[Errno None] no answer in time"}
    assert (hanging.asked["hangs.example"], threading.active_count() - before) == (1, 1)
    hanging.let_go()
    async with asyncio.timeout(5):
        assert (await resolver.resolve("hangs.example", 443))[0]["host"] == "127.0.0.1"


async def test_so_many_at_once_and_no_more(hanging: Hanging) -> None:
    resolver = Resolver(hanging, time_limit=BRIEF, at_once=2)
    stuck = [asyncio.create_task(resolver.resolve(f"hangs{number}.example", 443)) for number in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(OSError, match="too many"):
        await resolver.resolve("localhost", 443)
    await asyncio.gather(*stuck, return_exceptions=True)
    hanging.let_go()
    async with asyncio.timeout(5):
        while True:
            try:
                assert await resolver.resolve("localhost", 443)
            except OSError:
                await asyncio.sleep(0.01)
            else:
                return


async def test_who_leaves_disturbs_nobody_else(hanging: Hanging) -> None:
    resolver = Resolver(hanging, time_limit=5)
    leaves, stays = (asyncio.create_task(resolver.resolve("hangs.example", 443)) for _ in range(2))
    await asyncio.sleep(0)
    leaves.cancel()
    await asyncio.gather(leaves, return_exceptions=True)
    hanging.let_go()
    assert (await stays)[0]["host"] == "127.0.0.1"


async def test_a_name_that_is_not_there_is_told_to_all_and_asked_for_again() -> None:
    asked: list[str] = []

    def fails(host: str, family: int) -> Sequence[tuple[Any, ...]]:
        asked.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "not known")

    resolver = Resolver(fails)
    for count in (1, 2):
        assert {type(each) for each in await asked_by_many(resolver, "nowhere.example", 5)} == {socket.gaierror}
        assert len(asked) == count


async def test_a_receiver_of_such_a_name_is_not_found(hanging: Hanging) -> None:
    resolver = Resolver(hanging, time_limit=BRIEF)
    async with (
        receiving(answering(200)) as receiver,
        Caller(permits=guard.anywhere, monotonic=time.monotonic, time_limit=5, resolver=resolver) as caller,
    ):
        stuck = asyncio.create_task(caller.call(Request(url="http://hangs.example/hook", body=b"{}")))
        outcome = await caller.call(Request(url=f"http://localhost:{receiver.port}/hook", body=b"{}"))
        assert outcome.status_code == 200
        assert ((await stuck).error, (await stuck).status_code) == ("name", None)


async def test_nor_is_a_model(hanging: Hanging) -> None:
    pin = Pin(guard.anywhere, Resolver(hanging, time_limit=BRIEF))
    async with httpx2.AsyncClient(event_hooks={"request": [pin]}, trust_env=False) as http:
        with pytest.raises(OSError, match="no answer in time"):
            await http.get("http://hangs.example/v1")


def test_the_process_ends_all_the_same() -> None:
    code = (
        "import asyncio, time\n"
        "from roxels.outbound.names import Resolver\n"
        "async def run():\n"
        "    try:\n"
        "        await Resolver(lambda *_: time.sleep(60), time_limit=0.1).resolve('hangs.example')\n"
        "    except OSError as fault:\n"
        "        print(fault)\n"
        "asyncio.run(run())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=20, check=False)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "[Errno None] no answer in time", "")
