"""One attempt from a frozen request to an outcome: secrets filled in, signed for this very moment, sent.

Both the worker and a rehearsal send through here, so that what is tried out is what will be delivered.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime

import msgspec

from roxels import webhooks
from roxels.domain.rendering import Frozen, reveal
from roxels.outbound.attempt import Outcome
from roxels.outbound.http import Request
from roxels.storage.vault import CannotOpen, KeyFileError, Vault

logger = logging.getLogger(__name__)

#: `outbound.http.Caller.call`.
Call = Callable[[Request], Awaitable[Outcome]]


class Keys(msgspec.Struct, frozen=True, kw_only=True):
    """What one attempt is signed with, and the secrets that it names."""

    signing: list[str]
    named: dict[str, str]


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """What is sent, and under which ids."""

    #: `webhook-id`: the delivery's.
    id: str
    #: `Idempotency-Key`: the commit's.
    key: str
    request: Frozen


def opened(
    vault: Vault, environment: str, sealed: Sequence[tuple[str, str]], named: Mapping[str, tuple[str, str]]
) -> Keys:
    """The keys of one environment: (id, sealed), webhook secrets oldest first and others by name.

    One that does not open is left out, and the log says which.
    """
    signing = [_opened(vault, environment, *each, what="webhook_secret_id") for each in sealed]
    values = {name: _opened(vault, environment, *each, what="secret_id") for name, each in named.items()}
    return Keys(
        signing=[each for each in signing if each is not None],
        named={name: each for name, each in values.items() if each is not None},
    )


async def send(call: Call, letter: Letter, keys: Keys, now: datetime) -> Outcome:
    """Make one attempt."""
    if not keys.signing:
        return Outcome(error="unsigned", duration_ms=0)
    try:
        request = reveal(letter.request, keys.named)
    except KeyError:
        return Outcome(error="secret", duration_ms=0)
    body = (request.body or "").encode()
    signed = webhooks.sign(keys.signing, id=letter.id, timestamp=int(now.timestamp()), body=body)
    return await call(
        Request(
            url=request.url,
            method=request.method,
            headers=request.headers | {"Idempotency-Key": letter.key} | signed,
            body=None if request.method == "GET" else body,
            secrets=tuple(keys.named[name] for name in letter.request.secrets),
        )
    )


def _opened(vault: Vault, environment: str, id: str, sealed: str, *, what: str) -> str | None:
    try:
        return vault.open(sealed, environment=environment, id=id)
    except KeyFileError as fault:  # sealed with a newer key, and the file of keys cannot be read anew
        logger.error(
            "A secret that webhooks need does not open, since vault.keys cannot be read by the server's user.",
            extra={"action": "deliver", what: id, "code": fault.code},
        )
        return None
    except CannotOpen as fault:
        logger.error(
            "A secret that webhooks need does not open; set its value again, or make another webhook secret.",
            extra={"action": "deliver", what: id, "code": fault.code},
        )
        return None
