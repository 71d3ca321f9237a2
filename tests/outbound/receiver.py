"""A receiver that does exactly what a test tells it to, byte by byte, and names that point where a test wants."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

import msgspec
from aiohttp.abc import AbstractResolver, ResolveResult

#: Writes the answer. What it does not write is never sent; the connection closes when it returns.
Behaviour = Callable[[asyncio.StreamWriter], Awaitable[None]]


class Received(msgspec.Struct):
    """One request as it came over the wire."""

    line: str
    headers: dict[str, str]
    body: bytes


class Receiver(msgspec.Struct):
    """A running receiver."""

    port: int
    received: list[Received] = []
    connections: int = 0


@asynccontextmanager
async def receiving(
    behaviour: Behaviour, *, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Receiver]:
    """Listen on loopback; ends every connection when left."""
    receiver = Receiver(port=port)
    running: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        receiver.connections += 1
        try:
            receiver.received.append(await _request(reader))
            await behaviour(writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(serve(reader, writer))
        running.add(task)
        task.add_done_callback(running.discard)

    server = await asyncio.start_server(accept, host, port, ssl=tls)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def saying(text: bytes) -> Behaviour:
    """Answers these bytes."""

    async def behaviour(writer: asyncio.StreamWriter) -> None:
        writer.write(text)

    return behaviour


def answering(status: int, body: bytes = b"", **headers: str) -> Behaviour:
    """Answers as a decent server does, then closes."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return saying("\r\n".join(lines).encode() + b"\r\n\r\n" + body)


def endless(head: bytes, chunk: bytes, pause: float = 0.0) -> Behaviour:
    """Begins, and never stops."""

    async def behaviour(writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        while True:
            writer.write(chunk)
            await writer.drain()
            await asyncio.sleep(pause)

    return behaviour


class Names(AbstractResolver):
    """A resolver: for each name the answers of its look-ups, in turn; the last one stays. Others fail."""

    def __init__(self, answers: Mapping[str, Sequence[Sequence[str]]]) -> None:
        self._answers = {name: list(rounds) for name, rounds in answers.items()}
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        self.asked.append(host)
        rounds = self._answers.get(host)
        if rounds is None:
            raise OSError(None, "no such name")
        addresses = rounds.pop(0) if len(rounds) > 1 else rounds[0]
        return [_result(host, address, port) for address in addresses]

    async def close(self) -> None:
        pass


def _result(name: str, address: str, port: int) -> ResolveResult:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return ResolveResult(hostname=name, host=address, port=port, family=family, proto=0, flags=socket.AI_NUMERICHOST)


async def _request(reader: asyncio.StreamReader) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Received(line=head[0], headers=headers, body=body)
