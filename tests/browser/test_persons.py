"""Several people, one browser: nothing of the earlier person is left in the page or in any request of the later one."""

import asyncio
import json

import pytest

from tests.browser.host import HostPage

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

CANARY = "canary-of-ada-7319"
# A frame of another site has no storage at all: what throws there holds nothing.
EVERYTHING = """async () => {
  const deep = (root) => (root.innerHTML ?? '') + [...root.querySelectorAll('*')]
    .map((node) => (node.shadowRoot ? deep(node.shadowRoot) : '') + (node.value ?? '')).join();
  const places = [
    () => deep(document) + document.documentElement.outerHTML,
    () => document.cookie + location.href + JSON.stringify(history.state),
    () => JSON.stringify(localStorage),
    () => JSON.stringify(sessionStorage),
    async () => JSON.stringify(await indexedDB.databases()),
    async () => (await caches.keys()).join(),
  ];
  const found = [];
  for (const look of places) try { found.push(await look()); } catch { }
  return found.join();
}"""


async def traces(host: HostPage) -> list[str]:
    """What stands of Ada's words, name and id in the documents, frames, storages, and in the global's state."""
    places = [await frame.evaluate(EVERYTHING) for frame in host.page.frames]
    places.append(await host.run("JSON.stringify([Roxels.state, Roxels.call?.state])"))
    return [mark for mark in (CANARY, "Ada", "user_ada") for place in places if mark in place]


async def ada_talks(host: HostPage) -> None:
    await host.open()
    await host.run(
        f"Roxels.init({{ templateKey: 'rk_test_1', context: {{ note: '{CANARY}' }}, authToken: '{CANARY}' }})"
    )
    await host.run("Roxels.setPerson({ name: 'Ada', externalId: 'user_ada' })")
    await host.start()
    await host.said(1)
    await host.run(f"Roxels.sendMessage('{CANARY}')")
    await host.said(2)


@pytest.mark.parametrize(
    "leave", ["Roxels.setPerson({ name: 'Bob', externalId: 'user_bob' })", "Roxels.setPerson(null)", "Roxels.reset()"]
)
async def test_the_next_person_finds_nothing_of_the_earlier_one(host: HostPage, leave: str) -> None:
    await ada_talks(host)
    mark = host.server.requests[0]["tab"]
    await host.run(leave)
    assert await host.page.locator("[data-roxels]").count() == 0
    assert (await host.run("heard.at(-1)[0]")) == "ended"
    assert await traces(host) == []
    requests = len(host.server.requests)
    await host.run("heard.length = 0")
    await host.run("Roxels.start().ready")
    await host.said(1)
    assert await traces(host) == []
    later = host.server.requests[requests:]
    assert len(later) == 1
    assert later[0].get("external_id") == ("user_bob" if "bob" in leave else None)
    assert CANARY not in json.dumps(later)
    assert later[0]["tab"] != mark
    assert CANARY not in json.dumps(await host.run("heard"))


async def test_ada_comes_back_to_her_talk(host: HostPage) -> None:
    await ada_talks(host)
    await host.run("Roxels.setPerson({ externalId: 'user_bob' })")
    await host.run("Roxels.setPerson({ externalId: 'user_ada', name: 'Ada' }); heard.length = 0")
    await host.run("Roxels.start().ready")
    await host.until(f"heard.some(([name, p]) => name === 'chat' && p.text === '{CANARY}' && p.replayed)")
    assert (await host.heard("resumption"))[0]["resumed"]


async def test_the_same_person_moves_nothing(host: HostPage) -> None:
    await ada_talks(host)
    await host.run("Roxels.setPerson({ externalId: 'user_ada', name: 'Ada King' })")
    assert await host.page.locator("[data-roxels=modal]").count() == 1
    assert len(host.server.requests) == 1
    await host.run("Roxels.close(); Roxels.start().ready")
    assert host.server.requests[-1]["person_name"] == "Ada King"


async def test_an_anonymous_talk_goes_on_and_the_next_start_is_the_person(host: HostPage) -> None:
    await host.open()
    await host.start(display="none")
    await host.said(1)
    await host.run("Roxels.setPerson({ externalId: 'user_ada' })")
    await host.run("Roxels.sendMessage('The kitchen')")
    await host.said(2)
    assert len(host.server.requests) == 1
    await host.run("Roxels.start({ templateKey: 'rk_test_1', display: 'none' }).ready")
    assert host.server.requests[-1]["external_id"] == "user_ada"


async def test_a_broken_id_signs_the_earlier_person_out(host: HostPage) -> None:
    await ada_talks(host)
    await host.run("Roxels.setPerson({ externalId: 'undefined' })")
    await host.until("heard.some(([name, p]) => name === 'error' && p.error === 'invalid_external_id')")
    assert await host.page.locator("[data-roxels]").count() == 0
    await host.run("Roxels.start().ready.catch(() => {})")
    assert len(host.server.requests) == 1


async def test_a_session_of_the_server_is_left_when_somebody_else_signs_in(host: HostPage) -> None:
    await host.open()
    await host.run("void Roxels.start({ sessionId: 'sess_of_ada' }); Roxels.setPerson({ externalId: 'user_bob' })")
    await host.page.wait_for_timeout(200)
    assert await host.page.locator("[data-roxels]").count() == 0
    assert host.server.requests == []


@pytest.mark.parametrize("way", ["start", "init"])
async def test_context_of_the_earlier_person_does_not_go_along(host: HostPage, way: str) -> None:
    await host.open()
    await host.run(
        f"Roxels.init({{ templateKey: 'rk_test_1', externalId: 'user_ada', context: {{ note: '{CANARY}' }} }})"
    )
    await host.run(f"Roxels.{way}({{ externalId: 'user_bob' }}); Roxels.start().ready")
    assert host.server.requests[0]["external_id"] == "user_bob"
    assert CANARY not in json.dumps(host.server.requests)


async def test_a_new_token_of_the_same_person_is_used_for_the_next_session(host: HostPage) -> None:
    await host.open()
    await host.run("Roxels.setPerson({ externalId: 'user_ada', identityToken: 'first' })")
    await host.start(display="none")
    await host.said(1)
    await host.run("Roxels.setPerson({ externalId: 'user_ada', identityToken: () => 'second' })")
    await asyncio.wait_for(host.server.identified.wait(), 10)  # told under the session that is about to go
    host.server.forget_sessions()
    host.server.cut()
    await host.until("heard.filter(([name]) => name === 'session').length === 2")
    assert [request["identity_token"] for request in host.server.requests] == ["first", "second"]
    assert await host.heard("error") == []
