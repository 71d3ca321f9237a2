"""What a conversation owes is owed with the words that cause it: a change, a commit, a correction, in their order."""

import json
from pathlib import Path
from typing import Any

from sqlalchemy import select

from roxels.agent.speakers.scripted import ScriptedSpeaker
from roxels.storage.schema import deliveries
from roxels.storage.transaction import Across
from roxels.testing import FakeClock
from tests.wire.conftest import House

TEMPLATE: dict[str, Any] = {
    "name": "Welcome",
    "goals": [
        {
            "id": "g1",
            "schema": {
                "type": "object",
                "properties": {
                    "company": {"type": "string", "description": "What is your company called?"},
                    "size": {"type": "integer", "description": "How many are you?"},
                },
                "required": ["company", "size"],
            },
            "outputs": [{"type": "webhook", "config": {"url": "http://127.0.0.1:9/hook", "streaming": True}}],
        },
        {"id": "g2", "schema": {"city": {"type": "string", "required_before_commit": True}}},
    ],
    "settings": {"greeting": "Hello!"},
}


def owed(tx: Across) -> list[dict[str, Any]]:
    """The bodies, in the order of their places."""
    return [json.loads(row.body) for row in tx.all(select(deliveries).order_by(deliveries.c.place))]


async def test_each_change_then_the_commit(tmp_path: Path) -> None:
    clock = FakeClock()
    house = House(tmp_path, ScriptedSpeaker(clock, 0), clock=clock)
    await house.make_template(TEMPLATE)
    listener = await house.listen(await house.open())
    await listener.until(lambda view: len(view.messages) >= 1 and view.writing is None)
    await listener.send(frame="say", id="m1", text="Acme")
    await listener.until(lambda view: len(view.messages) >= 3 and view.writing is None)
    assert [(body["event"], body["data"]) for body in await house.store.read_across(owed)] == [
        ("understanding", {"company": "Acme"})
    ]
    await listener.send(frame="say", id="m2", text="7")
    await listener.until(lambda view: len(view.messages) >= 5 and view.writing is None)
    await listener.send(frame="correct", goal_id="g1", field="size", value=8)
    await listener.until(lambda view: any(frame.get("revision") == 2 for frame in listener.frames))
    bodies = await house.store.read_across(owed)
    assert [(body.get("event"), body["data"], body.get("revision")) for body in bodies] == [
        ("understanding", {"company": "Acme"}, None),
        ("understanding", {"company": "Acme", "size": 7}, None),
        (None, {"company": "Acme", "size": 7}, 1),
        ("understanding", {"company": "Acme", "size": 8}, None),
        (None, {"company": "Acme", "size": 8}, 2),
    ]
    assert [body["changed"] for body in bodies if "event" in body] == [["company"], ["size"], ["size"]]
    seqs = [body["seq"] for body in bodies if "event" in body]
    assert seqs == sorted(set(seqs))
    facts = {frame["seq"]: frame for frame in listener.frames if frame.get("type") == "field.captured"}
    assert set(seqs) == set(facts)
    await listener.leave()
    await house.close()
