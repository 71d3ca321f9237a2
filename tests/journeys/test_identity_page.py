"""Every snippet of docs/identity.md, as it stands there, against a real server: commands by `sh`, pages in Chromium.

The two that sign tokens are marked `example`, and run in `tests/api/test_identity_examples.py`.
"""

import json
import os
import re
import secrets
import subprocess
from pathlib import Path
from typing import Any

import httpx2
import jwt
import pytest
from playwright.async_api import BrowserContext

from roxels.ambient import SystemClock
from tests.house.test_docs import PLACEHOLDER, Snippet, snippets
from tests.journeys.visits import PAGE, Site, visit
from tests.processes import Demo

DOC = Path(__file__).parents[2] / "docs" / "identity.md"
ALL = list(snippets(DOC))

pytestmark = pytest.mark.asyncio(loop_scope="session")


def of(*languages: str) -> list[Any]:
    """The page's snippets in these languages, by their place in it."""
    return [pytest.param(each, id=each.where.rpartition(":")[2]) for each in ALL if each.language in languages]


def filled(text: str, values: dict[str, str]) -> str:
    """The snippet with what differs from server to server."""
    return PLACEHOLDER.sub(lambda found: values[found[1]], text)


def client(roxels: Demo, key: str) -> httpx2.AsyncClient:
    """Whoever has this key of the demo."""
    headers = {"authorization": f"Bearer {roxels.config[key]}"}
    return httpx2.AsyncClient(base_url=roxels.config["url"], headers=headers)


async def values_on(roxels: Demo) -> dict[str, str]:
    """What the placeholders stand for: each snippet gets a person, a stranger's talk and a waiting visit of its own."""
    config = roxels.config
    async with client(roxels, "secret_key") as server, client(roxels, "embed_key") as page:
        external_id = f"page-{secrets.token_hex(6)}"
        await server.post("/v1/persons", json={"external_id": "user_123"})
        person = (await server.post("/v1/persons", json={"external_id": external_id})).json()
        await page.post("/v1/embed/sessions", json={"external_id": f"{external_id}-at-home"})
        talks = (await server.get("/v1/interviews", params={"external_id": f"{external_id}-at-home"})).json()["items"]
        body = {"template_id": config["template_id"], "persons": [{"external_id": external_id}]}
        waiting = (await server.post("/v1/interviews", json=body)).json()
        signing = (await server.post("/v1/identity-secrets", json={"name": "web"})).json()
    claims = {"sub": external_id, "exp": int(SystemClock().now().timestamp()) + 300}
    return {
        "ROXELS_URL": config["url"],
        "SECRET_KEY": config["secret_key"],
        "EMBED_KEY": config["embed_key"],
        "TEMPLATE_ID": config["template_id"],
        "PERSON_ID": person["id"],
        "INTERVIEW_ID": talks[0]["id"],
        "SESSION_ID": waiting["session_id"],
        "IDENTITY_TOKEN": jwt.encode(claims, signing["value"], "HS256", {"kid": signing["kid"]}),
    }


async def test_every_snippet_runs_somewhere() -> None:
    marked = re.findall(r"<!-- example: (\w+) -->\n```(\w+)", DOC.read_text(encoding="utf-8"))
    assert marked == [("python", "python"), ("node", "js")]
    assert {each.language for each in ALL} == {"bash", "html", "js", "json", "python", "text"}
    assert [each.where for each in ALL if each.language == "text" and "──" not in each.text] == [], "drawings only"


@pytest.mark.parametrize("snippet", of("bash"))
async def test_a_command_does_what_the_page_says(roxels: Demo, snippet: Snippet) -> None:
    environment = os.environ | await values_on(roxels)
    lines = [snippet.text] if "<<" in snippet.text else snippet.text.splitlines()
    for line in lines:
        done = subprocess.run(["sh", "-ec", line], env=environment, capture_output=True, text=True, check=True)
        answers = [json.loads(each) for each in re.sub(r"\}\s*\{", "}\n{", done.stdout).splitlines()]
        assert answers, line
        assert not [each for each in answers if "error" in each], (line, answers)


@pytest.mark.parametrize("snippet", of("json"))
async def test_a_setting_is_taken(roxels: Demo, snippet: Snippet) -> None:
    async with client(roxels, "secret_key") as server:
        template = {"name": "x", "goals": [{"id": "g"}], **json.loads(snippet.text)}
        made = (await server.post("/v1/templates", json=template)).json()
    assert made["warnings"] == []
    assert made["settings"] == template["settings"]


def expected(snippet: str) -> str:
    """The proof of the visit that this snippet leads to."""
    if "identityToken" in snippet or "identity-token" in snippet or "sessionId" in snippet:
        return "verified"
    return "anonymous" if "setPerson(null)" in snippet else "claimed"


@pytest.mark.browser
@pytest.mark.parametrize("snippet", [each for each in of("js", "html") if "createHmac" not in each.values[0].text])
async def test_a_page_starts_with_it(roxels: Demo, site: Site, tabs: BrowserContext, snippet: Snippet) -> None:
    values = await values_on(roxels)
    text = filled(snippet.text, values)
    if snippet.language == "html":
        site.html = PAGE.replace('<script src="{origin}/embed.js"></script>', text)
    tab = await visit(tabs, "about:blank")
    await tab.page.route("**/my/token", lambda route: route.fulfill(body=values["IDENTITY_TOKEN"]))
    await tab.page.goto(site.url)
    if snippet.language == "js":
        await tab.page.add_script_tag(content=text)
    if "start(" not in text:
        key = "" if snippet.language == "html" else f'templateKey: "{values["EMBED_KEY"]}"'
        await tab.run(f"void Roxels.start({{ {key} }})")
    await tab.opened()
    assert [each["proof"] for each in await tab.heard("resumption")] == [expected(text)]
    assert await tab.heard("error") == []


@pytest.mark.browser
async def test_the_page_of_the_verified_flow(roxels: Demo, site: Site, tabs: BrowserContext) -> None:
    """The page of docs/security.md; its backend runs in `test_backend_example`."""
    values = await values_on(roxels)
    (snippet,) = [each for each in snippets(DOC.with_name("security.md")) if each.language == "html"]
    site.html = PAGE.replace('<script src="{origin}/embed.js"></script>', filled(snippet.text, values))
    tab = await visit(tabs, "about:blank")
    answer = json.dumps({"session_id": values["SESSION_ID"]})
    await tab.page.route("**/my/talk", lambda route: route.fulfill(body=answer, content_type="application/json"))
    await tab.page.goto(site.url)
    await tab.opened()
    assert [each["proof"] for each in await tab.heard("resumption")] == ["verified"]
