"""The POSTs of the HTTP twin refuse as the REST API does: by status, with the field, and with what to do."""

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from roxels.api import errors
from roxels.wire.routes import wire_routes
from roxels.wire.sse import MAX_BODY
from tests.wire.conftest import House


@pytest.fixture
async def twin(house: House) -> AsyncIterator[httpx2.AsyncClient]:
    """A program that holds a visit's token."""
    app = FastAPI()
    app.router.routes.extend(wire_routes(house.rooms))
    errors.install(app, [])
    token = (await house.open()).token
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=app),
        base_url="http://roxels.example/v1/wire/",
        headers={"authorization": f"Bearer {token}"},
    ) as client:
        yield client


async def refused(twin: httpx2.AsyncClient, name: str, body: bytes, status: int = 400) -> tuple[str | None, str]:
    """The field and the sentence of a refusal."""
    answer = await twin.post(name, content=body)
    error: dict[str, Any] = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (status, "validation_error")
    return error.get("field"), error["message"]


async def test_a_body_that_is_too_large_is_413(twin: httpx2.AsyncClient) -> None:
    body = b'{"id": "m", "text": "' + b"x" * MAX_BODY + b'"}'
    assert await refused(twin, "say", body, 413) == (None, "The body is larger than 256 KB. Send less at once.")


@pytest.mark.parametrize(
    ("name", "body", "field"),
    [
        ("say", b'{"id": "m", "text": 5}', "text"),
        ("say", b'{"id": "m"}', "text"),
        ("heard", b'{"utterance_id": "utt_1", "chars": "3"}', "chars"),
        ("heard", b'{"utterance_id": "utt_1", "chars": -1}', "chars"),
        ("say", b'{"id": "m", "text": "Hi", "txt": "Hi"}', "txt"),
        ("bye", b'{"now": true}', "now"),
        ("bye", b'{"frame": "say"}', "frame"),
        ("correct", b'{"goal_id": "g", "field": "f", "value": {"deep": ["\\ud800"]}}', "value.deep[0]"),
        ("correct", b'{"goal_id": "g", "field": "f", "value": {"deep": ["\\u0000"]}}', "value.deep[0]"),
        ("say", b'{"id": "\\u0000", "text": "Hi"}', "id"),
        ("heard", b'{"utterance_id": "\\u0000", "chars": 3}', "utterance_id"),
    ],
)
async def test_what_is_wrong_is_named(twin: httpx2.AsyncClient, name: str, body: bytes, field: str) -> None:
    told, message = await refused(twin, name, body)
    assert told == field
    assert field.rpartition(".")[2] in message


async def test_half_of_a_pair_is_told_as_elsewhere(twin: httpx2.AsyncClient) -> None:
    told = await refused(twin, "say", b'{"id": "m", "text": "\\udc00"}')
    assert told == ("text", "`text` contains half of a surrogate pair; send valid Unicode.")


async def test_what_is_right_is_kept(twin: httpx2.AsyncClient) -> None:
    answer = await twin.post("say", content='{"frame": "say", "id": "m", "text": "Hello \\ud83d\\ude00"}')
    assert (answer.status_code, answer.json()["id"]) == (200, "m")
    assert (await twin.post("dance", content=b"{}")).status_code == 404
