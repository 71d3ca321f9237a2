"""Looking up names, where somebody else has written the name down and somebody else's server answers for it.

The system's resolver blocks a thread until it knows, and one that hangs may do so for minutes. So it has threads of its
own, where nothing else waits behind it:

    a name is being looked up      whoever else asks for it waits for the same answer: it costs one thread
    no answer in `TIME_LIMIT`      whoever asked is told so (`OSError`); the thread goes on until the resolver gives up
    `AT_ONCE` names are on         another one is refused at once (`OSError`), until one of them is done
    the process ends               it does not wait for them
"""

import asyncio
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

#: Seconds that one waits for an answer.
TIME_LIMIT = 5.0
#: Names that are looked up at the same time: some more than the worker sends at once.
AT_ONCE = 128

#: Host and family → what `socket.getaddrinfo` answers.
Ask = Callable[[str, int], Sequence[tuple[Any, ...]]]


def system(host: str, family: int) -> Sequence[tuple[Any, ...]]:
    """What this machine's resolver says. Blocks."""
    return socket.getaddrinfo(host, None, family=family, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)


class Resolver(AbstractResolver):
    """Looks names up, within bounds that all who use it share."""

    def __init__(self, ask: Ask = system, *, time_limit: float = TIME_LIMIT, at_once: int = AT_ONCE) -> None:
        self._ask = ask
        self._time_limit = time_limit
        self._at_once = at_once
        self._under_way: dict[tuple[str, int], asyncio.Future[list[ResolveResult]]] = {}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses of a name. Raises `OSError` where there is none, or no answer in time."""
        key = (host, int(family))
        answer = self._under_way.get(key)
        if answer is None:
            if len(self._under_way) >= self._at_once:
                raise OSError(None, "too many names are being looked up")
            answer = self._under_way[key] = self._begun(key)
        await asyncio.wait({answer}, timeout=self._time_limit)  # who leaves, leaves it to the others
        if not answer.done():
            raise OSError(None, "no answer in time")
        return [{**one, "port": port} for one in answer.result()]

    async def close(self) -> None:
        """Nothing is waited for: what is under way ends by itself."""

    def _begun(self, key: tuple[str, int]) -> "asyncio.Future[list[ResolveResult]]":
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[list[ResolveResult]] = loop.create_future()

        def work() -> None:
            found, fault = None, None
            try:
                found = [_result(key[0], each) for each in self._ask(*key)]
            except Exception as raised:
                fault = raised
            with suppress(RuntimeError):  # the loop is closed, and nobody asks any more
                loop.call_soon_threadsafe(told, found, fault)

        def told(found: list[ResolveResult] | None, fault: Exception | None) -> None:
            del self._under_way[key]
            if fault is not None:
                answer.set_exception(fault)
                answer.exception()  # whoever asked may have left
            else:
                answer.set_result(found or [])

        threading.Thread(target=work, name="look up a name", daemon=True).start()
        return answer


def _result(name: str, info: tuple[Any, ...]) -> ResolveResult:
    family, _, protocol, _, address = info
    flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    return ResolveResult(hostname=name, host=str(address[0]), port=0, family=family, proto=protocol, flags=flags)
