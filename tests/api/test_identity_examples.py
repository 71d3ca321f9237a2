"""The examples of docs/identity.md sign tokens that hold: run as they stand there."""

import os
import re
import runpy
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from roxels.ambient import SystemClock
from tests.api.conftest import Door
from tests.api.test_identity_tokens import new_secret, present

PAGE = Path(__file__).parents[2] / "docs" / "identity.md"


def example(name: str, folder: Path, ending: str) -> Path:
    found = re.search(rf"<!-- example: {name} -->\n```\w+\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    file = folder / f"token.{ending}"
    file.write_text(found.group(1), encoding="utf-8")
    return file


@pytest.fixture
async def environment(door: Door) -> dict[str, str]:
    made = await new_secret(door, door.secret)
    door.clock.advance((SystemClock().now() - door.clock.now()).total_seconds())
    return {"ROXELS_IDENTITY_KID": made["kid"], "ROXELS_IDENTITY_SECRET": made["value"]}


@pytest.fixture
def here(environment: dict[str, str]) -> Iterator[None]:
    os.environ.update(environment)
    yield
    for name in environment:
        del os.environ[name]


async def holds(door: Door, token: str) -> None:
    visit = (await present(door, token)).json()
    assert visit["resumption"]["proof"] == "verified"
    assert (await present(door, token)).status_code == 401, "its jti lets it in once"
    async with door.client(door.secret) as server:
        (person,) = (await server.get("/v1/persons", params={"external_id": "user_123"})).json()["items"]
    assert person["name"] == "Ada"


async def test_python(door: Door, here: None, tmp_path: Path) -> None:
    names = runpy.run_path(str(example("python", tmp_path, "py")))
    await holds(door, names["identity_token"]("user_123", "Ada"))


@pytest.mark.node
async def test_node(door: Door, environment: dict[str, str], tmp_path: Path) -> None:
    file = example("node", tmp_path, "js")
    program = f"console.log(require({str(file)!r}).identityToken('user_123', 'Ada'))"
    node = shutil.which("node")
    assert node
    done = subprocess.run([node, "-e", program], env=environment, capture_output=True, text=True, check=True)
    await holds(door, done.stdout.strip())
