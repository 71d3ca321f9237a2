"""The engine itself: one connection to its endpoint, which outlives no answer and is cut under none."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from roxels import lazy
from roxels.agent.speakers.engine import Asking, Endpoint, Stopped, Text
from roxels.agent.speakers.openai import Limits, OpenAIEngine
from roxels.outbound import guard
from roxels.outbound.pinning import Pin
from roxels.testing.model import ModelServer, Reply

WORDS = "The quick brown fox jumps over the lazy dog."
ASKING = Asking(model="small", messages=[{"role": "user", "content": "Speak."}])


class Engine(OpenAIEngine):
    """It remembers what it connected with."""

    def __init__(self, url: str) -> None:
        super().__init__(lazy.openai, Endpoint(url=url), Limits(first=10, between=10), Pin(guard.anywhere))
        self.connected: set[int] = set()

    async def _connect(self) -> None:
        await super()._connect()
        self.connected.add(id(self._client))


@pytest.fixture
async def engine() -> AsyncIterator[Engine]:
    """Connected to a model that speaks slowly."""
    async with ModelServer(lambda _asked: Reply(text=WORDS, size=4, pause=0.01)) as server:
        engine = Engine(server.url)
        yield engine
        await engine.close()


async def heard(engine: Engine) -> str:
    """All that it says."""
    return "".join([delta.text async for delta in engine.stream(ASKING) if isinstance(delta, Text)])


async def test_it_hangs_up_once_the_answer_under_way_is_over(engine: Engine) -> None:
    said: list[str] = []
    async for delta in engine.stream(ASKING):
        if isinstance(delta, Text):
            said.append(delta.text)
            await engine.close()
            assert not engine._client.is_closed()
        assert isinstance(delta, Text | Stopped)
    assert "".join(said) == WORDS
    assert engine._client.is_closed()


async def test_answers_that_begin_at_once_share_one_connection(engine: Engine) -> None:
    both = await asyncio.gather(heard(engine), heard(engine))
    assert list(both) == [WORDS, WORDS]
    assert len(engine.connected) == 1
