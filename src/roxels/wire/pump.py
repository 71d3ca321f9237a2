"""Steps of a turn, read ahead: what comes while something is being kept is kept together, in the next commit.

Keeping is slower than a model's stream. Without this, each token and each fact would wait for a commit of its own; with
it, one commit takes all that has come meanwhile. Nothing is dropped, and nothing is shown before it is kept, for who
reads from here keeps first.

While nobody listens nothing is handed on, for nothing more is uttered then; but it is read on. Whoever comes back in
time gets what has come meanwhile at once. If nobody does, what the turn found out counts, and its words wait as a plan.

    facts, facts     the facts of both, in their order
    words, words     one piece
    facts, words     a share with both: a transaction keeps them together anyway
    words, their end the end alone: it holds the whole answer
    a signal         is no share, and keeps its place
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from typing import assert_never

import msgspec

from roxels.agent.ports import Signal
from roxels.agent.turn import Piece, Together, TurnStep
from roxels.domain.events import AgentPlanned, AgentSaid, AnyEvent, ConversationEnded
from roxels.wire.bell import Bell


class Share(msgspec.Struct, frozen=True):
    """What is kept in one transaction: facts, and the words behind them of an answer that goes on."""

    events: tuple[AnyEvent, ...] = ()
    piece: Piece | None = None

    def with_step(self, step: Together | Piece) -> "Share":
        """This and the step behind it."""
        match step:
            case Together(events):
                is_over = self.piece is not None and any(
                    isinstance(each, AgentSaid) and each.utterance_id == self.piece.utterance_id for each in events
                )
                return Share(self.events + events, None if is_over else self.piece)
            case Piece() if self.piece is not None:
                return Share(self.events, Piece(step.utterance_id, self.piece.start, self.piece.text + step.text))
            case Piece():
                return Share(self.events, step)
            case _:
                assert_never(step)

    def unheard(self) -> "Share":
        """What of this is kept where nobody was there to hear the answer to its end."""
        ends = next((each.ended_by for each in self.events if isinstance(each, ConversationEnded)), None)
        events: list[AnyEvent] = []
        for event in self.events:
            match event:
                case AgentSaid(utterance_id=utterance_id, text=text):
                    events.append(AgentPlanned(utterance_id=utterance_id, plan=text, ends=ends))
                case ConversationEnded():
                    pass  # it ends with the last word of the answer
                case _:
                    events.append(event)
        return Share(tuple(events))


class Ahead:
    """The same steps in the same order, in shares; read from now on, until it is closed. `heard` is set while somebody
    listens."""

    def __init__(self, steps: AsyncIterator[TurnStep], heard: Bell) -> None:
        self._heard = heard
        self._waiting: deque[Share | Signal] = deque()
        self._changed = Bell()
        self._reader = asyncio.create_task(_read(steps, self._waiting, self._changed))

    async def at_hand(self) -> Share | None:
        """Take the first share, where it is there without waiting for anything outside."""
        await asyncio.sleep(0)  # the reader's first go
        first = self._waiting[0] if self._waiting else None
        if not isinstance(first, Share):
            return None
        self._waiting.popleft()
        return first

    async def __aiter__(self) -> AsyncGenerator[Share | Signal, None]:
        """What the steps raise is raised at its place."""
        while True:
            while self._waiting and self._heard.is_set():
                yield self._waiting.popleft()
            if self._reader.done():
                await self._reader
                for share in [each for each in self._waiting if isinstance(each, Share)]:
                    yield share.unheard()
                return
            if self._heard.is_set():
                self._changed.clear()
                await self._changed.wait()
            else:
                await either(self._reader, self._heard)

    async def aclose(self) -> None:
        """Read no further; whoever makes the steps is left at once."""
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)


async def either(task: asyncio.Task[None], heard: Bell) -> None:
    """Wait until the task is done, or somebody listens."""
    listening = asyncio.create_task(heard.wait())
    try:
        await asyncio.wait([task, listening], return_when=asyncio.FIRST_COMPLETED)
    finally:
        listening.cancel()


async def _read(steps: AsyncIterator[TurnStep], waiting: deque[Share | Signal], changed: Bell) -> None:
    try:
        async for step in steps:
            last = waiting[-1] if waiting else None
            if isinstance(step, Signal):
                waiting.append(step)
            elif isinstance(last, Share):
                waiting[-1] = last.with_step(step)
            else:
                waiting.append(Share().with_step(step))
            changed.set()
    finally:
        asyncio.get_running_loop().call_soon(changed.set)
        if isinstance(steps, AsyncGenerator):
            await steps.aclose()
