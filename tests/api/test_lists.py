"""What is true of every list: its cursors are its own, and no parameter is passed over in silence."""

from typing import Any

import httpx2
import pytest

from roxels.api.app import document
from tests.api.conftest import TEMPLATE, Door, told

#: Every list that can be asked for without naming one thing.
LISTS = sorted(
    path
    for path, methods in document()["paths"].items()
    if "{" not in path and any(each["name"] == "cursor" for each in methods.get("get", {}).get("parameters", ()))
)


async def _two_of_each(server: httpx2.AsyncClient, template_id: str) -> None:
    for number in range(2):
        bodies: dict[str, dict[str, Any]] = {
            "/v1/templates": TEMPLATE,
            "/v1/interviews": {"template_id": template_id, "persons": [{"external_id": f"p{number}"}]},
            "/v1/keys": {},
            "/v1/webhook-secrets": {},
            "/v1/identity-secrets": {},
            "/v1/secrets": {"name": f"s{number}", "value": "v"},
            "/v1/lifecycle-webhooks": {"url": "https://x.example/h", "events": ["person.erased"]},
        }
        for path, body in bodies.items():
            made = await server.post(path, json=body)
            assert made.status_code == 201, (path, made.text)
    for external_id in ("p0", "p1"):
        person = (await server.get(f"/v1/persons?external_id={external_id}")).json()["items"][0]
        await server.delete(f"/v1/persons/{person['id']}")
    for external_id in ("p2", "p3"):
        await server.post("/v1/persons", json={"external_id": external_id})


async def test_a_cursor_belongs_to_its_list(server: httpx2.AsyncClient, door: Door) -> None:
    await _two_of_each(server, door.template_id)
    pages = {path: (await server.get(path, params={"limit": 1})).json() for path in LISTS}
    cursors = {path: page["next_cursor"] for path, page in pages.items() if page["has_more"]}
    assert len(cursors) >= 8
    for path in LISTS:
        for other, cursor in cursors.items():
            answer = await server.get(path, params={"cursor": cursor})
            if path == other:
                assert answer.status_code == 200, path
            else:
                assert told(answer, 400, "validation_error")["field"] == "cursor", (path, other)


@pytest.mark.parametrize("path", [*LISTS, "/v1/interviews/iv_1/events"])
async def test_offset_is_refused_and_not_passed_over(server: httpx2.AsyncClient, path: str) -> None:
    error = told(await server.get(path, params={"limit": 2, "offset": 2}), 400, "validation_error")
    assert error["field"] == "offset"
    assert ("`after`" if path.endswith("/events") else "`cursor`") in error["message"]
