"""Changing over to another identity secret while people talk: whoever can be vouched for anew talks on."""

import jwt
import pytest
from playwright.async_api import BrowserContext, Route

from roxels.ambient import SystemClock
from tests.journeys.test_identity_page import client
from tests.journeys.visits import Site, visit
from tests.processes import Demo

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_a_talk_goes_on_when_what_vouched_for_it_is_revoked(
    roxels: Demo, site: Site, tabs: BrowserContext
) -> None:
    async with client(roxels, "secret_key") as server:
        secrets = [(await server.post("/v1/identity-secrets", json={"name": name})).json() for name in ("old", "new")]
        signing = [secrets[0]]

        async def token(route: Route) -> None:
            claims = {"sub": "rotated", "exp": int(SystemClock().now().timestamp()) + 300}
            await route.fulfill(body=jwt.encode(claims, signing[-1]["value"], "HS256", {"kid": signing[-1]["kid"]}))

        tab = await visit(tabs, site.url)
        await tab.page.route("**/my/token", token)
        fetched = "() => fetch('/my/token').then((answer) => answer.text())"
        await tab.run(f"void Roxels.start({{ templateKey: '{roxels.config['embed_key']}', identityToken: {fetched} }})")
        await tab.opened()
        await tab.hears("make green first?")
        await tab.say("the first room")
        await tab.hears("already?")
        words = await tab.words()
        signing.append(secrets[1])
        await server.delete(f"/v1/identity-secrets/{secrets[0]['kid']}")
        await tab.until("heard.filter(([name]) => name === 'resumption').length === 2")
        assert [each["proof"] for each in await tab.heard("resumption")] == ["verified", "verified"]
        await tab.shows(words)
        await tab.say("25")
        await tab.hears("dim.")
        assert (await tab.words())[: len(words)] == words
        assert await tab.heard("error") == []
