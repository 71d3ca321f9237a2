"""Receivers in trouble: who fails again and again is asked rarely, so that the others do not wait behind it.

    failures in a row     what goes there
    0 to 4                as many at once as the pace allows
    5 and more            one attempt per 30 s, until an answer of 2xx; the rest stays due and loses no attempt

A failure is what would be tried again: no answer, 408, 429, 5xx. Another refusal (404, 301 ...) is no sign of trouble
and none of health: it counts for nothing. What never left this process counts for nothing either. Each process counts
for itself and begins anew when it starts.
"""

import msgspec

from roxels.outbound.attempt import Outcome, is_passing

OPENS_AFTER = 5
#: Seconds between two attempts at a destination in trouble.
PROBE_EVERY = 30.0
#: What says nothing about the receiver.
_OURS = frozenset({"target", "url", "request", "unmade", "unsigned", "secret", "internal"})


class _Trouble(msgspec.Struct):
    failures: int = 0
    #: When the next attempt may be made, on the clock that only goes forward.
    next_at: float = 0.0


class Circuits:
    """The destinations that failed lately. `every`: seconds between two attempts at one in trouble."""

    def __init__(self, every: float = PROBE_EVERY) -> None:
        self._every = every
        self._troubles: dict[str, _Trouble] = {}

    def note(self, destination: str, outcome: Outcome, now: float) -> None:
        """What came of an attempt; `now` in seconds on the clock that only goes forward."""
        status = outcome.status_code
        if status is not None and 200 <= status < 300:
            self._troubles.pop(destination, None)
        elif outcome.error not in _OURS and (status is None or is_passing(status)):
            trouble = self._troubles.setdefault(destination, _Trouble())
            trouble.failures += 1
            trouble.next_at = now + self._every

    def limits(self, now: float) -> dict[str, int]:
        """How many may be under way at once to each destination in trouble: one, or none before its time."""
        return {
            destination: 1 if trouble.next_at <= now else 0
            for destination, trouble in self._troubles.items()
            if trouble.failures >= OPENS_AFTER
        }
