"""The delivery worker: sends what the outbox holds, to its end. `storage.outbox` has the law; this is the hand.

One loop, one transaction per round: what came back is settled and what is due is claimed together, so a crowd of
deliveries shares one sync to disk, as in the writer. Sending happens beside the loop, as many at a time as `Pace` says.

    the process dies                      what follows
    before the claim is kept              the delivery stands as it was
    between claim and send, or in it      the claim runs out (or a starting worker sees its process dead): sent again
    between send and settle               the same: the receiver gets the same bytes and keys a second time
    after the settle                      nothing is left to do

Nothing of a body, an address or a secret stands in a log line.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Literal, assert_never

import msgspec

from roxels.domain.clock import Clock
from roxels.domain.ids import Ids
from roxels.domain.outputs import captured
from roxels.outbound.attempt import Done, Fatal, Outcome, RetryIn, verdict
from roxels.outbound.circuits import PROBE_EVERY, Circuits
from roxels.outbound.http import TIME_LIMIT
from roxels.outbound.sending import Call, Keys, Letter, opened, send
from roxels.storage import outbox
from roxels.storage.outbox import Claimed, ClaimRequest, Claims, Settled
from roxels.storage.store import Store
from roxels.storage.vault import Vault

logger = logging.getLogger(__name__)

#: Seconds between two looks at the outbox when nothing hints.
POLL = 0.5
#: Seconds that a claim outlives the longest attempt.
MARGIN = 10.0
#: Seconds for the last settling, once `stop` has broken off what was under way.
LAST_WORDS = 2.0


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How fast, how long, how many."""

    #: Seconds for one attempt; that of the `Caller`.
    time_limit: float = TIME_LIMIT
    #: Multiplies the waits between attempts.
    retry_scale: float = 1.0
    #: Attempts under way at once, and of these to one destination: a receiver that hangs leaves room for the others.
    at_once: int = 64
    per_destination: int = 16


class Deps(msgspec.Struct, frozen=True, kw_only=True):
    """What the worker needs from outside."""

    store: Store
    call: Call
    vault: Vault
    clock: Clock
    ids: Ids
    #: This process among those that share the database, and whether another one lives (`storage.leases.Processes`).
    process_id: str
    is_alive: Callable[[str], bool]


class Worker:
    """Delivers, from `start` to `stop`. Any number may work on one database, in one process or several."""

    def __init__(self, deps: Deps, pace: Pace | None = None) -> None:
        self._deps = deps
        self._pace = pace or Pace()
        self._loop: asyncio.Task[None] | None = None
        self._sending: dict[asyncio.Task[None], Claimed] = {}
        self._settled: list[Settled] = []
        self._back: list[Claimed] = []
        self._stirred = asyncio.Event()
        self._is_stopping = False
        self._circuits = Circuits(PROBE_EVERY * self._pace.retry_scale)

    def start(self) -> None:
        """Begin; what a dead process had in hand is taken over first."""
        self._loop = asyncio.create_task(self._work(), name="delivery worker")

    def wake(self) -> None:
        """Look at once: something may be due. For `store.wake.listen_due`."""
        self._stirred.set()

    async def stop(self, within: float) -> None:
        """Claim nothing more, finish what is under way, and give back what takes longer than `within` seconds."""
        self._is_stopping = True
        self.wake()
        if self._loop is None:
            return
        await asyncio.wait([self._loop], timeout=within)
        for task in list(self._sending):
            task.cancel()
        await asyncio.wait([self._loop], timeout=LAST_WORDS)
        self._loop.cancel()
        await asyncio.gather(self._loop, return_exceptions=True)

    async def _work(self) -> None:
        faults = 0
        took_over = False
        while self._has_work():
            self._stirred.clear()
            try:
                if not took_over:
                    await self._deps.store.write_across(outbox.take_over, self._deps.is_alive)
                    took_over = True
                more = await self._round()
                faults = 0
            except Exception:
                logger.exception("The outbox cannot be read or written; trying again.", extra={"action": "deliver"})
                faults += 1
                await self._deps.clock.sleep(min(POLL * 2**faults, 10.0))
            else:
                if not more and self._has_work():
                    await self._rest()

    def _has_work(self) -> bool:
        return bool(not self._is_stopping or self._sending or self._settled or self._back)

    async def _round(self) -> bool:
        """Settle, claim, send; says whether more may be due that there is room for."""
        settled, self._settled = self._settled, []
        back, self._back = self._back, []
        try:
            claims = await self._exchanged(settled, back)
        except BaseException:
            self._settled = settled + self._settled
            self._back = back + self._back
            raise
        keys = {
            environment: opened(
                self._deps.vault, environment, claims.sealed.get(environment, []), claims.named.get(environment, {})
            )
            for environment in {delivery.environment for delivery in claims.taken}
        }
        for delivery in claims.taken:
            task = asyncio.create_task(self._send(delivery, keys[delivery.environment]))
            self._sending[task] = delivery
            task.add_done_callback(self._sent)
        return claims.more and not self._is_stopping and len(self._sending) < self._pace.at_once

    async def _exchanged(self, settled: Sequence[Settled], back: Sequence[Claimed]) -> Claims:
        """Exchange all at once; where that fails and the database is well, settle one at a time."""
        store = self._deps.store
        try:
            return await store.write_across(outbox.exchange, settled, back, self._wish())
        except Exception:
            if not settled:
                raise
            await store.write_across(outbox.exchange, (), back, None)
        for one in settled:
            await self._settle_alone(one)
        return await store.write_across(outbox.exchange, (), (), self._wish())

    async def _settle_alone(self, one: Settled) -> None:
        """Settle this one; with nothing of its answer where that cannot be kept. Else its claim runs out."""
        for each in (one, msgspec.structs.replace(one, response_excerpt="", captured={})):
            try:
                await self._deps.store.write_across(outbox.exchange, (each,), (), None)
            except Exception:
                logger.exception(
                    "How a delivery came out could not be kept.",
                    extra={"action": "deliver", "delivery_id": one.delivery.id},
                )
            else:
                return

    def _wish(self) -> ClaimRequest | None:
        if self._is_stopping:
            return None
        return ClaimRequest(
            claim=f"{self._deps.process_id}.{self._deps.ids.key(8).hex()}",
            life=timedelta(seconds=self._pace.time_limit + MARGIN),
            limit=self._pace.at_once - len(self._sending),
            per_destination=self._pace.per_destination,
            busy=Counter(delivery.destination for delivery in self._sending.values()),
            troubled=self._circuits.limits(self._deps.clock.monotonic()),
        )

    async def _send(self, delivery: Claimed, keys: Keys) -> None:
        began = self._deps.clock.now()
        try:
            letter = Letter(id=delivery.id, key=delivery.commit_id, request=delivery.request)
            outcome = await send(self._deps.call, letter, keys, began)
        except asyncio.CancelledError:
            self._back.append(delivery)
            return
        except Exception:
            logger.exception("An attempt could not be made.", extra={"action": "deliver", "delivery_id": delivery.id})
            outcome = Outcome(error="internal", duration_ms=0)
        self._settled.append(self._judged(delivery, outcome, began))

    def _judged(self, delivery: Claimed, outcome: Outcome, began: datetime) -> Settled:
        now = self._deps.clock.now()
        number = delivery.tries + 1
        self._circuits.note(delivery.destination, outcome, self._deps.clock.monotonic())
        after = verdict(number, outcome, now=now, chance=self._chance(), scale=self._pace.retry_scale)
        fields = {
            "action": "deliver",
            "delivery_id": delivery.id,
            "attempt": number,
            "status_code": outcome.status_code,
            "error": outcome.error,
            "duration_ms": outcome.duration_ms,
        }
        due_at = now
        status: Literal["waiting", "delivered", "failed"]
        match after:
            case Done():
                status = "delivered"
                logger.debug("webhook delivered", extra=fields)
            case RetryIn():
                status = "waiting"
                due_at = now + timedelta(seconds=after.seconds)
                logger.info("webhook not delivered, tried again later", extra=fields)
            case Fatal():
                status = "failed"
                logger.warning("webhook not delivered, given up", extra=fields | {"why": after.why})
            case _:
                assert_never(after)
        return Settled(
            delivery=delivery,
            status=status,
            due_at=due_at,
            at=began,
            status_code=outcome.status_code,
            duration_ms=outcome.duration_ms,
            error=outcome.error,
            response_excerpt=outcome.response_excerpt,
            captured=captured(delivery.captures, outcome.answer) if status == "delivered" else {},
        )

    def _chance(self) -> float:
        return int.from_bytes(self._deps.ids.key(4)) / 2**32

    def _sent(self, task: asyncio.Task[None]) -> None:
        del self._sending[task]
        self._stirred.set()

    async def _rest(self) -> None:
        """Until something stirs, or it is time to look again."""
        waits = [asyncio.create_task(self._stirred.wait()), asyncio.create_task(self._deps.clock.sleep(POLL))]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waits:
                task.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
