"""The backend of docs/security.md, run as it stands there against a real server: its visitor is verified."""

import os
import re
import runpy
from pathlib import Path

import aiohttp
import httpx2
import pytest

from tests.processes import Demo

PAGE = Path(__file__).parents[2] / "docs" / "security.md"

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_whoever_is_signed_in_is_verified(roxels: Demo, tmp_path: Path) -> None:
    found = re.search(r"<!-- example: backend -->\n```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    (tmp_path / "backend.py").write_text(found.group(1), encoding="utf-8")
    config = roxels.config
    environment = {
        "ROXELS_URL": config["url"],
        "ROXELS_SECRET_KEY": config["secret_key"],
        "ROXELS_TEMPLATE": config["template_id"],
    }
    os.environ.update(environment)
    try:
        app = runpy.run_path(str(tmp_path / "backend.py"))["app"]
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://backend") as page:
            assert (await page.post("/my/talk")).status_code == 401
            opened = (await page.post("/my/talk", headers={"cookie": "session=ada-is-signed-in"})).json()
    finally:
        for name in environment:
            del os.environ[name]
    assert list(opened) == ["session_id"]
    async with aiohttp.ClientSession() as browser:
        answer = await browser.post(f"{config['url']}/v1/embed/sessions/exchange", json=opened)
        assert (await answer.json())["resumption"]["proof"] == "verified"
