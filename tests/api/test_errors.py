"""Refusals: one envelope for all of them, a path to what was wrong, and silence about what somebody said."""

import json
import logging
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from roxels.api.middleware import MAX_BODY
from roxels.domain import errors
from roxels.storage.database import Database
from roxels.testing import FakeClock
from roxels.wire.limits import Allowance, Buckets, Rate
from tests.api.conftest import Door, opened, told


@pytest.mark.parametrize("path", ["/nope", "/v1/nope", "/v1/interviews/", "/v1/interviews/iv_1/nope", "/v1"])
async def test_no_such_address(server: httpx2.AsyncClient, path: str) -> None:
    told(await server.get(path), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/v1/interviews", "GET, POST"),
        ("PUT", "/v1/persons/person_1", "DELETE, GET, PATCH"),
        ("PATCH", "/v1/embed/keys/x", "DELETE, GET, POST"),
        ("GET", "/v1/embed/sessions/exchange", "POST"),
        ("PUT", "/v1/conversations", "GET, POST"),
        ("POST", "/openapi.json", "GET, HEAD"),
    ],
)
async def test_wrong_method_names_the_right_ones(
    server: httpx2.AsyncClient, method: str, path: str, allowed: str
) -> None:
    answer = await server.request(method, path)
    told(answer, 405, "validation_error")
    assert answer.headers["allow"] == allowed


BODIES = [
    b"",
    b"{",
    b"[]",
    b"null",
    b'"x"',
    b'{"external_id": "a",}',
    b'{"external_id": "\xff"}',
    b'{"external_id": "\\ud800"}',
    b'{"external_id": "a\\u0000"}',
    b'{"metadata": {"a": {"b": ["\\udfff"]}}}',
    b'{"metadata": {"\\u0000": 1}}',
    b'{"metadata": {"a": NaN}}',
    b'{"metadata": {"a": -Infinity}}',
    b'{"metadata": {"a": 1e999}}',
    b'{"metadata": {"a": ' + b"9" * 30 + b"}}",
    b'{"metadata": {"a": ' + b"9" * 5000 + b"}}",
    b'{"metadata": ' + b'{"a":' * 100 + b"1" + b"}" * 100 + b"}",
    b"[" * 100_000,
    b'{"external_id": 5}',
    b'{"nope": 1}',
]


@pytest.mark.parametrize("body", BODIES, ids=lambda body: repr(body[:30]))
async def test_what_cannot_be_meant_is_a_400(server: httpx2.AsyncClient, body: bytes) -> None:
    answer = await server.post("/v1/persons", content=body, headers={"content-type": "application/json"})
    told(answer, 400, "validation_error")


async def test_paths_lead_to_what_was_wrong(server: httpx2.AsyncClient) -> None:
    async def field(body: str) -> Any:
        answer = await server.post("/v1/persons", content=body, headers={"content-type": "application/json"})
        return told(answer, 400, "validation_error")["field"]

    assert await field(r'{"metadata": {"a": {"b": [1, "\ud800"]}}}') == "metadata.a.b[1]"
    assert await field(r'{"name": "a\u0000b"}') == "name"
    assert await field('{"metadata": []}') == "metadata"


async def test_emoji_written_as_two_escapes_are_whole(server: httpx2.AsyncClient) -> None:
    answer = await server.post("/v1/persons", content=rb'{"external_id": "\ud83c\udf0d"}')
    assert answer.json()["external_id"] == "🌍"


async def test_a_form_is_told_to_be_json(server: httpx2.AsyncClient) -> None:
    answer = await server.post("/v1/persons", data={"external_id": "ada"})
    assert "application/json" in told(answer, 400, "validation_error")["message"]


async def test_large_bodies_are_refused(server: httpx2.AsyncClient) -> None:
    body = json.dumps({"metadata": {"a": "x" * MAX_BODY}}).encode()
    told(await server.post("/v1/persons", content=body), 413, "validation_error")

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 100_000):
            yield body[start : start + 100_000]

    told(await server.post("/v1/persons", content=chunks()), 413, "validation_error")
    small = await server.post("/v1/persons", content=json.dumps({"metadata": {"a": "x" * 70_000}}))
    assert told(small, 400, "validation_error")["field"] == "metadata"


@pytest.mark.parametrize("path", ["/v1/persons/%00", "/v1/persons?external_id=%00", "/v1/interviews/a%00b/events"])
async def test_no_nul_in_an_address(server: httpx2.AsyncClient, path: str) -> None:
    told(await server.get(path), 400, "validation_error")


JUNK_IDS = ["%F0%9F%8C%8D", "..", "%2e%2e", "'%20OR%201=1--", "x" * 3000, "%ED%A0%80", "person_1;drop", "*"]


@pytest.mark.parametrize("junk", JUNK_IDS)
async def test_junk_ids_are_not_found_anywhere(door: Door, server: httpx2.AsyncClient, junk: str) -> None:
    for path, methods in door.checker.document["paths"].items():
        if "{" not in path:
            continue
        for method in methods:
            filled = re.sub(r"\{\w+\}", lambda _: junk, path.replace("{number}", "1"))
            body = None if method == "get" else {"value": "x"} if method == "put" else {}
            body = {"person_id": "x"} if (method, path[-6:]) == ("post", "/adopt") else body
            answer = await server.request(method, filled, json=body)
            assert answer.status_code in (200, 404, 405), (method, filled[:80], answer.text)
            if answer.status_code == 200:
                assert answer.json()["items"] == []


async def test_what_nobody_expected_is_a_500_without_a_word_of_it(
    door: Door, server: httpx2.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    async def fails(_request: Request) -> Response:
        raise KeyError("my secret words")

    route = Route("/fails", fails)
    door.app.router.routes.append(route)
    with caplog.at_level(logging.DEBUG):
        answer = await server.get("/fails")
    door.app.router.routes.remove(route)
    told(answer, 500, "internal_error")
    assert "secret words" not in answer.text + caplog.text
    (record,) = [record for record in caplog.records if record.name == "roxels.api.errors"]
    assert record.getMessage() == "a request failed"


async def test_every_error_has_its_place_in_the_table(door: Door) -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.RoxelsError)]
    for kind in kinds:

        async def fails(_request: Request, kind: type[errors.RoxelsError] = kind) -> Response:
            raise kind("told", **({} if kind is errors.RateLimited else {"field": "a.b"}))

        route = Route("/fails", fails)
        door.app.router.routes.append(route)
        async with door.client() as client:
            answer = await client.get("/fails")
        door.app.router.routes.remove(route)
        error = told(answer, kind.status, kind.code)
        assert error["message"] == "told"
        assert error.get("field") == (None if kind is errors.RateLimited else "a.b")


async def test_too_often_is_told_when_to_come_back(tmp_path: Path, clock: FakeClock) -> None:
    limited = opened(tmp_path, clock, Allowance(clock, rates={("requests", "key"): Rate(2, 3)}))
    async with limited as door, door.client(door.secret) as server, door.client(door.embed_key) as browser:
        for _ in range(3):
            assert (await server.get("/v1/persons")).status_code == 200
        refused = await server.get("/v1/persons")
        told(refused, 429, "rate_limited")
        assert refused.headers["retry-after"] == "1"
        assert (await browser.post("/v1/embed/sessions", json={})).status_code == 201
        clock.advance(1)
        assert [(await server.get("/v1/persons")).status_code for _ in range(3)] == [200, 200, 429]


def test_full_buckets_are_forgotten(clock: FakeClock) -> None:
    buckets = Buckets(clock, per_second=1, burst=1)
    for number in range(50_000):
        buckets.take(str(number))
    with pytest.raises(errors.RateLimited):
        buckets.take("49999")


async def test_health(door: Door, stranger: httpx2.AsyncClient) -> None:
    assert (await stranger.get("/healthz")).json() == {"status": "ok"}
    assert (await stranger.get("/readyz")).json() == {"status": "ready"}
    for path in ("/healthz", "/readyz"):
        assert (await stranger.head(path)).status_code == 200
    text = (await stranger.get("/metrics")).text
    assert 'roxels_http_requests_total{method="GET",route="/readyz",status="200"}' in text
    door.drain()
    told(await stranger.get("/readyz"), 503, "unavailable")
    assert (await stranger.get("/healthz")).status_code == 200


async def test_not_ready_without_its_database(door: Door, stranger: httpx2.AsyncClient) -> None:
    door.store.database.readers.dispose()
    assert isinstance(door.store.database, Database)
    path = door.store.database.path
    path.rename(path.with_suffix(".away"))
    told(await stranger.get("/readyz"), 503, "unavailable")
    path.with_suffix(".away").rename(path)
