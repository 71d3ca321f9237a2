"""Text that no database keeps is refused in the dashboard too, on both databases."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.cluster import BOTH, at_hand
from tests.dashboard.office import EMAIL, PASSWORD, Office, csrf, sign_in


@pytest.fixture(params=BOTH)
def tmp_path(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """Every test here runs on both databases."""
    with at_hand(request, tmp_path):
        yield tmp_path


def half(name: str, token: str) -> dict[str, Any]:
    """A form in a charset in which half of a surrogate pair can be written."""
    parts = "".join(
        f'--b\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
        for key, value in (("csrf", token), (name, "+2AA-"))
    )
    kind = "multipart/form-data; boundary=b; charset=utf-7"
    return {"content": f"{parts}--b--\r\n".encode(), "headers": {"content-type": kind}}


CURSOR = base64.urlsafe_b64encode(json.dumps(["test", None, "2026-01-01T00:00:00+00:00", "\0"]).encode()).decode()

FORMS = [
    ("keys", "name"),
    ("secrets", "name"),
    ("deliveries/send", "destination"),
    ("embed", "template_id"),
    ("embed", "allowed_domains"),
    ("settings/webhooks", "url"),
]


@pytest.mark.parametrize(("place", "name"), FORMS)
async def test_forms(operator: httpx2.AsyncClient, place: str, name: str) -> None:
    token = csrf(await operator.get("/dashboard/keys"))
    nul = await operator.post(f"/dashboard/{place}", data={"csrf": token, name: "a\0b"})
    assert (nul.status_code, "NUL" in nul.text) == (400, True), nul.text
    pair = await operator.post(f"/dashboard/{place}", **half(name, token))
    assert (pair.status_code, "half of a surrogate pair" in pair.text) == (400, True), pair.text


@pytest.mark.parametrize("path", ["?q=%00", f"?cursor={CURSOR}", f"templates?cursor={CURSOR}"])
async def test_addresses(operator: httpx2.AsyncClient, path: str) -> None:
    assert (await operator.get(f"/dashboard/{path}")).status_code == 400


async def test_a_line_of_memory(office: Office, operator: httpx2.AsyncClient) -> None:
    """Its id leads to a conversation; this one's to none that any database could hold."""
    person = (await office.visit("ada")).person
    line = "mem_" + base64.urlsafe_b64encode(b'["iv_\\u0000", {"type": "memory.forgotten", "said_id": "m"}]').decode()
    path = f"/dashboard/people/{person.id}"
    token = csrf(await operator.get(path))
    assert (await operator.post(f"{path}/memory", data={"csrf": token, "line": line})).status_code == 404


async def test_trying_out_as_somebody(office: Office, operator: httpx2.AsyncClient) -> None:
    token = csrf(await operator.get("/dashboard/keys"))
    path = f"/dashboard/templates/{office.template_id}/talk"
    for bad in ("a\0b", "null"):
        assert (await operator.post(path, data={"csrf": token, "version": "1", "external_id": bad})).status_code == 400


async def test_a_template(operator: httpx2.AsyncClient) -> None:
    token = csrf(await operator.get("/dashboard/keys"))
    answer = await operator.post("/dashboard/templates/new", data={"csrf": token, "text": '{"name": "a\0"}'})
    assert (answer.status_code, "NUL" in answer.text) == (400, True)


@pytest.mark.parametrize(("email", "password"), [("\0", "\0"), (EMAIL, "a\0b"), ("a\0@example.com", PASSWORD)])
async def test_the_entrance(office: Office, stranger: httpx2.AsyncClient, email: str, password: str) -> None:
    refused = await sign_in(stranger, password, email)
    assert refused.status_code == 401
