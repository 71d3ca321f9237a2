"""The receivers of docs/webhooks.md, run as they stand there: refuse what is forged, do once what comes twice."""

import os
import re
import runpy
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest

from roxels import webhooks
from roxels.ambient import SystemClock

PAGE = Path(__file__).parent.parent / "docs" / "webhooks.md"
SECRET = webhooks.secret_from(bytes(range(32)))
BODY = {
    "session_id": "sess_1",
    "interview_id": "iv_1",
    "template_id": "tpl_1",
    "goal_id": "g1",
    "commit_id": "commit_1",
    "revision": 1,
    "committed_at": "2026-03-02T09:00:00Z",
    "data": {"company": "Lovelace & Co"},
    "context": {},
    "external_id": "ada",
    "person_id": "person_1",
    "identity": {"proof": "verified"},
}


def example(name: str) -> dict[str, Any]:
    """The names that the example on the page defines."""
    found = re.search(rf"<!-- example: {name} -->\n```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    file = Path(f"{name}_receiver.py")
    file.write_text(found.group(1), encoding="utf-8")
    return runpy.run_path(str(file))


def signed(body: bytes, id: str = "del_1") -> dict[str, str]:
    stamp = int(SystemClock().now().timestamp())
    return webhooks.sign([SECRET], id=id, timestamp=stamp, body=body) | {"Idempotency-Key": "commit_1"}


@pytest.fixture
def place(tmp_path: Path) -> Any:
    """A folder of the receiver's own, with its secret in the environment."""
    before, had = Path.cwd(), os.environ.get("WEBHOOK_SECRET")
    os.chdir(tmp_path)
    os.environ["WEBHOOK_SECRET"] = SECRET
    yield tmp_path
    os.chdir(before)
    os.environ.pop("WEBHOOK_SECRET") if had is None else os.environ.update(WEBHOOK_SECRET=had)


async def test_the_fastapi_receiver(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    body = msgspec.json.encode(BODY)
    transport = httpx2.ASGITransport(app=example("fastapi")["app"])
    async with httpx2.AsyncClient(transport=transport, base_url="http://receiver") as client:
        statuses = [(await client.post("/hooks/roxels", content=body, headers=signed(body))).status_code for _ in "ab"]
        forged = await client.post("/hooks/roxels", content=body + b" ", headers=signed(body))
    assert (statuses, forged.status_code) == ([204, 204], 400)
    assert capsys.readouterr().out.splitlines() == ["ada g1 {'company': 'Lovelace & Co'}"]


def test_the_flask_receiver(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    client = example("flask")["app"].test_client()
    body = msgspec.json.encode(BODY)
    statuses = [client.post("/hooks/roxels", data=body, headers=signed(body)).status_code for _ in "ab"]
    forged = client.post("/hooks/roxels", data=body + b" ", headers=signed(body))
    assert (statuses, forged.status_code) == ([204, 204], 400)
    assert "signature" in forged.get_data(as_text=True)
    assert capsys.readouterr().out.splitlines() == ["ada g1 {'company': 'Lovelace & Co'}"]


def test_what_raises_is_done_again(tmp_path: Path) -> None:
    seen = webhooks.Seen(tmp_path / "seen.db")
    message = webhooks.Message(id="del_1", signed_at=SystemClock().now(), body=b"")
    with pytest.raises(RuntimeError), seen.once(message):
        raise RuntimeError
    for expected in (True, False):
        with webhooks.Seen(tmp_path / "seen.db").once(message) as is_new:
            assert is_new is expected
    nameless = webhooks.Message(id=None, signed_at=message.signed_at, body=b"")
    with pytest.raises(webhooks.MissingHeader), seen.once(nameless):
        pass


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"a=b", msgspec.json.encode(BODY | {"identity": None})])
def test_another_body_is_named_as_such(body: bytes) -> None:
    with pytest.raises(webhooks.NotACommit):
        webhooks.Message(id="del_1", signed_at=SystemClock().now(), body=body).commit()
