"""One listener, without I/O: which frames it may send in which state, and what it has not been sent yet.

    state    a frame comes                       then
    new      hello                               -> open, answered by welcome; nothing else is taken
    open     say, correct, heard, bye            taken
    open     hello                               refused, the link stays
    any      malformed, unknown, oversized       refused; fatal while new
    closed   anything                            dropped

What a link sends is pulled, not pushed: it is a place in the log (`Cursor`) plus a few frames of its own. A slow reader
just stands further back, and what it missed comes merged; nothing waits for it and nothing is dropped.
"""

from collections.abc import Callable, Sequence
from typing import Literal, Protocol

from roxels.domain.conversation import Conversation
from roxels.domain.errors import Invalid, RateLimited, RoxelsError, Unauthorized
from roxels.domain.events import AgentSaid, AgentStarted, Fact
from roxels.wire import protocol
from roxels.wire.protocol import ClientFrame, ErrorFrame, Hello, PieceFrame, Rendered, ServerFrame

State = Literal["new", "open", "closed"]

#: Facts sent at one go, so that a long past does not keep others waiting.
FACTS_AT_ONCE = 500


class View(Protocol):
    """What a link needs to see of its room."""

    @property
    def facts(self) -> Sequence[Fact]:
        """All facts so far; the fact at index i has seq i + 1."""
        ...

    @property
    def state(self) -> Conversation:
        """The fold of them."""
        ...

    @property
    def said(self) -> str:
        """What was durably said of an unfinished answer."""
        ...

    def text_of(self, fact: Fact) -> str | None:
        """The fact as a text message, None where a participant may not see it."""
        ...


class Link:
    """One listener's place and outbox."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self.state: State = "new"
        self.close_code: int | None = None
        self._wake = wake
        self._own: list[str] = []
        #: What is sent last, behind everything else, before this listener is left.
        self._last: str | None = None
        self._after = 0
        self._live_after = 0
        self._utterance_id: str | None = None
        self._chars = 0

    # what comes in

    def receive(self, text: str | bytes) -> ClientFrame | None:
        """The frame to act upon, or None where it was refused (the refusal is in the outbox)."""
        if self.state == "closed":
            return None
        try:
            frame = protocol.receive(text)
            self._check_turn(frame)
        except RoxelsError as fault:
            self.refuse(fault, fatal=self.state == "new")
            return None
        return frame

    def _check_turn(self, frame: ClientFrame) -> None:
        if self.state == "new" and not isinstance(frame, Hello):
            raise Unauthorized("Say hello first, with the session's token.")
        if self.state == "open" and isinstance(frame, Hello):
            raise Invalid("This connection has said hello already; open a new one to start over.")

    # what goes out

    def open(self, after: int, rendered: Rendered | None, *, head: int = 0) -> None:
        """Everything after that place, then live; `rendered` is what the client shows of an answer already.

        Answers that are over already, up to `head`, come as they ended, without pieces.
        """
        self.state = "open"
        self._after = after
        self._live_after = head
        if rendered is not None:
            self._utterance_id, self._chars = rendered.utterance_id, max(0, rendered.chars)

    def send(self, frame: ServerFrame) -> None:
        """A frame for this listener alone."""
        self._own.append(protocol.encode(frame))
        self._wake()

    def refuse(self, fault: RoxelsError, *, fatal: bool) -> None:
        """Say what was not accepted; a fatal refusal closes."""
        retry_ms = fault.retry_after * 1000 if isinstance(fault, RateLimited) else None
        self.send(ErrorFrame(code=fault.code, message=fault.message, fatal=fatal, retry_ms=retry_ms))
        if fatal:
            self.close(protocol.UNAUTHORIZED if isinstance(fault, Unauthorized) else protocol.REFUSED)

    def close(self, code: int) -> None:
        """Send what is in the outbox, then hang up with that code."""
        self.state = "closed"
        self.close_code = code
        self._wake()

    def part(self, frame: ServerFrame, code: int) -> None:
        """Take nothing more, send everything that there is, then this frame, then hang up with that code."""
        self._last = protocol.encode(frame)
        self.close(code)

    def notify(self) -> None:
        """The room has something new."""
        self._wake()

    def pull(self, view: View | None) -> list[str]:
        """The messages to send now, in order: the link's own, then facts, then words under way. Empty: all is sent."""
        messages, self._own = self._own, []
        if view is not None and (self.state == "open" or self._last is not None):
            for fact in view.facts[self._after : self._after + FACTS_AT_ONCE]:
                messages += self._of_fact(fact, view)
            if self._after == len(view.facts):
                messages += self._of_words(view)
        if not messages and self._last is not None:
            messages, self._last = [self._last], None
        return messages

    def _of_fact(self, fact: Fact, view: View) -> list[str]:
        """A fact; before an answer's end, the words of it that this listener has not seen."""
        messages: list[str] = []
        match fact.event:
            case AgentStarted(utterance_id=utterance_id) if utterance_id != self._utterance_id:
                self._utterance_id, self._chars = utterance_id, 0
            case AgentSaid(utterance_id=utterance_id, text=text) if utterance_id == self._utterance_id:
                if fact.seq > self._live_after or self._chars:
                    messages += self._piece(utterance_id, text)
            case _:
                pass
        self._after = fact.seq
        text_message = view.text_of(fact)
        return [*messages, text_message] if text_message is not None else messages

    def _of_words(self, view: View) -> list[str]:
        unfinished = view.state.unfinished
        if unfinished is None:
            return []
        if unfinished.utterance_id != self._utterance_id:
            self._utterance_id, self._chars = unfinished.utterance_id, 0
        return self._piece(unfinished.utterance_id, view.said)

    def _piece(self, utterance_id: str, text: str) -> list[str]:
        start = min(self._chars, len(text))
        self._chars = len(text)
        if start == len(text):
            return []
        return [protocol.encode(PieceFrame(utterance_id=utterance_id, start=start, text=text[start:]))]
