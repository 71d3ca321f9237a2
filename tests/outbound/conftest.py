"""A database in which people commit goals, and workers that deliver what follows from it."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from roxels import webhooks
from roxels.actions import finish
from roxels.actions import secrets as keeping
from roxels.actions.open import Opened, VisitRequest, open_visit
from roxels.ambient import RandomIds, SystemClock
from roxels.domain import outputs, soundness
from roxels.domain.conversation import fold
from roxels.domain.events import AnyEvent, FieldCaptured, GoalCommitted
from roxels.domain.occasions import Subject
from roxels.domain.proof import Proof
from roxels.outbound import guard
from roxels.outbound.attempt import Outcome
from roxels.outbound.http import Caller, Request
from roxels.outbound.worker import Deps, Pace, Worker
from roxels.storage import keys, outbox, templates
from roxels.storage.conversations import numbered
from roxels.storage.database import Database
from roxels.storage.keys import WebhookSecret
from roxels.storage.log import Append
from roxels.storage.owing import Due
from roxels.storage.schema import attempts, deliveries
from roxels.storage.store import Store
from roxels.storage.transaction import Across, Environment, Rows
from roxels.storage.vault import Vault
from roxels.testing import FakeClock

Call = Callable[[Request], Awaitable[Outcome]]


class Talk:
    """One person's conversation, of which only the commits matter here."""

    def __init__(self, office: "Office", opened: Opened, template_id: str, environment: Environment) -> None:
        self.office = office
        self.opened = opened
        self.state = opened.state
        self.environment = environment
        self._template_id = template_id
        self._revision = 0

    async def end(self) -> None:
        """The conversation is over, and completed."""
        await self.office.store.write(self.environment, finish.end_conversation, self.opened.conversation_id, "api")

    async def commit(self, company: str = "Lovelace & Co") -> str:
        """The goal is final (once more); says the commit's id."""
        self._revision += 1
        commit = GoalCommitted(
            goal_id="g1",
            revision=self._revision,
            commit_id=self.office.ids.new("commit"),
            data={"company": company},
            proof=self.state.proof_of(self.opened.session_id),
        )
        await self.keep(commit)
        return commit.commit_id

    async def capture(self, **fields: Any) -> None:
        """More is known of the goal."""
        await self.keep(*(FieldCaptured(goal_id="g1", field=name, value=value) for name, value in fields.items()))

    async def keep(self, *events: AnyEvent) -> None:
        """Keep these facts, and what they owe, in one transaction."""
        office = self.office
        kept = await office.store.read(self.environment, templates.active, self._template_id)
        assert kept is not None
        facts = numbered(self.state, events, at=office.clock.now(), session_id=self.opened.session_id)
        after = fold(facts, self.state)
        person = self.opened.person
        subject = Subject(
            conversation_id=self.opened.conversation_id, person_id=person.id, external_id=person.external_id
        )
        owed = outputs.owed(kept.read(), facts, after, subject)
        due = tuple(
            Due(id=office.ids.new("del"), environment=self.environment, person_id=person.id, owed=each) for each in owed
        )
        await office.store.append(
            Append(
                conversation_id=self.opened.conversation_id,
                expected_seq=self.state.head,
                facts=facts,
                state=after,
                due=due,
            )
        )
        self.state = after


class Office:
    """A database with its clock, and the workers on it, each as a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock(SystemClock().now())
        self.ids = RandomIds()
        self.vault = Vault((bytes(32),), os.urandom)
        self.path = folder / "roxels.db"
        database = Database(self.path)
        database.create_all()
        self.store = Store(database, self.clock)
        self.dead: set[str] = set()
        self._stores = [self.store]
        self._workers: list[Worker] = []
        self._caller = Caller(permits=guard.anywhere, monotonic=time.monotonic, time_limit=10)

    async def open(self) -> None:
        """Make calls possible."""
        await self._caller.__aenter__()

    async def close(self) -> None:
        """End every worker and close every connection."""
        for worker in self._workers:
            await worker.stop(0)
        await self._caller.__aexit__(None, None, None)
        for store in self._stores:
            await asyncio.get_running_loop().run_in_executor(None, store.close)

    @property
    def call(self) -> Call:
        """A real call."""
        return self._caller.call

    async def talk(self, external_id: str, urls: Sequence[str], *, environment: Environment = "test") -> Talk:
        """Somebody's conversation whose commits go to these URLs."""
        return await self.talk_on(external_id, [{"url": url} for url in urls], environment=environment)

    async def talk_on(
        self,
        external_id: str | None,
        configs: Sequence[dict[str, Any]],
        *,
        at_end: Sequence[dict[str, Any]] = (),
        environment: Environment = "test",
    ) -> Talk:
        """Somebody's conversation with these outputs on its goal, and these at its end."""
        raw: dict[str, Any] = {
            "name": "Welcome",
            "goals": [{"id": "g1", "outputs": webhooks_to(configs)}],
            "settings": {"outputs": webhooks_to(at_end)},
        }
        return await self.talk_about(raw, external_id, environment=environment)

    async def talk_about(
        self, raw: dict[str, Any], external_id: str | None, *, environment: Environment = "test"
    ) -> Talk:
        """Somebody's conversation on this template."""
        assert soundness.faults(raw) == []
        template_id = await self.store.write(environment, templates.create, raw, self.ids)
        wish = VisitRequest(
            template_id=template_id,
            external_id=external_id,
            name=None,
            source="browser",
            proof=Proof.claimed if external_id else Proof.anonymous,
            method="external_id" if external_id else "none",
            context={"plan": "pro", "external_id": "mallory"},
        )
        opened = await self.store.write(environment, open_visit, wish, self.ids)
        return Talk(self, opened, template_id, environment)

    async def new_secret(self, environment: Environment = "test") -> tuple[str, str]:
        """One more webhook secret: its id and its value."""
        value = webhooks.secret_from(os.urandom(32))
        secret = WebhookSecret(
            id=self.ids.new("whk"), environment=environment, name="receiver", created_at=self.clock.now()
        )
        sealed = self.vault.seal(value, environment=environment, id=secret.id)
        await self.store.write(environment, keys.create_webhook_secret, secret, sealed)
        return secret.id, value

    async def keep_secret(self, name: str, value: str) -> None:
        """A secret that outputs may name."""
        await self.store.write("test", keeping.create, name, value, "", self.ids, self.vault)

    def worker(
        self,
        name: str = "one",
        *,
        call: Call | None = None,
        pace: Pace | None = None,
        own_store: bool = False,
        own_time: bool = True,
    ) -> Worker:
        """A worker that has started; with a `call` of its own and `own_time`, one for which time stands still.

        With `own_store` it shares nothing with the others but the file.
        """
        deps = self.deps(name) if call is None else msgspec.structs.replace(self.deps(name), call=call)
        if call is not None and own_time:
            deps = msgspec.structs.replace(deps, clock=FakeClock(self.clock.now()))
        if own_store:
            deps = msgspec.structs.replace(deps, store=Store(Database(self.path), self.clock))
            self._stores.append(deps.store)
        worker = Worker(deps, pace)
        self._workers.append(worker)
        worker.start()
        return worker

    def deps(self, name: str, *, is_alive: Callable[[str], bool] | None = None) -> Deps:
        """What a worker of the process `name` needs."""
        return Deps(
            store=self.store,
            call=self.call,
            vault=self.vault,
            clock=self.clock,
            ids=self.ids,
            process_id=name,
            is_alive=is_alive or (lambda process_id: process_id not in self.dead),
        )

    async def rows(self) -> list[Rows]:
        """All deliveries, in the order of their places."""
        return await self.store.read_across(_rows)

    async def row(self) -> Rows:
        """The only delivery."""
        (row,) = await self.rows()
        return row

    async def tries(self) -> list[Rows]:
        """All attempts."""
        return await self.store.read_across(_tries)

    async def statuses(self) -> set[str]:
        """The statuses of all deliveries."""
        return {row.status for row in await self.rows()}

    async def until(
        self, worker: Worker, condition: Callable[[list[Rows]], bool], *, time_passes: bool = False
    ) -> None:
        """Let the worker look again and again until the rows are as wanted.

        `time_passes`: where nothing is being sent or can be, the clock goes on to when something can.
        """
        async with asyncio.timeout(30):
            while not condition(rows := await self.rows()):
                if time_passes and not any(self.is_at_hand(row) for row in rows):
                    next_at = min(row.due_at for row in rows if _has_a_time(row))
                    self.clock.advance((next_at - self.clock.now()).total_seconds())
                worker.wake()

    def is_at_hand(self, row: Rows) -> bool:
        """Whether this delivery is being sent, or may be looked at now."""
        return bool(row.claimed_by or (_has_a_time(row) and row.due_at <= self.clock.now()))


def webhooks_to(configs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Outputs of these configs, as a template has them."""
    return [{"type": "webhook", "config": each} for each in configs]


def _has_a_time(row: Rows) -> bool:
    """Whether it goes out at its time; not settled, and made already."""
    return row.status in outbox.UNSETTLED and row.recipe is None


def _rows(tx: Across) -> list[Rows]:
    return tx.all(select(deliveries).order_by(deliveries.c.person_id, deliveries.c.place))


def _tries(tx: Across) -> list[Rows]:
    return tx.all(select(attempts).order_by(attempts.c.delivery_id, attempts.c.n))


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    """A database with one webhook secret in `test`."""
    office = Office(tmp_path)
    await office.open()
    await office.new_secret()
    yield office
    await office.close()
