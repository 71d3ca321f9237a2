"""What is remembered of a person: each line with where it came from, and a line that was deleted is told no more."""

import httpx2

from roxels.domain.events import FieldCaptured, PersonSaid
from tests.api.conftest import Door, told


async def remembered(door: Door, server: httpx2.AsyncClient) -> tuple[str, str]:
    """A person who said two things, one of which was captured; says her id and the conversation's."""
    body = {"template_id": door.template_id, "persons": [{"external_id": "ada"}]}
    opened = (await server.post("/v1/interviews", json=body)).json()
    await door.record(
        opened["id"],
        PersonSaid(id="m1", text="We are Acme"),
        FieldCaptured(goal_id="company", field="company", value="Acme", said_id="m1", quote="Acme"),
        PersonSaid(id="m2", text="My cat is called Tux"),
        session_id=opened["session_id"],
    )
    return opened["person"]["id"], opened["id"]


async def lines(server: httpx2.AsyncClient, person_id: str) -> dict[str, str]:
    """What each line says, and its id."""
    items = (await server.get(f"/v1/persons/{person_id}/memory")).json()["items"]
    return {item["text"] or f"{item['field']}={item['value']}": item["id"] for item in items}


async def test_each_line_says_where_it_came_from(door: Door, server: httpx2.AsyncClient) -> None:
    person_id, conversation_id = await remembered(door, server)
    items = (await server.get(f"/v1/persons/{person_id}/memory")).json()["items"]
    assert [(item["kind"], item["message_id"]) for item in items] == [("fact", "m1"), ("words", "m2"), ("words", "m1")]
    assert {item["interview_id"] for item in items} == {conversation_id}
    assert {item["proof"] for item in items} == {"verified"}


async def test_a_deleted_line_takes_what_came_from_it(door: Door, server: httpx2.AsyncClient) -> None:
    person_id, conversation_id = await remembered(door, server)
    before = await lines(server, person_id)
    gone = await server.delete(f"/v1/persons/{person_id}/memory/{before['We are Acme']}")
    assert gone.json() == {"deleted": True, "id": before["We are Acme"]}
    assert set(await lines(server, person_id)) == {"My cat is called Tux"}
    whole = (await server.get(f"/v1/interviews/{conversation_id}")).json()
    assert [message["text"] for message in whole["transcript"]] == ["We are Acme", "My cat is called Tux"]
    audit = (await server.get("/v1/audit?action=memory.forgotten")).json()["items"]
    assert len(audit) == 1


async def test_a_value_alone_can_be_deleted(door: Door, server: httpx2.AsyncClient) -> None:
    person_id, _ = await remembered(door, server)
    known = await lines(server, person_id)
    await server.delete(f"/v1/persons/{person_id}/memory/{known['company=Acme']}")
    assert set(await lines(server, person_id)) == {"We are Acme", "My cat is called Tux"}


async def test_an_id_that_leads_nowhere_is_not_found(door: Door, server: httpx2.AsyncClient) -> None:
    person_id, _ = await remembered(door, server)
    [theirs, *_] = (await lines(server, person_id)).values()
    other = (await server.post("/v1/persons", json={"external_id": "bob"})).json()["id"]
    for line in ("mem_", "mem_%FF", "mem_W10", "nonsense", theirs):
        told(await server.delete(f"/v1/persons/{other}/memory/{line}"), 404, "not_found")
    told(await server.get("/v1/persons/person_nope/memory"), 404, "not_found")
    assert len(await lines(server, person_id)) == 3
