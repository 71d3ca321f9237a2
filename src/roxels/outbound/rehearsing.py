"""Send one request to try an output out: one attempt, at once, of which nothing is kept but the answer to who asked."""

import msgspec

from roxels.domain.clock import Clock
from roxels.outbound.attempt import Outcome
from roxels.outbound.sending import Call, Letter, opened, send
from roxels.storage.vault import Vault


class Locked(msgspec.Struct, frozen=True, kw_only=True):
    """The secrets of one environment as they lie in the database: (id, sealed)."""

    environment: str
    #: Webhook secrets, oldest first.
    signing: list[tuple[str, str]]
    #: Those that the request names.
    named: dict[str, tuple[str, str]]


class Rehearser(msgspec.Struct, frozen=True, kw_only=True):
    """Sends what a rehearsal made, within the same bounds as every delivery."""

    call: Call
    vault: Vault
    clock: Clock

    async def send(self, letter: Letter, locked: Locked) -> Outcome:
        """Make the one attempt; whatever comes of it is in the outcome."""
        keys = opened(self.vault, locked.environment, locked.signing, locked.named)
        return await send(self.call, letter, keys, self.clock.now())
