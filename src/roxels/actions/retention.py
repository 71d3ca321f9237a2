"""Keep nothing for longer than each environment says. By itself everything is kept.

    transcripts   a conversation goes whole, like every erasure: with a receipt, and a line on the erase list
    deliveries    settled ones go with their attempts, 500 a transaction
    audit         lines go, 500 a transaction

What would go can be asked beforehand (`preview`), for the rule that holds or for another.
"""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import get_args

import msgspec

from roxels.actions.eraser import Eraser
from roxels.actions.jobs import Jobs
from roxels.domain.clock import Clock
from roxels.domain.errors import NotFound
from roxels.storage import audit, retention
from roxels.storage.audit import SYSTEM
from roxels.storage.retention import Overdue, Rule
from roxels.storage.store import Store
from roxels.storage.transaction import Environment, Reading, Writing

logger = logging.getLogger(__name__)

#: Seconds from the start to the first round, and between two.
FIRST, EVERY = 120.0, 3600.0
#: Rows that one transaction removes at most; conversations that share a sweep of the files.
AT_ONCE = 500
#: A hundred years; more is no rule.
MOST_DAYS = 36_500


def preview(tx: Reading, rule: Rule) -> Overdue:
    """What this rule would remove now."""

    def count(days: int | None, counted: Callable[..., int]) -> int:
        return 0 if days is None else counted(tx, tx.now - timedelta(days=days))

    return Overdue(
        transcripts=count(rule.transcripts_days, retention.count_conversations),
        deliveries=count(rule.deliveries_days, retention.count_deliveries),
        audit=count(rule.audit_days, retention.count_audit),
    )


class Keeper:
    """Applies the rules once an hour while `run` runs, and forgets jobs and exports of yesterday."""

    def __init__(self, store: Store, clock: Clock, eraser: Eraser, jobs: Jobs) -> None:
        self._store = store
        self._clock = clock
        self._eraser = eraser
        self._jobs = jobs

    async def run(self) -> None:
        """Keep until cancelled."""
        await self._clock.sleep(FIRST)
        while True:
            try:
                await self.keep()
            except Exception:
                logger.exception("Removing what is too old was broken off; it goes on in an hour.", extra=ACTION)
            await self._clock.sleep(EVERY)

    async def keep(self) -> None:
        """One round."""
        await self._jobs.tidy()
        environments: tuple[Environment, ...] = get_args(Environment)
        for environment in environments:
            removed = await self._keep_in(environment)
            if removed != Overdue():
                counts = msgspec.structs.asdict(removed)
                await self._store.write(environment, self._note, counts)
                logger.info("What was too old was removed.", extra=ACTION | counts)

    async def _keep_in(self, environment: Environment) -> Overdue:
        rule = await self._store.read(environment, retention.get)
        transcripts = await self._conversations(environment, rule.transcripts_days)
        deliveries = await self._rows(environment, rule.deliveries_days, retention.drop_deliveries)
        if deliveries:
            await self._eraser.sweep()
        return Overdue(
            transcripts=transcripts,
            deliveries=deliveries,
            audit=await self._rows(environment, rule.audit_days, audit.drop_old),
        )

    async def _conversations(self, environment: Environment, days: int | None) -> int:
        count = 0
        while days is not None:
            before = self._clock.now() - timedelta(days=days)
            ids = await self._store.read(environment, retention.old_conversations, before, AT_ONCE)
            for id in ids:
                try:
                    await self._eraser.begin(environment, self._eraser.wish("interview", id, "retention"))
                except NotFound:
                    continue
                count += 1
            await self._eraser.settle()
            if len(ids) < AT_ONCE:
                break
        return count

    async def _rows(self, environment: Environment, days: int | None, drop: Callable[..., int]) -> int:
        count = 0
        while days is not None:
            before = self._clock.now() - timedelta(days=days)
            dropped: int = await self._store.write(environment, drop, before, AT_ONCE)
            count += dropped
            if dropped < AT_ONCE:
                break
        return count

    def _note(self, tx: Writing, counts: dict[str, int]) -> None:
        self._eraser.auditor.note(tx, SYSTEM, "retention.applied", None, **counts)


ACTION = {"action": "retention"}
