"""Templates over REST: kept as written, faults told at once, changes as versions."""

from typing import Any

import httpx2
import pytest

from tests.api.conftest import TEMPLATE, Door, told

ADDED = {"id", "version", "status", "warnings", "created_at", "updated_at"}


async def test_what_was_written_stays_as_written(server: httpx2.AsyncClient) -> None:
    raw = {**TEMPLATE, "nonsense": {"kept": [1, 2.5, None, "é"]}, "description": None}
    answer = await server.post("/v1/templates", json=raw)
    assert answer.status_code == 201
    made = answer.json()
    assert {key: value for key, value in made.items() if key not in ADDED} == raw
    assert (made["version"], made["status"]) == (1, "active")
    assert made["warnings"] == [
        {"rule": "unknown_key", "field": "nonsense", "message": "`nonsense` is kept as written but means nothing here."}
    ]
    assert (await server.get(f"/v1/templates/{made['id']}")).json() == made


async def test_a_template_moves_by_get_and_post(server: httpx2.AsyncClient, door: Door) -> None:
    there = (await server.get(f"/v1/templates/{door.template_id}")).json()
    here = (await server.post("/v1/templates", json=there)).json()
    assert here["id"] != there["id"]
    assert {k: v for k, v in here.items() if k not in ADDED} == {k: v for k, v in there.items() if k not in ADDED}


async def test_all_faults_are_told_at_once(server: httpx2.AsyncClient) -> None:
    raw = {"name": "", "goals": [{"id": "a"}, {"id": "a", "type": "nope", "schema": {"x": "nope"}}], "settings": 5}
    error = told(await server.post("/v1/templates", json=raw), 400, "validation_error")
    paths = [fault["path"] for fault in error["faults"]]
    assert paths == ["name", "settings", "goals[1].id", "goals[1].type", "goals[1].schema.x.type"]
    assert error["field"] == "name"
    assert all(path in error["message"] for path in paths)


@pytest.mark.parametrize("body", [[], "x", 5, None])
async def test_a_template_is_an_object(server: httpx2.AsyncClient, body: Any) -> None:
    told(await server.post("/v1/templates", json=body), 400, "validation_error")


async def test_patch_replaces_top_level_keys_and_publishes(server: httpx2.AsyncClient, door: Door) -> None:
    path = f"/v1/templates/{door.template_id}"
    changed = (await server.patch(path, json={"settings": {"greeting": "Hi"}, "x": None})).json()
    assert (changed["id"], changed["version"]) == (door.template_id, 2)
    assert changed["settings"] == {"greeting": "Hi"}
    assert changed["goals"] == TEMPLATE["goals"]
    assert changed["x"] is None
    assert "description" not in changed
    assert (await server.get(path)).json() == changed
    error = told(await server.patch(path, json={"goals": []}), 400, "validation_error")
    assert error["field"] == "goals"
    assert (await server.get(path)).json()["version"] == 2


async def test_drafts_wait_to_be_published(server: httpx2.AsyncClient, door: Door) -> None:
    path = f"/v1/templates/{door.template_id}"
    draft = (await server.patch(f"{path}?publish=false", json={"name": "Draft"})).json()
    assert (draft["version"], draft["name"]) == (2, "Draft")
    assert (await server.get(path)).json()["name"] == "Onboarding"
    published = (await server.post(f"{path}/versions/2/publish")).json()
    assert (published["version"], published["name"]) == (2, "Draft")
    versions = (await server.get(f"{path}/versions")).json()["items"]
    assert [(each["version"], each["name"], each["is_active_version"]) for each in versions] == [
        (1, "Onboarding", False),
        (2, "Draft", True),
    ]
    assert all(each["published_at"] for each in versions)
    assert (await server.get(f"{path}/versions/1")).json()["name"] == "Onboarding"
    back = (await server.post(f"{path}/versions/1/publish")).json()
    assert (back["version"], back["name"]) == (1, "Onboarding")
    for number in ("3", "0", "-1", "99999999999999999999"):
        told(await server.post(f"{path}/versions/{number}/publish"), 404, "not_found")


async def test_if_match_guards_against_each_other(server: httpx2.AsyncClient, door: Door) -> None:
    path = f"/v1/templates/{door.template_id}"
    etag = (await server.get(path)).headers["etag"]
    assert (await server.patch(path, json={"name": "A"}, headers={"if-match": etag})).status_code == 200
    refusal = await server.patch(path, json={"name": "B"}, headers={"if-match": etag})
    assert told(refusal, 409, "conflict")["field"] == "If-Match"
    assert (await server.patch(path, json={"name": "C"}, headers={"if-match": "2"})).json()["version"] == 3
    junk = await server.patch(path, json={"name": "D"}, headers={"if-match": "x"})
    assert told(junk, 400, "validation_error")["field"] == "If-Match"


async def test_only_the_published_version_has_an_etag(server: httpx2.AsyncClient, door: Door) -> None:
    path = f"/v1/templates/{door.template_id}"
    etag = (await server.get(path)).headers["etag"]
    draft = await server.patch(f"{path}?publish=false", json={"name": "Draft"}, headers={"if-match": etag})
    assert draft.json()["version"] == 2
    assert "etag" not in draft.headers
    assert "etag" not in (await server.get(f"{path}/versions/2")).headers
    other = await server.patch(f"{path}?publish=false", json={"description": "d"}, headers={"if-match": etag})
    assert (other.json()["version"], other.json()["name"]) == (3, "Onboarding"), "begun from the published version"
    published = await server.post(f"{path}/versions/3/publish", headers={"if-match": etag})
    assert published.headers["etag"] == '"3"'


async def test_if_match_guards_publishing_too(server: httpx2.AsyncClient, door: Door) -> None:
    path = f"/v1/templates/{door.template_id}"
    await server.patch(path, json={"name": "A"})
    late = await server.post(f"{path}/versions/1/publish", headers={"if-match": '"1"'})
    assert told(late, 409, "conflict")["field"] == "If-Match"
    assert (await server.get(path)).json()["version"] == 2
    assert (await server.post(f"{path}/versions/1/publish", headers={"if-match": '"2"'})).json()["version"] == 1
    junk = await server.post(f"{path}/versions/2/publish", headers={"if-match": "x"})
    assert told(junk, 400, "validation_error")["field"] == "If-Match"


async def test_a_conversation_stays_on_its_version(
    server: httpx2.AsyncClient, browser: httpx2.AsyncClient, door: Door
) -> None:
    await browser.post("/v1/embed/sessions", json={"external_id": "ada"})
    await server.patch(f"/v1/templates/{door.template_id}", json={"goals": [{"id": "other"}]})
    ada = (await browser.post("/v1/embed/sessions", json={"external_id": "ada"})).json()
    bob = (await browser.post("/v1/embed/sessions", json={"external_id": "bob"})).json()
    assert list(ada["resumption"]["goals"]) == ["company", "team"]
    assert list(bob["resumption"]["goals"]) == ["other"]


async def test_lists_show_templates_in_short(server: httpx2.AsyncClient, door: Door) -> None:
    door.clock.advance(1)
    await server.post("/v1/templates", json={**TEMPLATE, "name": "Second", "description": "d"})
    page = (await server.get("/v1/templates?limit=1")).json()
    assert ([item["name"] for item in page["items"]], page["has_more"]) == (["Second"], True)
    assert page["items"][0]["description"] == "d"
    assert "goals" not in page["items"][0]


async def test_archiving_is_a_status(server: httpx2.AsyncClient, door: Door) -> None:
    path = f"/v1/templates/{door.template_id}"
    archived = (await server.patch(path, json={"status": "archived"})).json()
    assert (archived["status"], archived["version"]) == ("archived", 1)
    told(await server.patch(path, json={"status": "gone"}), 400, "validation_error")


async def test_nothing_begins_on_an_archived_template_and_what_stands_goes_on(
    server: httpx2.AsyncClient, browser: httpx2.AsyncClient, door: Door
) -> None:
    await browser.post("/v1/embed/sessions", json={"external_id": "ada"})
    path = f"/v1/templates/{door.template_id}"
    await server.patch(path, json={"status": "archived"})
    wish = {"template_id": door.template_id, "persons": [{"external_id": "bob"}]}
    for refused in (
        await browser.post("/v1/embed/sessions", json={"external_id": "bob"}),
        await browser.post("/v1/embed/sessions", json={"external_id": "ada", "resume": False}),
        await server.post("/v1/interviews", json=wish),
    ):
        error = told(refused, 409, "conflict")
        assert error["field"] == "template_id"
        assert "archived" in error["message"]
    assert (await server.get("/v1/persons?external_id=bob")).json()["items"] == []
    again = (await browser.post("/v1/embed/sessions", json={"external_id": "ada"})).json()
    assert (again["resumption"]["resumed"], again["resumption"]["reason"]) == (True, "resumed")
    await server.patch(path, json={"status": "active"})
    assert (await server.post("/v1/interviews", json=wish)).status_code == 201


async def test_a_secret_that_is_not_there_is_warned_of_until_it_is(server: httpx2.AsyncClient) -> None:
    config = {"url": "https://x.example/h", "headers": {"Authorization": "Bearer {{secret:crm}}"}}
    goal = {**TEMPLATE["goals"][0], "outputs": [{"type": "webhook", "config": config}]}
    made = (await server.post("/v1/templates", json={"name": "t", "goals": [goal]})).json()
    path = f"/v1/templates/{made['id']}"
    (warning,) = made["warnings"]
    assert (warning["rule"], warning["field"]) == ("missing_secret", "goals[0].outputs[0].config.headers.Authorization")
    assert "{{secret:crm}} names no secret" in warning["message"]
    assert (await server.get(path)).json()["warnings"] == [warning]
    assert (await server.patch(path, json={"name": "u"})).json()["warnings"] == [warning]
    await server.post("/v1/secrets", json={"name": "crm", "value": "v"})
    assert (await server.get(path)).json()["warnings"] == []
