"""Data folders that are full before anything is measured: persons and conversations, written as rows in bulk."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Table, insert

from bench.serving import TEMPLATE
from roxels import server
from roxels.actions import author, manage
from roxels.ambient import RandomIds, SystemClock
from roxels.domain.conversation import fold
from roxels.domain.events import (
    AgentSaid,
    AgentStarted,
    AnyEvent,
    ConversationOpened,
    Fact,
    FieldCaptured,
    PersonSaid,
    SessionJoined,
    SessionStarted,
)
from roxels.settings import Settings
from roxels.storage import schema
from roxels.storage.log import keep_facts
from roxels.storage.transaction import Writing

T = TypeVar("T")

#: When the first thing in a stock happened: lately enough that conversations may be resumed.
SINCE = datetime.now(UTC) - timedelta(days=20)
#: So many answers of a conversation say something for a field.
CAPTURES = 20
#: Rows written by one statement.
ROWS = 5000


def stocked(data: Path, work: Callable[[Writing, str], T]) -> T:
    """Make a data folder with a template and a webhook secret, and let `work` write into it; says what that answers."""

    async def run() -> T:
        house = server.build(Settings(data=data, log_level="error"), clock=SystemClock(), ids=RandomIds())
        try:
            await house.store.write("test", manage.create_webhook_secret, "bench", house.ids, house.keyring.vault)
            template = await house.store.write("test", author.create, TEMPLATE, house.ids)
            return await house.store.write("test", work, template.id)
        finally:
            await house.close()

    return asyncio.run(run())


def persons(tx: Writing, count: int, *, prefix: str = "person") -> list[str]:
    """So many persons, seen one second after the other; says their ids."""
    ids = [f"person_{prefix}{number:032d}" for number in range(count)]
    _write(
        tx,
        schema.persons,
        (
            {
                "id": person_id,
                "environment": "test",
                "external_id": f"{prefix} {number}",
                "name": f"Name {number}",
                "name_source": "server",
                "email": None,
                "phone": None,
                "metadata": {},
                "org_context": {},
                "first_seen_at": SINCE,
                "last_seen_at": SINCE + timedelta(seconds=number),
                "conversation_count": 0,
            }
            for number, person_id in enumerate(ids)
        ),
    )
    return ids


def conversation(tx: Writing, template_id: str, person_id: str, number: int, said: list[str]) -> str:
    """One open conversation in which this was said and answered; says its id."""
    conversation_id = f"iv_{number:032d}"
    at = SINCE + timedelta(minutes=number)
    events: list[AnyEvent] = [
        ConversationOpened(template_id=template_id, template_version=1),
        SessionStarted(proof="claimed", reason="new_person", method="external_id"),
        SessionJoined(),
    ]
    for n, words in enumerate(said):
        events.append(PersonSaid(id=f"m{n}", text=words))
        if n < CAPTURES:
            events.append(FieldCaptured(goal_id="g1", field="note", value=words))
        events.append(AgentStarted(utterance_id=f"u{n}", plan="I see."))
        events.append(AgentSaid(utterance_id=f"u{n}", text="I see."))
    facts = [Fact(seq=n, at=at, session_id=f"sess_{number}", event=event) for n, event in enumerate(events, 1)]
    state = fold(facts)
    row = {
        "id": conversation_id,
        "environment": "test",
        "person_id": person_id,
        "template_id": template_id,
        "template_version": 1,
        "status": state.status,
        "ended_by": None,
        "top_proof": int(state.top_proof),
        "is_proven": state.is_proven,
        "is_vouched": state.is_vouched,
        "head": state.head,
        "epoch": 0,
        "speaker": None,
        "allowed_domains": None,
        "created_at": at,
        "started_at": at,
        "ended_at": None,
        "last_activity_at": at,
        "left_at": at,
    }
    _write(tx, schema.conversations, iter([row]))
    keep_facts(tx.connection, ((conversation_id, fact) for fact in facts))
    return conversation_id


def _write(tx: Writing, table: Table, rows: Iterator[dict[str, Any]]) -> None:
    while batch := list(islice(rows, ROWS)):
        tx.connection.execute(insert(table), batch)
