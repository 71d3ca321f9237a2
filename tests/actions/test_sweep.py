"""What time alone does: a table, a property against the rule itself, and rooms with people in them."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select, update

from roxels.actions.finish import complete_ended
from roxels.actions.open import Opened, VisitRequest, open_visit
from roxels.actions.sweep import EVERY, Sweeper
from roxels.domain.conversation import Conversation, fold
from roxels.domain.events import (
    AgentSaid,
    AgentStarted,
    AnyEvent,
    ConversationEnded,
    PersonSaid,
    SessionJoined,
)
from roxels.domain.life import Status, overdue
from roxels.domain.proof import Proof
from roxels.storage import conversations, leases, log, sessions, templates
from roxels.storage.conversations import numbered
from roxels.storage.leases import Processes
from roxels.storage.log import Append, Piece
from roxels.storage.schema import conversations as rows
from roxels.storage.schema import events, template_versions
from roxels.storage.store import Store
from roxels.storage.transaction import AcrossWriting, Reading, Writing
from roxels.testing import CountedIds, FakeClock, LineSpeaker
from tests.storage.conftest import TEMPLATE
from tests.wire.conftest import LINES, House

MINUTE, HOUR = 60.0, 3600.0
WINDOW_HOURS = 48
Resumption = Literal["on", "off"]


def template(resumption: Resumption) -> dict[str, Any]:
    """A template with a window of two days, or none."""
    embedded = {"resumption": {"enabled": resumption == "on", "window_hours": WINDOW_HOURS}}
    return TEMPLATE | {"settings": {"greeting": "Hello!", "embedded": embedded}}


class World:
    """Conversations of which nobody is there any more, and the sweeper that looks at them."""

    def __init__(self, store: Store, clock: FakeClock, ids: CountedIds) -> None:
        self.store = store
        self.clock = clock
        self.ids = ids
        self.sweeper = Sweeper(store, clock, lambda _process_id: False, page=3)

    async def begun(
        self,
        *,
        proof: Proof = Proof.claimed,
        resumption: Resumption = "off",
        joined: bool = True,
        owes: bool = False,
        version: int | None = None,
    ) -> Opened:
        """A conversation as its first visit left it; with `owes`, ended, by a process that died right then."""
        template_id = await self.store.write("test", templates.create, template(resumption), self.ids)
        wish = VisitRequest(
            template_id=template_id,
            external_id=None if proof is Proof.anonymous else self.ids.new("person"),
            name=None,
            source="browser",
            proof=proof,
            method="none" if proof is Proof.anonymous else "external_id",
            context={},
            template_version=version,
        )
        opened = await self.store.write("test", open_visit, wish, self.ids)
        events: list[AnyEvent] = [SessionJoined()] if joined else []
        events += [ConversationEnded(ended_by="agent")] if owes else []
        await self.store.write("test", _add, opened, events)
        return opened

    async def state(self, opened: Opened) -> Conversation:
        """The conversation as it stands."""
        return (await self.store.read("test", log.read, opened.conversation_id)).state

    async def status(self, opened: Opened) -> Status:
        """The status of its row, which is that of its log."""
        status, folded = await self.store.read("test", _statuses, opened.conversation_id)
        assert status == folded
        return folded


def _add(tx: Writing, opened: Opened, events: list[Any]) -> None:
    conversations.add(tx, opened.conversation_id, opened.state, opened.session_id, events)


def _statuses(tx: Reading, conversation_id: str) -> tuple[str, Status]:
    row = tx.value(select(rows.c.status).where(rows.c.id == conversation_id))
    return row, log.read(tx, conversation_id).state.status


@pytest.fixture
def world(store: Store, clock: FakeClock, ids: CountedIds) -> World:
    return World(store, clock, ids)


@pytest.mark.parametrize(
    ("begun", "idle", "becomes"),
    [
        ({"joined": False}, 24 * HOUR - 1, "created"),
        ({"joined": False}, 24 * HOUR, "expired"),
        ({"joined": False, "resumption": "on"}, 24 * HOUR, "expired"),
        ({}, 10 * MINUTE - 1, "joined"),
        ({}, 10 * MINUTE, "completed"),
        ({"resumption": "on"}, 10 * MINUTE, "joined"),
        ({"resumption": "on"}, WINDOW_HOURS * HOUR - 1, "joined"),
        ({"resumption": "on"}, WINDOW_HOURS * HOUR, "completed"),
        ({"resumption": "on", "proof": Proof.anonymous}, 10 * MINUTE - 1, "joined"),
        ({"resumption": "on", "proof": Proof.anonymous}, 10 * MINUTE, "completed"),
        ({"resumption": "on", "proof": Proof.verified}, 10 * MINUTE, "joined"),
        ({"resumption": "on", "proof": Proof.verified, "version": 1}, 10 * MINUTE - 1, "joined"),
        ({"resumption": "on", "proof": Proof.verified, "version": 1}, 10 * MINUTE, "completed"),
        ({"owes": True}, MINUTE - 1, "processing"),
        ({"owes": True}, MINUTE, "completed"),
    ],
)
async def test_what_becomes_of_it(world: World, begun: dict[str, Any], idle: float, becomes: Status) -> None:
    opened = await world.begun(**begun)
    before = await world.status(opened)
    world.clock.advance(idle)
    assert await world.sweeper.sweep() == (before != becomes)
    assert await world.status(opened) == becomes
    state = await world.state(opened)
    assert (state.ended_by == "abandoned") == (becomes == "completed" and before == "joined")
    assert (state.summary is not None) == (becomes == "completed")
    assert await world.sweeper.sweep() == 0, "once is enough"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)
@given(
    kinds=st.lists(
        st.tuples(st.booleans(), st.sampled_from([Proof.anonymous, Proof.claimed]), st.sampled_from(["on", "off"])),
        min_size=1,
        max_size=8,
    ),
    pauses=st.lists(st.sampled_from([1.0, 9 * MINUTE, 11 * MINUTE, 20 * HOUR, 30 * HOUR]), min_size=1, max_size=5),
)
def test_a_sweep_does_what_the_rule_says_to_each_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, kinds: list[tuple[bool, Proof, Resumption]], pauses: list[float]
) -> None:
    async def play() -> None:
        house = House(tmp_path_factory.mktemp("sweep"), LineSpeaker(LINES))
        world = World(house.store, house.clock, house.ids)
        try:
            opened = [await world.begun(joined=j, proof=p, resumption=r) for j, p, r in kinds]
            expected: list[Status] = ["joined" if joined else "created" for joined, _, _ in kinds]
            for pause in pauses:
                world.clock.advance(pause)
                await world.sweeper.sweep()
                expected = [await _fate(world, o, k, e) for o, k, e in zip(opened, kinds, expected, strict=True)]
                assert [await world.status(each) for each in opened] == expected
        finally:
            await house.close()

    asyncio.run(play())


async def _fate(world: World, opened: Opened, kind: tuple[bool, Proof, Resumption], status: Status) -> Status:
    _, proof, resumption = kind
    window = timedelta(hours=WINDOW_HOURS) if resumption == "on" and proof is not Proof.anonymous else None
    began = opened.created_at
    fate = overdue(status, created_at=began, last_activity_at=began, resumable_for=window, now=world.clock.now())
    return "completed" if fate == "processing" else fate or status


async def test_more_conversations_than_a_page_holds(world: World) -> None:
    opened = [await world.begun() for _ in range(8)]
    stays = await world.begun(resumption="on")
    world.clock.advance(11 * MINUTE)
    assert await world.sweeper.sweep() == 8
    assert {await world.status(each) for each in opened} == {"completed"}
    assert await world.status(stays) == "joined"


async def test_an_answer_under_way_ends_at_its_last_sent_character(world: World) -> None:
    opened = await world.begun()
    said = PersonSaid(id="m1", text="hello")
    started = AgentStarted(utterance_id="u1", plan="Good morning to you.")
    state = await world.state(opened)
    facts = numbered(state, [said, started], at=world.clock.now(), session_id=opened.session_id)
    after = fold(facts, state)
    one = Append(conversation_id=opened.conversation_id, expected_seq=state.head, facts=facts, state=after)
    await world.store.append(one)
    piece = Piece("u1", 0, "Good mor")
    await world.store.append(Append(conversation_id=opened.conversation_id, expected_seq=after.head, piece=piece))
    world.clock.advance(10 * MINUTE)
    await world.sweeper.sweep()
    facts_kept = await world.store.read("test", log.read_facts, opened.conversation_id)
    assert AgentSaid(utterance_id="u1", text="Good mor", interrupted=True) in [fact.event for fact in facts_kept]
    assert (await world.store.read("test", log.read_said, opened.conversation_id, "u1")) == ""


async def test_a_visit_whose_time_is_up_is_marked_as_ended_then(world: World) -> None:
    opened = [await world.begun(resumption="on") for _ in range(4)]
    heads = [(await world.state(each)).head for each in opened]
    world.clock.advance(25 * HOUR)
    assert await world.sweeper.sweep() == 0
    for each in opened:
        visit = await world.store.read("test", sessions.by_id, each.session_id)
        assert visit is not None
        assert visit.ended_at == visit.expires_at == each.expires_at
    assert [(await world.state(each)).head for each in opened] == heads, "nobody did anything"


async def test_one_that_cannot_be_ended_holds_nobody_up(world: World) -> None:
    broken, sound = await world.begun(), await world.begun()

    def fault(tx: AcrossWriting) -> None:
        tx.run(update(rows).where(rows.c.id == broken.conversation_id).values(head=99))

    await world.store.write_across(fault)
    world.clock.advance(10 * MINUTE)
    await world.sweeper.sweep()
    assert await world.status(sound) == "completed"
    assert (await world.state(broken)).status == "joined"


async def test_one_that_cannot_be_completed_has_failed_and_says_why(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    broken, sound = await world.begun(owes=True), await world.begun(owes=True)

    def fault(tx: AcrossWriting) -> None:
        """Its version of the template cannot be read any more."""
        of_broken = select(rows.c.template_id).where(rows.c.id == broken.conversation_id).scalar_subquery()
        query = select(template_versions).where(template_versions.c.template_id == of_broken)
        kept = tx.first(query)
        assert kept is not None
        copy = dict(kept._mapping) | {"version": 9, "raw": {"name": "n", "goals": [{"id": 5}]}}
        tx.run(insert(template_versions).values(copy))
        tx.run(update(rows).where(rows.c.id == broken.conversation_id).values(template_version=9))
        opened = tx.value(
            select(events.c.body).where(events.c.conversation_id == broken.conversation_id, events.c.seq == 1)
        )
        changed = opened.replace('"template_version":1', '"template_version":9')
        assert changed != opened
        tx.run(
            update(events)
            .where(events.c.conversation_id == broken.conversation_id, events.c.seq == 1)
            .values(body=changed)
        )

    await world.store.write_across(fault)
    world.clock.advance(MINUTE)
    assert await world.sweeper.sweep() == 2
    assert await world.status(sound) == "completed"
    state = await world.state(broken)
    assert (state.status, state.ended_by) == ("failed", "agent")
    assert state.failure == "Summary, findings or end-of-session outputs could not be made (AttributeError)."
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == [
        "A conversation could not be completed; it has failed."
    ]
    world.clock.advance(MINUTE)
    assert await world.sweeper.sweep() == 0, "it is not tried again"


# with people in the room -----------------------------------------------------------------------------------------


@pytest.fixture
async def attended(tmp_path: Path) -> AsyncIterator[House]:
    house = House(tmp_path, LineSpeaker(LINES))
    await house.make_template(template("off"))
    yield house
    await house.close()


def sweeper_of(house: House) -> Sweeper:
    return Sweeper(house.store, house.clock, house.processes.is_alive)


async def status_of(house: House, opened: Opened) -> str:
    stored = await house.store.read("test", log.read, opened.conversation_id)
    return stored.state.status


async def test_who_listens_in_silence_is_there_and_has_ten_minutes_after_leaving(attended: House) -> None:
    house, sweeper = attended, sweeper_of(attended)
    opened = await house.open()
    listener = await house.listen(opened)
    await listener.until(lambda view: LINES[0] in str(view.messages))
    for _ in range(60):
        house.clock.advance(MINUTE)
        await sweeper.sweep()
    assert await status_of(house, opened) == "joined"
    await listener.leave()
    house.clock.advance(9 * MINUTE)
    await sweeper.sweep()
    assert await status_of(house, opened) == "joined"
    house.clock.advance(MINUTE)
    await sweeper.sweep()
    assert await status_of(house, opened) == "completed"


async def test_after_a_crash_people_have_ten_minutes_to_come_back(attended: House, tmp_path: Path) -> None:
    house, sweeper = attended, sweeper_of(attended)
    opened = await house.open()
    dead = Processes(tmp_path / "processes", "dead")
    await house.store.write("test", _add, opened, [SessionJoined()])
    assert await house.store.write("test", leases.take, opened.conversation_id, dead) == 1
    house.clock.advance(HOUR)
    await sweeper.sweep()
    assert await status_of(house, opened) == "joined", "its speaker lives"
    dead.close()
    await sweeper.sweep()
    assert await status_of(house, opened) == "joined", "it has just been seen that nobody speaks for it any more"
    house.clock.advance(10 * MINUTE)
    await sweeper.sweep()
    assert await status_of(house, opened) == "completed"


async def test_a_room_and_a_sweep_complete_a_conversation_once(attended: House) -> None:
    opened = await attended.open()
    await attended.store.write("test", _add, opened, [SessionJoined(), ConversationEnded(ended_by="agent")])
    attended.clock.advance(MINUTE)
    sweep = sweeper_of(attended).sweep()
    await asyncio.gather(sweep, attended.store.write("test", complete_ended, opened.conversation_id))
    facts = await attended.store.read("test", log.read_facts, opened.conversation_id)
    assert sum("Completed" in type(fact.event).__name__ for fact in facts) == 1


async def test_it_runs_once_a_minute_and_survives_a_fault(world: World) -> None:
    opened = await world.begun()
    faults = [OSError()]

    class Faulty(Sweeper):
        async def sweep(self) -> int:
            if faults:
                raise faults.pop()
            return await super().sweep()

    running = asyncio.create_task(Faulty(world.store, world.clock, lambda _process_id: False).run())
    await asyncio.sleep(0)
    while await world.status(opened) == "joined":
        world.clock.advance(EVERY)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert not faults
    assert await world.status(opened) in ("processing", "completed")
