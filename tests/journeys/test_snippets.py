"""What the dashboard gives out to paste on a server runs there as it stands, and lets its page in as who was named."""

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from playwright.async_api import BrowserContext

from roxels.dashboard.embeds import Snippets, snippets
from tests.journeys.visits import PAGE, Site, Visit, visit
from tests.processes import Demo

CALLS = {
    "python": "\nprint(open_visit('ada', 'Ada'))\n",
    "node": "\nconsole.log(await openVisit('ada', 'Ada'));\n",
}


def run(language: str, made: Snippets, folder: Path, secret_key: str) -> str:
    """The session that the snippet opens."""
    file = folder / ("visit.py" if language == "python" else "visit.mjs")
    file.write_text(getattr(made, language) + CALLS[language], encoding="utf-8")
    program = sys.executable if language == "python" else "node"
    environment = {**os.environ, "ROXELS_SECRET_KEY": secret_key}
    done = subprocess.run([program, str(file)], env=environment, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.strip()


@pytest.mark.parametrize("language", ["python", pytest.param("node", marks=pytest.mark.node)])
def test_a_server_opens_a_visit_by_the_snippet(roxels: Demo, tmp_path: Path, language: str) -> None:
    config = roxels.config
    made = snippets(config["url"], config["embed_key"], config["template_id"])
    session_id = run(language, made, tmp_path, config["secret_key"])
    body = json.dumps({"session_id": session_id}).encode()
    headers = {"Content-Type": "application/json"}
    with urlopen(Request(f"{config['url']}/v1/embed/sessions/exchange", body, headers), timeout=10) as answer:
        visit = json.load(answer)
    assert visit["token"]
    assert visit["resumption"]["proof"] == "verified"


async def opened_by(site: Site, tabs: BrowserContext, text: str, press: str | None = None, talk: str = "") -> Visit:
    """A page with this in it, and nothing else of Roxels, in which a talk was opened."""
    site.html = PAGE.replace('<script src="{origin}/embed.js"></script>', text)
    tab = await visit(tabs, "about:blank")
    await tab.page.route("**/my/talk", lambda route: route.fulfill(body=talk, content_type="application/json"))
    await tab.page.goto(site.url)
    if press is not None:
        await tab.page.get_by_role("button", name=press).click()
    await tab.opened()
    return tab


@pytest.mark.browser
@pytest.mark.asyncio(loop_scope="session")
async def test_a_page_talks_with_whom_it_names_by_the_snippet(roxels: Demo, site: Site, tabs: BrowserContext) -> None:
    config = roxels.config
    made = snippets(config["url"], config["embed_key"], config["template_id"])
    tab = await opened_by(site, tabs, made.manual, press="Talk to us")
    assert [each["proof"] for each in await tab.heard("resumption")] == ["claimed"]


@pytest.mark.browser
@pytest.mark.asyncio(loop_scope="session")
async def test_the_page_of_a_verified_visit_opens_it_by_the_snippet(
    roxels: Demo, site: Site, tabs: BrowserContext, tmp_path: Path
) -> None:
    config = roxels.config
    made = snippets(config["url"], config["embed_key"], config["template_id"])
    talk = json.dumps({"session_id": run("python", made, tmp_path, config["secret_key"])})
    tab = await opened_by(site, tabs, made.page, talk=talk)
    assert [each["proof"] for each in await tab.heard("resumption")] == ["verified"]
