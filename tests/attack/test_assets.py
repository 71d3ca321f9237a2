"""What is served to everybody holds no secret: the files as they lie, and every answer that needs no key.

The server is the one that `make run` starts, with the demo's own keys; what it answers is searched for whatever is
formed like a secret of ours, and for the values that this very server has.
"""

import re
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import pytest

from roxels import server
from roxels.ambient import RandomIds
from roxels.demo import Sink, demo_routes, prepare
from roxels.settings import Settings
from roxels.testing import FakeClock
from tests.attack.ground import ORIGIN, Ground, Place, Voices
from tests.attack.people import Browser

SOURCE = Path(server.__file__).parent
#: Folders whose files are served as they lie.
SERVED = (SOURCE / "embed", SOURCE / "dashboard" / "static", SOURCE / "api")
TEXTS = {".js", ".ts", ".html", ".css", ".svg", ".json", ".py"}
#: What secrets look like: ours by their prefix and length, private keys, and what is assigned to a telling name.
SECRET = re.compile(
    r"\b(?:sk|is)_(?:test|live)_[\w-]{20,}|\bwhsec_[\w+/=-]{16,}|\b(?:st|join|ops|dc)_[\w-]{30,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----|\bAKIA[A-Z0-9]{16}\b|\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\."
    r"|(?i:password|passwd|secret|api_?key)[\"']?\s*[:=]\s*[\"'][^\"'\s{}<>$…]{12,}[\"']"
)


class Demo:
    """The server of `make run`, and its secrets."""

    def __init__(self, ground: Ground, config: dict[str, Any]) -> None:
        self.ground = ground
        self.config = config
        values = (config["secret_key"], config["webhook_secret"], config["dashboard_login"]["password"])
        keyring = ground.house.keyring
        self.secrets = [*values, config["webhook_secret"].removeprefix("whsec_"), keyring.subject_salt.hex()]


@pytest.fixture
async def demo(tmp_path: Path) -> AsyncIterator[Demo]:
    clock = FakeClock()
    voices = Voices(clock)
    settings = Settings(data=tmp_path / "data", limits=False, worker=False, port=8000)
    house = server.build(settings, clock=clock, ids=RandomIds(), speaker=voices)
    config = await prepare(house, ORIGIN)
    house.add(demo_routes(house.files, Sink(tmp_path / "sink.jsonl", clock, house.ids), config, house.store))
    yield Demo(Ground(house, voices, clock), config)
    await house.close()


def found(text: str, values: Iterable[str] = ()) -> list[str]:
    """What in this text looks like a secret, or is one of these."""
    return [*(match[0] for match in SECRET.finditer(text)), *(value for value in values if value in text)]


@pytest.mark.parametrize(
    "text",
    [
        "sk_live_" + "a1B2c3D4" * 5,
        "is_test_" + "a1B2c3D4" * 5,
        "whsec_" + "MfKQ9r8GKYqrTwjU",
        "const token = 'st_" + "a1B2c3D4" * 5 + "'",
        "-----BEGIN PRIVATE KEY-----",
        'apiKey: "hunter2hunter2"',
    ],
)
def test_a_secret_would_be_found(text: str) -> None:
    assert len(found(f"const a = 1; {text}; const b = 2;")) >= 1
    assert found("sk_test_… whsec_… $SECRET_KEY 'Bearer ' + token secret: string") == []


def test_no_file_that_is_served_holds_a_secret() -> None:
    names = [path for folder in SERVED for path in folder.rglob("*") if path.is_file() and path.suffix in TEXTS]
    assert len(names) > 30
    assert {str(path): secrets for path in names if (secrets := found(path.read_text(encoding="utf-8")))} == {}


async def answers(demo: Demo) -> AsyncIterator[tuple[str, str]]:
    """Every answer that needs no key: address and text, headers too."""
    house, config = demo.ground.house, demo.config
    visit = await Browser(demo.ground).start(
        Place(environment="test", policy="claimed", template_id=config["template_id"], embed_key=config["embed_key"]),
        external_id="ada",
    )
    async with demo.ground.client() as anyone:
        async with demo.ground.client(authorization=f"Bearer {config['secret_key']}") as owner:
            body = {"template_id": config["template_id"], "persons": [{"external_id": "ada"}]}
            opened = (await owner.post("/v1/interviews", json=body)).json()
        join, _, join_secret = opened["join_url"].partition("#")
        demo.secrets += [join_secret, opened["session_id"], visit["token"]]
        files = [name for name in house.files.contents if not name.startswith("demo/")]
        login = (await anyone.get("/dashboard/login")).text
        for path in (
            "/", "/demo", "/demo/", "/demo/config.json", "/demo/deliveries.json", "/demo/deliveries.json?as=ada",
            *(f"/demo/{name.removeprefix('demo/')}" for name in house.files.contents if name.startswith("demo/")),
            "/embed.js", "/embed/frame", f"/embed/frame?key={config['embed_key']}", join.removeprefix(ORIGIN),
            *(f"/embed/static/{house.files.version}/{name}" for name in files),
            f"/v1/embed/launcher?key={config['embed_key']}", "/v1/receipts/key", "/openapi.json", "/docs",
            "/docs/reference.css", "/dashboard/login", "/healthz", "/readyz", "/metrics", "/nothing", "/v1/nothing",
            *re.findall(r'(?:href|src)="(/dashboard/static/[^"]+)"', login),
        ):  # fmt: skip
            answer = await anyone.get(path)
            assert answer.status_code in (200, 307, 404), path
            headers = {name: value for name, value in answer.headers.items() if name != "set-cookie"}
            yield path, f"{headers} {answer.text}"


async def test_no_answer_without_a_key_holds_a_secret(demo: Demo) -> None:
    shown = {path: text async for path, text in answers(demo)}
    assert len(shown) > 40
    assert demo.config["embed_key"] in shown["/demo/config.json"], "the key that is meant to be seen"
    assert {path: secrets for path, text in shown.items() if (secrets := found(text, demo.secrets))} == {}
