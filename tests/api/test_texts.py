"""Text that no database keeps (NUL, half of a surrogate pair) is refused at every door of the API, on both of them."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import jwt
import pytest

from tests.api.conftest import Door, told
from tests.api.test_browser import SESSION
from tests.api.test_identity_tokens import new_secret
from tests.cluster import BOTH, at_hand

BAD = ["a\0b", "\ud800", "\udc00 and more"]


@pytest.fixture(params=BOTH)
def tmp_path(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """Every test here runs on both databases."""
    with at_hand(request, tmp_path):
        yield tmp_path


def as_json(body: dict[str, Any]) -> dict[str, Any]:
    """A body as a program sends it that escapes whatever is not ASCII."""
    return {"content": json.dumps(body), "headers": {"content-type": "application/json"}}


@pytest.mark.parametrize("bad", BAD)
async def test_bodies_name_the_field(
    door: Door, server: httpx2.AsyncClient, browser: httpx2.AsyncClient, bad: str
) -> None:
    opened = {"template_id": door.template_id, "persons": [{"external_id": "ada"}]}
    asked: list[tuple[httpx2.AsyncClient, str, dict[str, Any], str]] = [
        (server, "/v1/interviews", opened | {"context": {"plan": [bad]}}, "context.plan[0]"),
        (server, "/v1/interviews", opened | {"persons": [{"name": bad}]}, "persons[0].name"),
        (server, "/v1/persons", {"external_id": "ada", "org_context": {"k": {"v": bad}}}, "org_context.k.v"),
        (server, "/v1/persons", {"external_id": "ada", "metadata": {bad: 1}}, "metadata"),
        (server, "/v1/persons", {"external_id": "ada", "email": bad}, "email"),
        (server, "/v1/templates", {"name": "n", "goals": [{"id": "g", "prompt": bad}]}, "goals[0].prompt"),
        (server, "/v1/secrets", {"name": "crm", "value": bad}, "value"),
        (server, "/v1/lifecycle-webhooks", {"url": bad, "events": []}, "url"),
        (browser, SESSION, {"external_id": bad}, "external_id"),
        (browser, SESSION, {"context": {"plan": bad}}, "context.plan"),
        (browser, SESSION, {"tab": bad}, "tab"),
        (browser, SESSION, {"locale": bad}, "locale"),
    ]
    for client, path, body, field in asked:
        assert told(await client.post(path, **as_json(body)), 400, "validation_error")["field"] == field


async def test_addresses(server: httpx2.AsyncClient) -> None:
    for path in ("/v1/persons?external_id=a%00b", "/v1/persons/a%00b", "/v1/audit?actor=%00"):
        told(await server.get(path), 400, "validation_error")
    for path in ("/v1/persons?external_id=%ED%A0%80", "/v1/audit?actor=%ED%A0%80"):
        assert (await server.get(path)).json()["items"] == []


@pytest.mark.parametrize("bad", BAD)
async def test_a_cursor(server: httpx2.AsyncClient, bad: str) -> None:
    cursor = base64.urlsafe_b64encode(json.dumps(["test", "persons", "2026-01-01T00:00:00+00:00", bad]).encode())
    answer = await server.get("/v1/persons", params={"cursor": cursor.decode()})
    assert told(answer, 400, "validation_error")["field"] == "cursor"


@pytest.mark.parametrize("bad", BAD)
async def test_identity_tokens(door: Door, browser: httpx2.AsyncClient, bad: str) -> None:
    made = await new_secret(door, door.secret)
    good = {"sub": "ada", "exp": int(door.clock.now().timestamp()) + 300}

    async def refused(claims: dict[str, Any], kid: str = made["kid"]) -> str:
        token = jwt.encode(good | claims, made["value"], "HS256", {"kid": kid})
        message: str = told(await browser.post(SESSION, json={"identity_token": token}), 401, "identity_token_invalid")[
            "message"
        ]
        return message

    for claims, field in (
        ({"sub": bad}, "sub"),
        ({"name": bad}, "name"),
        ({"context": {"plan": {"of": bad}}}, "context.plan.of"),
        ({"jti": bad}, "jti"),
    ):
        assert f"`{field}` contains" in await refused(claims)
    assert "`kid`" in await refused({}, bad)
