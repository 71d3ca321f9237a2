"""Context: a server's is unreadable and unchangeable from the browser; a browser's is kept apart and marked."""

from roxels.domain.context import merged, unproven
from roxels.storage import log
from roxels.wire.protocol import event_text
from tests.api.conftest import Door, told
from tests.api.test_browser import EXCHANGE, SESSION

CANARY = "canary-of-the-server"


def test_a_server_s_key_wins_and_the_others_are_marked() -> None:
    server, browser = {"plan": "gold"}, {"plan": "mine", "page": "/pricing", "external_id": "eve"}
    assert merged(server, browser, "ada") == {"plan": "gold", "page": "/pricing", "external_id": "ada"}
    assert unproven(server, browser) == ["page"]


async def test_what_a_server_gave_reaches_no_browser(door: Door) -> None:
    async with door.client(door.secret) as server:
        body = {"template_id": door.template_id, "context": {"plan": CANARY}}
        opened = (await server.post("/v1/interviews", json=body)).json()
    async with door.client() as browser:
        entered = await browser.post(EXCHANGE, json={"session_id": opened["session_id"]})
    assert CANARY not in entered.text
    facts = await door.store.read("test", log.read_facts, opened["id"])
    assert CANARY in str(facts)
    assert CANARY not in str([event_text(fact) for fact in facts])


async def test_a_browser_s_context_is_marked(door: Door) -> None:
    async with door.client(door.embed_key) as browser:
        await browser.post(SESSION, json={"external_id": "ada", "context": {"page": "p1"}})
    async with door.client(door.secret) as server:
        talk = (await server.get("/v1/interviews")).json()["items"][0]["id"]
        shown = (await server.get(f"/v1/interviews/{talk}")).json()
    assert (shown["context"], shown["context_from_browser"]) == ({"page": "p1"}, ["page"])


async def test_more_than_64_kb_is_refused_by_name(door: Door) -> None:
    async with door.client(door.embed_key) as browser:
        answer = await browser.post(SESSION, json={"context": {"note": "x" * 65_536}})
    assert told(answer, 400, "validation_error")["field"] == "context"
