"""Conversations over REST: opening, continuing, reading, listing, ending."""

from typing import Any

import httpx2
import pytest

from roxels.domain.events import (
    AgentSaid,
    AgentStarted,
    FieldCaptured,
    GoalActivated,
    GoalCommitted,
    PersonSaid,
    SessionJoined,
)
from tests.api.conftest import ORIGIN, TEMPLATE, Door, fence, make, told

ADA = {"external_id": "ada", "name": "Ada"}


async def open_one(server: httpx2.AsyncClient, door: Door, **more: Any) -> dict[str, Any]:
    answer = await server.post("/v1/interviews", json={"template_id": door.template_id, **more})
    assert answer.status_code in (200, 201), answer.text
    opened: dict[str, Any] = answer.json()
    return opened


async def test_open_answers_what_the_contract_says(door: Door, server: httpx2.AsyncClient) -> None:
    answer = await server.post("/v1/interviews", json={"template_id": door.template_id, "persons": [ADA]})
    opened = answer.json()
    assert answer.status_code == 201
    assert opened["id"].startswith("iv_")
    assert opened["join_url"].startswith(f"{ORIGIN}/join/i/{opened['id']}#")
    assert opened["created_at"] == "2026-03-02T09:00:00Z"
    person = opened["person"]
    assert (opened["status"], opened["resumed"], opened["reason"]) == ("created", False, "new_person")
    assert person == {"id": person["id"], "external_id": "ada", "name": "Ada"}


async def test_the_same_person_is_resumed_with_200(door: Door, server: httpx2.AsyncClient) -> None:
    first = await open_one(server, door, persons=[ADA])
    answer = await server.post("/v1/interviews", json={"template_id": door.template_id, "persons": [ADA]})
    second = answer.json()
    assert answer.status_code == 200
    assert (second["id"], second["resumed"], second["reason"]) == (first["id"], True, "resumed")
    assert second["session_id"] != first["session_id"]


async def test_resume_false_begins_anew(door: Door, server: httpx2.AsyncClient) -> None:
    first = await open_one(server, door, persons=[ADA])
    second = await open_one(server, door, persons=[ADA], resume=False)
    assert second["id"] != first["id"]
    assert second["reason"] == "asked_new"


@pytest.mark.parametrize("persons", [{}, {"persons": []}, {"persons": [{"name": "Guest"}]}, {"persons": None}])
async def test_two_openings_without_anybody_are_two_strangers(
    door: Door, server: httpx2.AsyncClient, persons: dict[str, Any]
) -> None:
    first, second = await open_one(server, door, **persons), await open_one(server, door, **persons)
    assert first["person"]["id"] != second["person"]["id"]
    assert first["id"] != second["id"]
    whole = (await server.get(f"/v1/interviews/{first['id']}")).json()
    assert whole["sessions"][0]["proof"] == "anonymous"
    assert whole["persons"][0]["external_id"] is None


async def test_what_a_server_opens_is_verified(door: Door, server: httpx2.AsyncClient) -> None:
    opened = await open_one(server, door, persons=[ADA])
    session = (await server.get(f"/v1/interviews/{opened['id']}")).json()["sessions"][0]
    assert (session["proof"], session["method"], session["device"]) == ("verified", "secret_key", False)


async def test_refusals_of_opening(door: Door, server: httpx2.AsyncClient) -> None:
    async def refused(**body: Any) -> dict[str, Any]:
        answer = await server.post("/v1/interviews", json={"template_id": door.template_id, **body})
        return told(answer, 400, "validation_error")

    assert (await refused(persons=[ADA, ADA]))["field"] == "persons"
    assert (await refused(persons=[{"external_id": 42}]))["field"] == "persons[0].external_id"
    assert (await refused(persons=[{"id": "person_1"}]))["field"] == "persons[0].id"
    assert (await refused(allowed_domains=["https://x.test"]))["field"] == "allowed_domains[0]"
    assert (await refused(context={"big": "x" * 70_000}))["field"] == "context"
    assert (await refused(resume="no"))["field"] == "resume"
    assert (await refused(personz=[]))["field"] == "personz"
    unknown = await server.post("/v1/interviews", json={"template_id": "tpl_nope"})
    assert told(unknown, 404, "not_found")["field"] == "template_id"
    assert (await refused(template_version=0))["field"] == "template_version"
    gone = await server.post("/v1/interviews", json={"template_id": door.template_id, "template_version": 9})
    assert told(gone, 404, "not_found")["field"] == "template_version"


async def test_a_draft_is_tried_out_before_it_is_published(door: Door, server: httpx2.AsyncClient) -> None:
    await server.patch(f"/v1/templates/{door.template_id}?publish=false", json={"name": "A draft"})
    body = {"template_id": door.template_id, "persons": [ADA]}
    hers = (await server.post("/v1/interviews", json=body)).json()
    tried = await server.post("/v1/interviews", json=body | {"template_version": 2})
    opened = tried.json()
    assert (tried.status_code, opened["template_version"], opened["reason"]) == (201, 2, "asked_new")
    back = await server.post("/v1/interviews", json=body)
    assert (back.status_code, back.json()["id"]) == (200, hers["id"])


async def talk(door: Door, opened: dict[str, Any]) -> None:
    """Some of a conversation: a question, an answer, a commit, and an answer that is under way."""
    await door.record(
        opened["id"],
        SessionJoined(),
        GoalActivated(goal_id="company"),
        AgentStarted(utterance_id="utt_1", plan="Hello! What is your company called?"),
        AgentSaid(utterance_id="utt_1", text="Hello! What is your company called?"),
        PersonSaid(id="m1", text="Acme 🌍"),
        FieldCaptured(goal_id="company", field="company", value="Acme", said_id="m1"),
        GoalCommitted(goal_id="company", revision=1, commit_id="commit_1", data={"company": "Acme"}, proof="claimed"),
        AgentStarted(utterance_id="utt_2", plan="Thank you. How many are you?"),
        session_id=opened["session_id"],
    )
    await door.say_piece(opened["id"], "utt_2", "Thank yo")


async def test_a_conversation_is_told_whole(door: Door, server: httpx2.AsyncClient) -> None:
    opened = await open_one(server, door, persons=[ADA], context={"plan": "pro"})
    await talk(door, opened)
    whole = (await server.get(f"/v1/interviews/{opened['id']}")).json()
    assert whole["status"] == "joined"
    assert whole["context"] == {"plan": "pro"}
    assert whole["data"] == {"company": {"company": "Acme"}}
    assert [(goal["id"], goal["status"], goal["revision"]) for goal in whole["goals"]] == [
        ("company", "committed", 1),
        ("team", "open", 0),
    ]
    messages = [(each["id"], each["role"], each["text"], each["final"]) for each in whole["transcript"]]
    assert messages == [
        ("utt_1", "agent", "Hello! What is your company called?", True),
        ("m1", "user", "Acme 🌍", True),
        ("utt_2", "agent", "Thank yo", False),
    ]
    assert {each["session_id"] for each in whole["transcript"]} == {opened["session_id"]}


async def test_both_names_lead_to_it(door: Door, server: httpx2.AsyncClient) -> None:
    opened = await open_one(server, door)
    newer = await server.get(f"/v1/conversations/{opened['id']}")
    assert newer.json() == (await server.get(f"/v1/interviews/{opened['id']}")).json()
    document = (await server.get("/openapi.json")).json()
    assert not [path for path in document["paths"] if path.startswith("/v1/conversations")]


async def test_events_come_in_pages(door: Door, server: httpx2.AsyncClient) -> None:
    opened = await open_one(server, door, persons=[ADA])
    await talk(door, opened)
    found: list[dict[str, Any]] = []
    after, more = 0, True
    while more:
        page = (await server.get(f"/v1/interviews/{opened['id']}/events?after={after}&limit=3")).json()
        found += page["items"]
        after, more = page["next_after"], page["has_more"]
    assert [event["seq"] for event in found] == list(range(1, len(found) + 1))
    assert [event["type"] for event in found[:3]] == ["conversation.opened", "session.started", "person.named"]
    said = next(event for event in found if event["type"] == "person.said")
    assert (said["id"], said["text"], said["session_id"]) == ("m1", "Acme 🌍", opened["session_id"])
    started = found[1]
    assert (started["proof"], started["reason"]) == ("verified", "new_person")
    empty = (await server.get(f"/v1/interviews/{opened['id']}/events?after={after}")).json()
    assert empty == {"items": [], "next_after": after, "has_more": False}


async def test_ending_is_told_and_said_once(door: Door, server: httpx2.AsyncClient) -> None:
    opened = await open_one(server, door, persons=[ADA])
    await talk(door, opened)
    first = await server.post(f"/v1/interviews/{opened['id']}/end")
    assert first.status_code == 200
    whole = first.json()
    assert (whole["status"], whole["ended_by"]) == ("completed", "api")
    assert whole["summary"]
    assert [finding["goal_id"] for finding in whole["findings"]] == ["company"]
    last = whole["transcript"][-1]
    assert (last["text"], last["final"], last["interrupted"]) == ("Thank yo", True, True)
    assert (await server.post(f"/v1/interviews/{opened['id']}/end")).json() == whole
    (listed,) = (await server.get("/v1/interviews")).json()["items"]
    assert [visit["ended_at"] for each in (whole, listed) for visit in each["sessions"]] == [whole["ended_at"]] * 2
    assert told(await server.post(f"/v1/interviews/{opened['id']}/sessions"), 409, "conflict")
    again = await open_one(server, door, persons=[ADA])
    assert (again["resumed"], again["reason"]) == (False, "ended")


async def test_a_fresh_link_leads_to_the_same_conversation(
    door: Door, server: httpx2.AsyncClient, stranger: httpx2.AsyncClient
) -> None:
    opened = await open_one(server, door, persons=[ADA])
    answer = await server.post(f"/v1/interviews/{opened['id']}/sessions")
    assert answer.status_code == 201
    secret = answer.json()["join_url"].partition("#")[2]
    body = {"interview_id": opened["id"], "join_secret": secret}
    entered = await stranger.post("/v1/embed/sessions/exchange", json=body)
    assert entered.json()["session_id"] == answer.json()["session_id"]
    assert entered.json()["resumption"]["proof"] == "verified"


async def test_lists_go_page_by_page_newest_first(door: Door, server: httpx2.AsyncClient) -> None:
    made = []
    for number in range(5):
        door.clock.advance(number % 2)  # two of them at the same moment
        made.append((await open_one(server, door, persons=[{"external_id": f"p{number}"}]))["id"])
    seen: list[str] = []
    cursor, more = "", True
    while more:
        page = (await server.get(f"/v1/interviews?limit=2{cursor}")).json()
        seen += [item["id"] for item in page["items"]]
        cursor, more = f"&cursor={page['next_cursor']}", page["has_more"]
    assert sorted(seen) == sorted(made)
    assert len(set(seen)) == 5
    assert seen[0] in made[3:]


async def test_lists_leave_out_what_was_said(door: Door, server: httpx2.AsyncClient) -> None:
    await talk(door, await open_one(server, door, persons=[ADA]))
    (item,) = (await server.get("/v1/interviews")).json()["items"]
    assert not {"transcript", "data", "outputs"} & set(item)
    assert item["persons"][0]["external_id"] == "ada"


async def test_lists_are_filtered(door: Door, server: httpx2.AsyncClient) -> None:
    ada = await open_one(server, door, persons=[ADA])
    door.clock.advance(60)
    bob = await open_one(server, door, persons=[{"external_id": "bob"}])
    await server.post(f"/v1/interviews/{bob['id']}/end")

    async def ids(query: str) -> list[str]:
        return [item["id"] for item in (await server.get(f"/v1/interviews?{query}")).json()["items"]]

    assert await ids("external_id=ada") == [ada["id"]]
    assert await ids("external_id=Ada") == []
    assert await ids(f"person_id={bob['person']['id']}") == [bob["id"]]
    assert await ids("status=created") == [ada["id"]]
    assert await ids("status=not_started") == [ada["id"]]
    assert await ids("status=completed") == [bob["id"]]
    assert await ids("since=2026-03-02T09:01:00Z") == [bob["id"]]
    assert await ids("since=2026-03-02T09:01:00") == [bob["id"]]
    assert await ids(f"template_id={door.template_id}") == [bob["id"], ada["id"]]
    assert await ids("template_id=tpl_nope") == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=x", "limit"),
        ("cursor=x", "cursor"),
        ("cursor=bnVsbA==", "cursor"),
        ("cursor=W10=", "cursor"),
        ("cursor=%F0%9F%8C%8D", "cursor"),
        ("status=nope", "status"),
        ("since=yesterday", "since"),
    ],
)
async def test_faulty_queries_are_named(server: httpx2.AsyncClient, query: str, field: str) -> None:
    assert told(await server.get(f"/v1/interviews?{query}"), 400, "validation_error")["field"] == field


async def test_what_is_being_erased_is_gone_for_everybody(door: Door, server: httpx2.AsyncClient) -> None:
    opened = await open_one(server, door, persons=[ADA])
    await talk(door, opened)
    await fence(door, opened["id"])
    for path in ("", "/events"):
        told(await server.get(f"/v1/interviews/{opened['id']}{path}"), 404, "not_found")
    assert (await server.get("/v1/interviews")).json()["items"] == []


async def test_nothing_crosses_the_environments(door: Door, server: httpx2.AsyncClient) -> None:
    opened = await open_one(server, door, persons=[ADA])
    await talk(door, opened)
    live_template, live_secret, _ = await make(door, "live", TEMPLATE)
    person_id = opened["person"]["id"]
    async with door.client(live_secret) as live:
        for method, path in [
            ("GET", f"/v1/interviews/{opened['id']}"),
            ("GET", f"/v1/interviews/{opened['id']}/events"),
            ("POST", f"/v1/interviews/{opened['id']}/end"),
            ("POST", f"/v1/interviews/{opened['id']}/sessions"),
            ("GET", f"/v1/persons/{person_id}"),
            ("PATCH", f"/v1/persons/{person_id}"),
            ("GET", f"/v1/persons/{person_id}/conversations"),
            ("GET", f"/v1/templates/{door.template_id}"),
            ("PATCH", f"/v1/templates/{door.template_id}"),
            ("GET", f"/v1/templates/{door.template_id}/versions"),
            ("POST", f"/v1/templates/{door.template_id}/versions/1/publish"),
        ]:
            told(await live.request(method, path, json={} if method != "GET" else None), 404, "not_found")
        told(await live.post("/v1/interviews", json={"template_id": door.template_id}), 404, "not_found")
        keys = await live.post(f"/v1/embed/keys/{door.template_id}", json={"allowed_domains": ["x.test"]})
        told(keys, 404, "not_found")
        assert (await live.get("/v1/interviews")).json()["items"] == []
        assert (await live.get("/v1/persons?external_id=ada")).json()["items"] == []
        mine = await live.post("/v1/interviews", json={"template_id": live_template, "persons": [ADA]})
        assert mine.json()["person"]["id"] != person_id
