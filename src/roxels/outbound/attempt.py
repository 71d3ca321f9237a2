"""What one attempt came to, and what follows from it: nothing, another attempt, or the end.

A receiver's answer is a claim about its own state. 2xx: it has the delivery. 408, 429, 5xx, and everything that went
wrong on the way: it may have it or not, so it is asked again with the same bytes and the same keys, and drops repeats.
Any other answer (4xx, and 3xx, since redirects are not followed): asking again would bring the same answer.

    status                           verdict             fault before a status         verdict
    2xx                              Done                name, connect, tls, timeout, cut_off,
    408, 429, 5xx                    RetryIn or Fatal      not_http, unsigned, secret, internal      RetryIn or Fatal
    all others                       Fatal               target, url, request, unmade        Fatal

    wait after attempt               1    2    3    4    5     6     7    (8 is the last)
    seconds, ± 20 %                  1    3   10   30   90   180   286    (600 in all: ten minutes)

The status line decides, even where the answer broke off behind it: a receiver that said 200 has said so.
`Retry-After` (seconds or HTTP date) makes a wait longer, never shorter, and counts up to ten minutes: the whole
schedule once more; a receiver that wants longer is better served by "send again". It gets up to 20 % on top, so that
all who were told the same second do not come back in the same second.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal

import msgspec

WAITS = (1.0, 3.0, 10.0, 30.0, 90.0, 180.0, 286.0)
SPREAD = 0.2
LONGEST_ASKED = 600.0
LAST_ATTEMPT = len(WAITS) + 1

#: What can go wrong before a receiver has answered with a status.
Fault = Literal[
    "name",
    "connect",
    "tls",
    "timeout",
    "cut_off",
    "not_http",
    "target",
    "url",
    "request",
    "unmade",
    "unsigned",
    "secret",
    "internal",
]


class _Meaning(msgspec.Struct, frozen=True):
    worth_another: bool
    sentence: str


#: Fixed sentences: an address, a header or a body never stands in them.
FAULTS: Mapping[Fault, _Meaning] = {
    "name": _Meaning(True, "The host name could not be resolved."),
    "connect": _Meaning(True, "No connection to the host: refused, reset or unreachable."),
    "tls": _Meaning(True, "No secure connection: the certificate or the TLS version of the host does not hold."),
    "timeout": _Meaning(True, "No complete answer in time."),
    "cut_off": _Meaning(True, "The connection was closed in mid-answer."),
    "not_http": _Meaning(True, "The answer is not HTTP, or its headers are too large."),
    "target": _Meaning(
        False,
        "The host is private, local or otherwise not on the open internet. For development, "
        "ROXELS_ALLOW_PRIVATE_TARGETS opens this.",
    ),
    "url": _Meaning(
        False,
        "The URL cannot be called: use http:// or https://, a host name or a plain IP address, "
        "and put credentials into a header.",
    ),
    "request": _Meaning(
        False,
        "A header or the method cannot be sent: no line breaks in values; Host, Content-Length, "
        "Transfer-Encoding and Connection are set by Roxels.",
    ),
    "unmade": _Meaning(
        False,
        "Not sent, since no request could be made of what an earlier receiver answered. Change its response_capture.",
    ),
    "unsigned": _Meaning(
        True,
        "Not sent, since there is no webhook secret to sign it with. Create one with POST /v1/webhook-secrets.",
    ),
    "secret": _Meaning(
        True,
        "Not sent, since a secret that the output names is not there or does not open. Set it with /v1/secrets.",
    ),
    "internal": _Meaning(True, "Roxels made a mistake; its log says which."),
}


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What one attempt came to. Holds nothing of the request, and no secret that was sent."""

    #: The receiver's status, or None where it never came to one.
    status_code: int | None = None
    #: What went wrong: before the status, or (beside one) while reading what followed.
    error: Fault | None = None
    #: Milliseconds from the start of the attempt to its end.
    duration_ms: int
    #: The first 4 KB of the answer as text; bytes that are no UTF-8 stand as U+FFFD.
    response_excerpt: str = ""
    #: All that was read of the answer, as text.
    answer: str = ""
    #: The `Retry-After` header as sent, or None.
    retry_after: str | None = None


class Done(msgspec.Struct, frozen=True):
    """The receiver has it."""


class RetryIn(msgspec.Struct, frozen=True):
    """Try again after this many seconds."""

    seconds: float


class Fatal(msgspec.Struct, frozen=True):
    """No further attempt by itself; a person may send it again."""

    #: `refused`: another attempt would bring the same. `spent`: the attempts are used up.
    why: Literal["refused", "spent"]


Verdict = Done | RetryIn | Fatal


def verdict(number: int, outcome: Outcome, *, now: datetime, chance: float, scale: float = 1.0) -> Verdict:
    """What follows from attempt `number` (from 1).

    `now` (aware) is when the answer came, for a `Retry-After` that is a date; `chance` in [0, 1) decides the spread;
    `scale` multiplies every wait, so that tests need not live through ten minutes.
    """
    if outcome.status_code is not None and 200 <= outcome.status_code < 300:
        return Done()
    if not _worth_another(outcome):
        return Fatal("refused")
    if number >= LAST_ATTEMPT:
        return Fatal("spent")
    planned = WAITS[number - 1] * (1 + SPREAD * (2 * chance - 1))
    asked = _asked(outcome.retry_after, now) * (1 + SPREAD * chance)
    return RetryIn(max(planned, asked) * scale)


def is_passing(status_code: int) -> bool:
    """Whether a receiver that answers so may take it another time: too slow, too many, or a fault of its own."""
    return status_code in (408, 429) or 500 <= status_code < 600


def _worth_another(outcome: Outcome) -> bool:
    if outcome.status_code is not None:
        return is_passing(outcome.status_code)
    if outcome.error is not None:
        return FAULTS[outcome.error].worth_another
    raise ValueError("an outcome has a status or an error")


def _asked(header: str | None, now: datetime) -> float:
    """Seconds that `Retry-After` (RFC 9110, 10.2.3) asks for, within [0, 600]; 0 where it cannot be read."""
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text), LONGEST_ASKED)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return 0.0
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max((aware - now).total_seconds(), 0.0), LONGEST_ASKED)
