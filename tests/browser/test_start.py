"""Ways in, the same events in every display, and a guest that never breaks the house."""

import asyncio
import json
import re
from typing import Any

import pytest

from tests.browser.fake_server import EMBED
from tests.browser.host import RECORD, HostPage
from tests.browser.test_files import keys_of

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

TAG = """<script src="ORIGIN/embed.js" data-template-key="rk_test_1" data-external-id="prod:user_123"
  data-person-name="Ada"></script>"""
STUB = re.search(r"<script>.*</script>", (EMBED / "embed.d.ts").read_text().split("put this line first")[1])
GLOBALS = "Object.getOwnPropertyNames(window).filter((name) => !/^\\d+$/.test(name))"


def without_ids(events: list[Any]) -> list[Any]:
    """Ids by the order in which they come, so that two runs compare."""
    seen: dict[str, str] = {}
    pattern = r"\b(utt|say|sess_token|commit)_(?!id)\w+"
    text = re.sub(pattern, lambda found: seen.setdefault(found[0], f"id{len(seen)}"), json.dumps(events))
    named: list[Any] = json.loads(text)
    return named


async def a_talk(host: HostPage, display: str) -> list[Any]:
    host.server.conversations.clear()
    await host.open()
    await host.start(externalId="ada", personName="Ada", display=display)
    await host.said(1)
    await host.run("Roxels.sendMessage('The kitchen')")
    await host.said(2)
    await host.run("Roxels.call.sendMessage('4')")
    await host.said(3)
    await host.run("Roxels.close()")
    events: list[Any] = await host.run("heard")
    return events


async def test_every_display_says_the_same(host: HostPage) -> None:
    modal, compact, headless = [without_ids(await a_talk(host, display)) for display in ("modal", "compact", "none")]
    assert modal == headless
    assert compact == headless
    names = [name for name, _ in headless]
    assert names[:6] == ["status", "session", "resumption", "status", "status", "connected"]
    assert names[-3:] == ["close", "status", "ended"]
    commits = [payload for name, payload in headless if name == "commit"]
    assert commits == [
        {
            "commit_id": commits[0]["commit_id"],
            "goal_id": "home",
            "revision": 1,
            "data": {"room": "The kitchen", "plants": 4},
            "external_id": "ada",
        }
    ]
    understood = [payload for name, payload in headless if name == "understanding"]
    assert understood[0] == {"goal_id": "home", "data": {"room": "The kitchen"}, "external_id": "ada"}
    moves = [payload for name, payload in headless if name == "goal_transition"]
    assert moves == [{"from_goal": None, "to_goal": "home"}, {"from_goal": "home", "to_goal": "contact"}]


async def test_session_is_opened_by_the_frame_with_what_the_page_said(host: HostPage) -> None:
    await host.open()
    await host.start(
        externalId=4711, personName="Ada", context={"plan": "pro"}, authToken="t", resume=False, display="none"
    )
    request = host.server.requests[0]
    assert request["external_id"] == "4711"
    assert request["person_name"] == "Ada"
    assert request["context"] == {"plan": "pro", "authToken": "t"}
    assert request["resume"] is False
    assert request["host_origin"] == host.server.page
    assert request["timezone"]
    assert request["tab"]
    assert host.frame.url == f"{host.server.origin}/embed/frame?key=rk_test_1"


async def test_session_id_travels_through_the_port(host: HostPage) -> None:
    await host.open()
    await host.run(RECORD)
    await host.run("void Roxels.start({ sessionId: 'sess_secret', display: 'none' })")
    await host.until("heard.some(([name]) => name === 'connected')")
    assert host.server.requests[0]["session_id"] == "sess_secret"
    assert host.frame.url == f"{host.server.origin}/embed/frame"
    await host.said(1)
    for count, text in enumerate(("The kitchen", "4", "goodbye@example.com"), 1):
        await host.said(count)
        await host.run(f"Roxels.sendMessage('{text}')")
    await host.until("heard.some(([name]) => name === 'complete')")
    for event, times in (("understanding", 3), ("commit", 2), ("complete", 1)):
        assert [payload["external_id"] for payload in await host.heard(event)] == ["ada"] * times, event


async def test_identity_token_is_asked_of_the_page(host: HostPage) -> None:
    await host.open()
    await host.run(RECORD)
    await host.run(
        "void Roxels.start({ templateKey: 'rk_test_1', identityToken: async () => 'signed', display: 'none' })"
    )
    await host.until("heard.some(([name]) => name === 'connected')")
    assert host.server.requests[0]["identity_token"] == "signed"
    assert "external_id" not in host.server.requests[0]


async def test_script_tag_shows_the_launcher_and_starts_the_person(host: HostPage) -> None:
    await host.open(TAG)
    await host.page.click("[data-roxels=fab]")
    await host.page.wait_for_selector("[data-roxels=modal][data-state=open]")
    await host.frame.wait_for_selector("#log .agent")
    assert host.server.requests[0]["external_id"] == "prod:user_123"
    await host.page.keyboard.press("Escape")
    await host.page.wait_for_selector("[data-roxels=modal]", state="detached")
    await host.page.wait_for_selector("[data-roxels=fab]")


#: The tag once more, which says nothing of who is there.
AGAIN = """src => new Promise((onload) => {
  const script = Object.assign(document.createElement("script"), { src, onload });
  script.dataset.templateKey = "rk_test_1";
  document.head.append(script);
})"""


async def test_script_loaded_twice_is_harmless(host: HostPage) -> None:
    await host.open(TAG + TAG)
    await host.page.wait_for_selector("[data-roxels=fab]")
    assert await host.page.locator("[data-roxels=fab]").count() == 1
    await host.run("Roxels.setPerson({ externalId: 'bob' })")
    await host.page.evaluate(AGAIN, f"{host.server.origin}/embed.js")
    await host.page.click("[data-roxels=fab]")
    await host.page.wait_for_selector("[data-roxels=modal][data-state=open]")
    await host.frame.wait_for_selector("#log .agent")
    assert [request["external_id"] for request in host.server.requests] == ["bob"]


async def test_calls_before_the_script_are_made_in_order(host: HostPage) -> None:
    assert STUB
    early = f"""{RECORD}; Roxels.init({{ templateKey: 'rk_test_1', externalId: 'ada' }});
      Roxels.setPerson({{ externalId: 'bob', name: 'Bob' }}); Roxels.start({{ display: 'none' }});"""
    await host.open(f'{STUB[0]}<script>{early}</script><script async src="ORIGIN/embed.js"></script>')
    await host.until("heard.some(([name]) => name === 'connected')")
    assert [request["external_id"] for request in host.server.requests] == ["bob"]


async def test_the_documented_component_may_mount_before_the_script(host: HostPage) -> None:
    """Its effect as it stands in the documentation, mounted twice as in strict mode, with only the stub there."""
    assert STUB
    page = (EMBED.parents[2] / "docs" / "embed.md").read_text()
    effect = re.search(r"useEffect\(\(\) => \{\n(.*?)\n  \}, \[", page, re.S)
    assert effect
    mount = f"""const user = {{ id: 'ada', name: 'Ada' }}, templateKey = 'rk_test_1', commits = [];
      const onCommit = (commit) => commits.push(commit.goal_id);
      const mount = () => {{ {effect[1]}\n }};
      mount()();
      const unmount = mount();"""
    await host.open(f"{STUB[0]}<script>{mount}</script>")
    await host.page.add_script_tag(url=f"{host.server.origin}/embed.js")
    await host.start()
    for count, text in enumerate(("The kitchen", "4"), 1):
        await host.said(count)
        await host.run(f"Roxels.sendMessage('{text}')")
    await host.until("commits.length > 0")
    assert await host.run("commits") == ["home"]
    assert host.server.requests[0]["external_id"] == "ada"
    await host.run("unmount()")
    assert await host.page.locator("[data-roxels]").count() == 0
    assert await host.run("Roxels.state.connection") == "off"


async def test_start_gives_its_controller_at_once_and_ready_tells_when(host: HostPage) -> None:
    await host.open()
    script = """async () => {
      const order = [];
      const call = Roxels.start({ templateKey: 'rk_test_1', display: 'none' });
      call.on('status', ({ status }) => order.push(status));
      call.sendMessage('said before anything was there');
      order.push(call === Roxels.call && call.state.connection);
      await call.ready;
      return [...order, Roxels.state.connection, Object.isFrozen(Roxels.state)];
    }"""
    assert await host.run(script) == ["off", "loading", "joining", "connected", "connected", True]
    async with asyncio.timeout(5):
        while not host.server.says:
            await asyncio.sleep(0.01)
    assert [say["text"] for say in host.server.says] == ["said before anything was there"]


async def test_starting_the_same_talk_again_is_the_same_talk(host: HostPage) -> None:
    await host.open()
    await host.start(externalId="ada", display="none")
    same = "Roxels.start({ templateKey: 'rk_test_1', externalId: 'ada', display: 'none' }) === first"
    assert await host.run(f"() => {{ const first = Roxels.call; return {same}; }}")
    assert len(host.server.requests) == 1


@pytest.mark.parametrize("junk", ["'undefined'", "'null'", "'NaN'", "'[object Object]'", "'  '", "({})", "true", "NaN"])
async def test_junk_ids_are_refused_by_name(host: HostPage, junk: str) -> None:
    await host.open()
    await host.run(RECORD)
    await host.run(f"void Roxels.start({{ templateKey: 'rk_test_1', externalId: {junk} }})")
    await host.until("heard.some(([name]) => name === 'error')")
    errors = await host.told("error")
    assert [error["error"] for error in errors] == ["invalid_external_id"]
    assert "externalId" in errors[0]["message"]
    assert "prefix" in errors[0]["message"]
    assert await host.page.locator("[data-roxels]").count() == 0
    assert host.server.requests == []


@pytest.mark.parametrize("nobody", ["null", "undefined", "''"])
async def test_nobody_is_nobody(host: HostPage, nobody: str) -> None:
    await host.open()
    await host.run(RECORD)
    await host.run(f"void Roxels.start({{ templateKey: 'rk_test_1', externalId: {nobody}, display: 'none' }})")
    await host.until("heard.some(([name]) => name === 'connected')")
    assert "external_id" not in host.server.requests[0]


@pytest.mark.parametrize("nobody", ["null", "undefined", "''"])
async def test_nobody_after_somebody_is_nobody(host: HostPage, nobody: str) -> None:
    """A page that passes on whoever is signed in, and nobody is any more."""
    await host.open()
    await host.run(RECORD)
    await host.run("Roxels.init({ templateKey: 'rk_test_1', externalId: 'ada', personName: 'Ada', display: 'none' })")
    await host.run(f"void Roxels.start({{ externalId: {nobody} }})")
    await host.until("heard.some(([name]) => name === 'connected')")
    assert "external_id" not in host.server.requests[0]
    assert "person_name" not in host.server.requests[0]


async def test_an_option_that_is_undefined_is_not_given(host: HostPage) -> None:
    await host.open()
    await host.run(RECORD)
    await host.run(
        """() => { const init = { templateKey: 'rk_test_1', externalId: 'ada' };
        Roxels.init({ ...init, onConnected: () => (window.told = true), context: { plan: 'green' } });
        const options = ['templateKey', 'sessionId', 'display', 'context', 'resume', 'personName', 'onConnected'];
        Roxels.start(Object.fromEntries(options.map((name) => [name, undefined]))); }"""
    )
    await host.until("window.told && heard.some(([name]) => name === 'connected')")
    assert [(sent["external_id"], sent["context"]) for sent in host.server.requests] == [("ada", {"plan": "green"})]
    assert await host.page.locator("[data-roxels=modal]").count() == 1


async def test_junk_given_to_init_is_told_and_starts_nothing(host: HostPage) -> None:
    await host.open()
    await host.run(RECORD)
    await host.run(
        "Roxels.init({ templateKey: 'rk_test_1', externalId: 'undefined', onError: (fault) => (window.fault = fault) })"
    )
    await host.until("window.fault && heard.length === 1")
    assert (await host.run("Roxels.state.error.error")) == "invalid_external_id"
    await host.run("void Roxels.start()")
    await host.until("heard.filter(([name]) => name === 'error').length === 2")
    assert host.server.requests == []


async def test_a_refused_session_is_an_error_and_a_way_to_try_again(host: HostPage) -> None:
    await host.open()
    await host.run(RECORD)
    host.server.refusal = (403, "forbidden")
    host.expected_noise = ["Failed to load resource: the server responded with a status of 403 (Forbidden)"]
    rejected = "Roxels.start({ templateKey: 'rk_test_1' }).ready.then(() => 'ready', (reason) => reason.error)"
    assert await host.run(rejected) == "forbidden"
    assert [error["error"] for error in await host.told("error")] == ["forbidden"]
    assert [told["status"] for told in await host.heard("status")].count("error") == 1
    await host.frame.wait_for_selector("#trouble")
    host.server.refusal = None
    await host.frame.click("#retry")
    await host.frame.wait_for_selector("#log .agent")


async def test_option_callbacks_are_sugar_and_fire_once(host: HostPage) -> None:
    await host.open()
    await host.run(
        """() => { window.calls = [];
        const init = { onUnderstanding: () => calls.push('init'), onGoalTransition: () => calls.push('moved') };
        Roxels.init({ templateKey: 'rk_test_1', ...init });
        Roxels.start({ display: 'none', onUnderstanding: ({ data }) => calls.push(data.room) }); }"""
    )
    await host.run(RECORD)
    await host.said(1)
    await host.run("Roxels.sendMessage('The kitchen')")
    await host.until("calls.includes('The kitchen')")
    await host.said(2)
    assert await host.run("calls") == ["moved", "The kitchen"]


async def test_each_thing_is_told_once_whatever_happens_to_the_connection(host: HostPage) -> None:
    """To the option's callback, to the talk's `on` and to the page's, over cuts and over a session that is renewed."""
    server = host.server
    callbacks = sorted(keys_of("Callbacks"))
    events = {re.sub(r"(?<!^)([A-Z])", r"_\1", name.removeprefix("on")).lower(): name for name in callbacks}
    await host.open()
    notes = ", ".join(f"{name}: (payload) => note('option', '{event}', payload)" for event, name in events.items())
    await host.run(
        f"""() => {{ window.told = {{ option: [], talk: [], page: [] }};
        window.note = (place, name, payload) => told[place].push([name, payload ?? null]);
        Roxels.on('*', (name, payload) => note('page', name, payload));
        Roxels.start({{ templateKey: 'rk_test_1', externalId: 'ada', {notes} }})
          .on('*', (name, payload) => note('talk', name, payload)); }}"""
    )
    await host.run(RECORD)
    for count, text in enumerate(("The kitchen", "4", "goodbye@example.com"), 1):
        await host.said(count)
        server.cut()
        if count == 2:
            server.forget_sessions()
        await host.run(f"Roxels.sendMessage('{text}')")
    await host.until("heard.some(([name]) => name === 'ended')")
    await host.run("Roxels.close()")
    told = await host.run("told")
    assert told["option"] == told["talk"] == told["page"]
    assert {name for name, _ in told["page"]} == set(events) - {"error"}
    for name in ("connected", "complete", "ending", "ended", "close"):
        assert [event for event, _ in told["page"]].count(name) == 1, name
    live = [event for event in told["page"] if not (event[1] or {}).get("replayed")]
    once = [json.dumps(each) for each in live if each[0] in ("commit", "goal_transition", "understanding")]
    assert len(once) == len(set(once)) == 3 + 2 + 2
    final = [payload["id"] for name, payload in live if name == "chat" and payload["final"]]
    assert len(final) == len(set(final))


async def test_a_failing_callback_stops_nothing(host: HostPage) -> None:
    await host.open()
    await host.run("void Roxels.on('session', () => { throw new Error('the page is at fault'); })")
    await host.start(externalId="ada", display="none")
    assert host.noise == ["Error: the page is at fault"] or host.noise == ["the page is at fault"]
    host.expected_noise = host.noise


async def test_forged_messages_are_ignored(host: HostPage) -> None:
    await host.open(
        '<iframe id="sibling" src="ORIGIN/embed/frame?sibling"></iframe><script src="ORIGIN/embed.js"></script>'
    )
    await host.start(externalId="ada", display="none")
    await host.said(1)
    before = await host.run("heard.length")
    sibling = next(frame for frame in host.page.frames if "sibling" in frame.url)
    await host.run("window.postMessage('roxels:hello', '*')")
    await host.run(
        "window.dispatchEvent(new MessageEvent('message', { data: 'roxels:hello', source: window,"
        f" origin: '{host.server.origin}' }}))"
    )
    await sibling.evaluate("window.parent.postMessage('roxels:hello', '*')")
    forged = """(target) => { const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => (window.got = true);
      target.postMessage('roxels:port', '*', [port2]); port1.postMessage({ name: 'say', payload: 'forged' }); }"""
    await sibling.evaluate(f"({forged})(window.parent.frames[1])")
    await host.run(f"({forged})(document.querySelector('[data-roxels=frame]').contentWindow)")
    async with host.page.context.expect_page() as opening:
        await host.run(f"void open('{host.server.origin}/embed/frame?popup', '_blank')")
    popup = await opening.value
    await popup.wait_for_load_state()
    for target in ("opener", "opener.frames[0]", "opener.frames[1]"):
        await popup.evaluate(f"{target}.postMessage('roxels:hello', '*')")
        await popup.evaluate(f"({forged})({target})")
    await host.page.wait_for_timeout(300)
    assert not await popup.evaluate("window.got")
    await popup.close()
    assert await host.run("heard.length") == before
    assert not await sibling.evaluate("window.got")
    assert not await host.run("window.got")
    assert host.server.says == []
    assert len(host.server.requests) == 1


async def test_destroy_leaves_the_page_as_it_was_found(host: HostPage) -> None:
    await host.open()
    html, names = await host.run("document.documentElement.outerHTML"), await host.run(GLOBALS)
    await host.page.focus("#before")
    await host.run("Roxels.init({ templateKey: 'rk_test_1', externalId: 'ada' }); Roxels.showFab()")
    await host.page.wait_for_selector("[data-roxels=fab]")
    await host.start()
    await host.run("Roxels.destroy()")
    assert await host.run("document.documentElement.outerHTML") == html
    assert set(await host.run(GLOBALS)) - set(names) == {"heard"}
    assert await host.run("document.activeElement.id") == "before"
    assert await host.run("[Roxels.call, Roxels.state.connection]") == [None, "off"]
    heard = await host.run("heard.length")
    await host.run("Roxels.start({ templateKey: 'rk_test_1', display: 'none' }).ready")
    assert await host.run("heard.length") == heard, "listeners are gone too"


@pytest.mark.parametrize("gone", ["Roxels.destroy()", "Roxels.close()", "location.reload()", "Roxels.reset()"])
async def test_leaving_before_the_connection_stands_says_nothing(host: HostPage, gone: str) -> None:
    """A browser complains in the page's console about a WebSocket that is closed before it was open."""
    host.server.door.clear()
    await host.open()
    await host.run("void Roxels.start({ templateKey: 'rk_test_1' })")
    async with asyncio.timeout(15):
        while not host.server.knocks:
            await asyncio.sleep(0.02)
    await host.run(gone)
    host.server.door.set()
    await asyncio.sleep(0.3)
    assert host.noise == []


async def test_destroy_in_the_middle_of_a_start(host: HostPage) -> None:
    await host.open()
    await host.run("Roxels.start({ templateKey: 'rk_test_1' }); Roxels.destroy()")
    await host.run("Roxels.init({ templateKey: 'rk_test_1' }); Roxels.showFab(); Roxels.start(); Roxels.destroy()")
    await host.page.wait_for_timeout(200)
    assert await host.page.locator("[data-roxels]").count() == 0


async def test_launcher_follows_the_template_and_the_view(host: HostPage) -> None:
    host.server.launcher = {
        "enabled": True,
        "label": "Ask us",
        "icon": None,
        "color": "#ffe08a",
        "position": "bottom-left",
        "visibility": {"include": ["shop/*", "home"], "exclude": ["shop/checkout"]},
    }
    await host.open()
    await host.run("Roxels.init({ templateKey: 'rk_test_1', view: 'home' })")
    fab = host.page.locator("[data-roxels=fab]")
    await fab.wait_for()
    assert await fab.inner_text() == "Ask us"
    for view, shown in [("shop/checkout", False), ("shop/ferns", True), ("about", False), ("home", True)]:
        await host.run(f"Roxels.setView('{view}')")
        await fab.wait_for(state="attached" if shown else "detached")
    await host.run("Roxels.hideFab()")
    await fab.wait_for(state="detached")
    await host.run("Roxels.showFab({ label: 'Now' })")
    await host.page.wait_for_selector("text=Now")


@pytest.mark.parametrize("place", ["'#place'", "document.querySelector('#place')"])
@pytest.mark.parametrize("option", ["fabAnchor", "fabContainer"])
async def test_launcher_stands_where_the_page_wants_it(host: HostPage, option: str, place: str) -> None:
    host.server.launcher = {"enabled": True, "label": "Ask us", "position": "bottom-left"}
    await host.open()
    await host.run(f"Roxels.init({{ templateKey: 'rk_test_1', externalId: 'ada', {option}: {place} }})")
    fab = host.page.locator("#place [data-roxels=fab]")
    await fab.wait_for()
    assert await fab.evaluate("(button) => getComputedStyle(button).position") == "static"
    await fab.click()
    await host.page.wait_for_selector("[data-roxels=modal][data-state=open]")
    await fab.wait_for(state="detached")
    assert "place" not in json.dumps(host.server.requests), "where it stands is no context"
    await host.page.keyboard.press("Escape")
    await fab.wait_for()
    await host.run("Roxels.destroy()")
    assert await host.run("document.querySelector('#place').childElementCount") == 0


async def test_no_launcher_where_the_template_has_none(host: HostPage) -> None:
    await host.open()
    await host.run("Roxels.init({ templateKey: 'rk_test_1' })")
    assert await host.run("Roxels.loadLauncherConfig()") == {"enabled": False}
    assert await host.page.locator("[data-roxels]").count() == 0


async def test_headless_draws_nothing(host: HostPage) -> None:
    await host.open()
    await host.start(externalId="ada", display="none")
    assert await host.page.locator("[data-roxels]").count() == 1
    assert not await host.page.locator("[data-roxels=frame]").is_visible()
    assert await host.frame.locator("#log li").count() == 0


async def test_works_under_a_strict_policy_of_the_host(host: HostPage) -> None:
    origin = host.server.origin
    host.server.host_policy = (
        f"default-src 'none'; script-src {origin}; frame-src {origin}; connect-src {origin}; img-src data:"
    )
    await host.open(TAG)
    await host.page.click("[data-roxels=fab]")
    await host.page.wait_for_selector("[data-roxels=modal][data-state=open]")
    await host.frame.wait_for_selector("#log .agent")
    assert (
        await host.page.locator("[data-roxels=modal]").evaluate("(box) => getComputedStyle(box).borderRadius") == "18px"
    )


async def test_a_frame_that_never_says_hello_is_told(host: HostPage) -> None:
    await host.page.clock.install()
    await host.open()
    await host.page.route(
        "**/embed/frame*", lambda route: route.fulfill(body="<p>Something else</p>", content_type="text/html")
    )
    await host.run(RECORD)
    await host.run("void Roxels.start({ templateKey: 'rk_test_1' })")
    await host.page.wait_for_selector("[data-roxels=modal][data-state=loading]")
    await host.page.clock.fast_forward(16_000)
    await host.page.wait_for_selector("text=could not be loaded")
    assert [error["error"] for error in await host.told("error")] == ["frame_unreachable"]
    await host.page.click("[data-roxels=close]")
    assert await host.page.locator("[data-roxels]").count() == 0
