"""Time as an argument: the port that everything takes which needs to know or to wait."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """What tells and passes time."""

    def now(self) -> datetime:
        """The time, aware, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds since some moment, never going back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Let that much time pass."""
        ...
