"""Outputs tried out over REST: what would be sent, what was sent, and that nothing of it stays."""

import json
from typing import Any

import httpx2
import pytest
from sqlalchemy import func, select

from roxels import webhooks
from roxels.actions import manage
from roxels.storage.schema import attempts, deliveries
from roxels.storage.transaction import Reading
from tests.api.conftest import Door, told
from tests.outbound.sink import Answer, sinking

SECRET = {"Authorization": "Bearer {{secret:crm}}"}


def webhook(url: str, **config: Any) -> dict[str, Any]:
    return {"type": "webhook", "config": {"url": url, **config}}


async def template(server: httpx2.AsyncClient, url: str) -> str:
    """Outputs on a goal, on a phase and on the template, one of each kind of body."""
    size = {"size": {"type": "integer", "minimum": 7}, "plan": {"type": "string", "enum": ["free", "pro"]}}
    raw = {
        "name": "Onboarding",
        "phases": [
            {
                "goals": [
                    {
                        "id": "team",
                        "schema": {"type": "object", "properties": size},
                        "outputs": [
                            {"type": "email", "config": {"to": "a@example.com"}},
                            webhook(f"{url}/goal?of={{{{external_id}}}}", headers=SECRET),
                            webhook(
                                f"{url}/own",
                                method="PUT",
                                body_template={"n": "{{data.size}}", "x": "{{context.note}}", "y": "{{data.none}}"},
                                response_capture={"note": "data.id"},
                            ),
                        ],
                    }
                ],
                "outputs": [webhook(f"{url}/phase", method="PATCH")],
            }
        ],
        "settings": {"outputs": [webhook(f"{url}/end", method="DELETE"), webhook(f"{url}/get", method="GET")]},
    }
    answer = await server.post("/v1/templates", json=raw)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def kept(tx: Reading) -> int:
    count = select(func.count())
    return int(tx.value(count.select_from(deliveries)) or 0) + int(tx.value(count.select_from(attempts)) or 0)


async def test_a_preview_names_what_it_lacks_and_sends_nothing(server: httpx2.AsyncClient) -> None:
    async with sinking() as sink:
        path = f"/v1/templates/{await template(server, sink.url)}/preview-output"
        whole = (await server.post(path, json={"goal_id": "team", "output_index": 1})).json()
        own = (await server.post(path, json={"goal_id": "team", "output_index": 2, "data": {"size": 12}})).json()
        end = (await server.post(path, json={})).json()
        assert sink.got == []
    body = json.loads(whole["request"]["body"])
    assert whole["request"]["url"].endswith("/goal?of=sample-person")
    assert (body["data"], body["test"]) == ({"size": 7, "plan": "free"}, True)
    assert (whole["secrets"], whole["missing_secrets"]) == (["crm"], ["crm"])
    assert "{{secret:crm}}" in whole["request"]["headers"]["Authorization"]
    assert json.loads(own["request"]["body"]) == {"n": 12, "x": None, "y": None}
    assert own["unknown_variables"] == ["context.note", "data.none"]
    assert json.loads(end["request"]["body"])["data"] == {"team": {"size": 7, "plan": "free"}}
    assert json.loads(end["request"]["body"])["goal_id"] is None


@pytest.mark.parametrize(
    ("wanted", "method", "path"),
    [
        ({"goal_id": "team", "output_index": 1}, "POST", "/goal?of=sample-person"),
        ({"goal_id": "team", "output_index": 2}, "PUT", "/own"),
        ({"phase": 0}, "PATCH", "/phase"),
        ({}, "DELETE", "/end"),
        ({"output_index": 1}, "GET", "/get"),
    ],
)
async def test_a_test_goes_out_once_signed_and_marked(
    door: Door, server: httpx2.AsyncClient, wanted: dict[str, Any], method: str, path: str
) -> None:
    _, secret = await door.store.write(
        "test", manage.create_webhook_secret, "mine", door.services.ids, door.services.sealer
    )
    await server.post("/v1/secrets", json={"name": "crm", "value": "hush-hush"})
    async with sinking(lambda _got, _n: Answer(text='{"data": {"id": "n1 hush-hush"}}')) as sink:
        url = f"/v1/templates/{await template(server, sink.url)}/test-output"
        first = await server.post(url, json=wanted, headers={"Idempotency-Key": "k1"})
        again = await server.post(url, json=wanted, headers={"Idempotency-Key": "k1"})
        (got,) = sink.got
    assert (got.method, got.path) == (method, path)
    assert got.headers["x-roxels-test"] == "true"
    assert got.headers["idempotency-key"].startswith("commit_test_")
    assert got.headers["webhook-id"].startswith("del_test_")
    assert got.headers["x-roxels-signature"].startswith("t=")
    message = webhooks.verify(got.headers, got.body, secret, now=door.clock.now())
    assert message.key == got.headers["idempotency-key"]
    assert path.startswith(("/own", "/get")) or message.commit().is_test
    assert first.json()["attempt"]["status_code"] == 200
    assert again.json() == first.json()
    assert first.json()["attempt"]["captured"] == ({"note": "n1 hush-hush"} if path == "/own" else {})
    assert await door.store.read("test", kept) == 0


async def test_a_secret_that_comes_back_is_not_told(door: Door, server: httpx2.AsyncClient) -> None:
    await door.store.write("test", manage.create_webhook_secret, "mine", door.services.ids, door.services.sealer)
    await server.post("/v1/secrets", json={"name": "crm", "value": "hush-hush"})
    async with sinking(lambda _got, _n: Answer(status=500, echo=True)) as sink:
        url = f"/v1/templates/{await template(server, sink.url)}/test-output"
        answer = await server.post(url, json={"goal_id": "team", "output_index": 1})
        assert sink.got[0].headers["authorization"] == "Bearer hush-hush"
    assert "hush" not in answer.text
    assert answer.json()["attempt"]["status_code"] == 500


async def test_what_could_not_be_sent_says_why(door: Door, server: httpx2.AsyncClient) -> None:
    url = f"/v1/templates/{await template(server, 'http://127.0.0.1:9')}/test-output"
    unsigned = (await server.post(url, json={})).json()["attempt"]
    assert (unsigned["error"], unsigned["status_code"]) == ("unsigned", None)
    assert "webhook secret" in unsigned["message"]
    await door.store.write("test", manage.create_webhook_secret, "mine", door.services.ids, door.services.sealer)
    assert (await server.post(url, json={})).json()["attempt"]["error"] == "connect"
    assert (await server.post(url, json={"goal_id": "team", "output_index": 1})).json()["attempt"]["error"] == "secret"


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"goal_id": "nobody"}, "goal_id"),
        ({"goal_id": "team", "output_index": 0}, "output_index"),
        ({"goal_id": "team", "output_index": 3}, "output_index"),
        ({"phase": 1}, "phase"),
        ({"phase": 0, "goal_id": "team"}, "phase"),
        ({"output_index": 2}, "output_index"),
        ({"output_index": -1}, "output_index"),
        ({"external_id": "undefined"}, "external_id"),
    ],
)
async def test_what_is_not_there_is_named(server: httpx2.AsyncClient, wanted: dict[str, Any], field: str) -> None:
    path = f"/v1/templates/{await template(server, 'http://127.0.0.1:9')}/preview-output"
    assert told(await server.post(path, json=wanted), 400, "validation_error")["field"] == field


async def test_drafts_and_other_environments(server: httpx2.AsyncClient) -> None:
    template_id = await template(server, "http://127.0.0.1:9")
    draft = {"settings": {"outputs": [webhook("http://127.0.0.1:9/draft")]}}
    await server.patch(f"/v1/templates/{template_id}?publish=false", json=draft)
    path = f"/v1/templates/{template_id}/preview-output"
    assert (await server.post(path, json={"version": 2})).json()["request"]["url"].endswith("/draft")
    assert (await server.post(path, json={})).json()["request"]["url"].endswith("/end")
    told(await server.post(path, json={"version": 3}), 404, "not_found")
    told(await server.post("/v1/templates/tpl_none/preview-output", json={}), 404, "not_found")
