"""What is written together is sent together, whole, in order, and before the connection closes."""

import asyncio

from roxels.wire.corked import Corked


class Sent(asyncio.Transport):
    """Writes down what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.closed
        self.writes.append(bytes(data))

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True


async def test_one_round_is_one_write() -> None:
    sent = Sent()
    corked = Corked(sent)
    for part in (b"a", b"b", b"c"):
        corked.write(part)
    assert sent.writes == []
    await asyncio.sleep(0)
    corked.write(b"d")
    await asyncio.sleep(0)
    assert sent.writes == [b"abc", b"d"]


async def test_closing_sends_what_was_written() -> None:
    sent = Sent()
    corked = Corked(sent)
    corked.write(b"goodbye")
    corked.close()
    await asyncio.sleep(0)
    assert sent.writes == [b"goodbye"]
    assert corked.is_closing()


async def test_aborting_sends_nothing_more() -> None:
    sent = Sent()
    corked = Corked(sent)
    corked.write(b"too late")
    corked.abort()
    await asyncio.sleep(0)
    assert sent.writes == []
