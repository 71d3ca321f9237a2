"""People with a past, for pages that should have something to show."""

from collections.abc import Sequence

import msgspec

from roxels.actions.open import Opened
from roxels.domain.events import (
    AgentSaid,
    AgentStarted,
    AnyEvent,
    Ask,
    ConversationCompleted,
    ConversationEnded,
    FieldCaptured,
    GoalCommitted,
    PersonSaid,
    SessionJoined,
)
from roxels.domain.occasions import Owed
from roxels.domain.proof import Proof
from roxels.domain.rendering import Frozen
from roxels.storage import owing, schema
from roxels.storage.deliveries import Attempt
from roxels.storage.owing import Due
from roxels.storage.transaction import Writing
from tests.dashboard.office import Office


def said(utterance_id: str, text: str, *, interrupted: bool = False) -> list[AnyEvent]:
    """An answer from its beginning to its end."""
    asks = Ask(kind="offer", goal_id="your_team", field="company", value={"from": "memory"})
    started = AgentStarted(utterance_id=utterance_id, plan=text, asks=asks)
    return [started, AgentSaid(utterance_id=utterance_id, text=text, interrupted=interrupted)]


def heard(message_id: str, text: str, field: str, value: object, goal_id: str = "your_team") -> list[AnyEvent]:
    """Words of a participant and what was understood of them."""
    captured = FieldCaptured(goal_id=goal_id, field=field, value=value, said_id=message_id, quote=text)
    return [PersonSaid(id=message_id, text=text), captured]


async def talk(office: Office, opened: Opened, company: str = "Analytical Engines") -> None:
    """The first half of a conversation: one goal committed, its webhook owed."""
    who = opened.session_id
    data = {"company": company, "team_size": 12}
    commit = GoalCommitted(
        goal_id="your_team", revision=1, commit_id=office.ids.new("commit"), data=data, proof="claimed"
    )
    owed = Owed(
        type="webhook",
        goal_id="your_team",
        commit_id=commit.commit_id,
        revision=1,
        made=Frozen(url="https://example.com/hook", body="{}"),
    )
    await office.record(
        opened,
        SessionJoined(),
        *said(f"utt_1{who}", "Hello! It is good to have you here. What is the name of your company?"),
        *heard(f"m1{who}", f"We are {company}.", "company", company),
        *said(
            f"utt_2{who}", f"{company}, noted. And how many people work there, roughly, if you count", interrupted=True
        ),
        *heard(f"m2{who}", "twelve of us", "team_size", 12),
        commit,
        *said(f"utt_3{who}", "Twelve people. Thank you!\n\nWhat would you like to do first?"),
        due=[owed],
    )


async def owe(office: Office, opened: Opened, made: Frozen, *, status: str, attempts: Sequence[Attempt] = ()) -> str:
    """A delivery of this conversation that stands so, with these attempts; says its id."""
    delivery_id = office.ids.new("del")
    owed = Owed(type="webhook", goal_id="your_team", commit_id=office.ids.new("commit"), revision=1, made=made)

    def work(tx: Writing) -> None:
        due = Due(id=delivery_id, environment="test", person_id=opened.person.id, owed=owed)
        owing.owe(tx.connection, [owing.row_of(due, opened.conversation_id, tx.now)])
        tx.run(schema.deliveries.update().where(schema.deliveries.c.id == delivery_id).values(status=status))
        for attempt in attempts:
            tx.run(schema.attempts.insert().values(msgspec.structs.asdict(attempt) | {"delivery_id": delivery_id}))

    await office.store.write("test", work)
    return delivery_id


async def finish(office: Office, opened: Opened) -> None:
    """The second half: the last goal, and the end."""
    who = opened.session_id
    await office.record(
        opened,
        *heard(f"m3{who}", "weave the punched cards", "use_case", "weave the punched cards", "first_steps"),
        *said(f"utt_4{who}", "That is all I need. Goodbye!"),
        ConversationEnded(ended_by="agent"),
        ConversationCompleted(summary="Analytical Engines, 12 people, wants to weave punched cards."),
    )


async def verified(office: Office, external_id: str, name: str | None = None) -> Opened:
    """A visit that the customer's server opened."""
    return await office.visit(external_id, name, proof=Proof.verified, method="secret_key")
