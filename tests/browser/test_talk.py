"""The talk in the frame: nothing shown is lost, changed or said twice, whatever happens to the connection."""

import asyncio
from typing import Any

import pytest
from playwright.async_api import expect

from tests.browser.fake_server import QUESTIONS, SETTINGS
from tests.browser.host import RECORD, HostPage

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

# Every text node of the transcript may only grow, and none may go.
WATCH = """() => { window.faults = [];
  new MutationObserver((records) => {
    for (const { type, target, oldValue, removedNodes } of records) {
      if (type === 'characterData' && !target.data.startsWith(oldValue)) faults.push([oldValue, target.data]);
      for (const gone of removedNodes) faults.push(['removed', gone.textContent]);
    }
  }).observe(document.querySelector('#log'),
    { subtree: true, childList: true, characterData: true, characterDataOldValue: true });
}"""
TEXTS = "[...document.querySelectorAll('#log .prose')].map((said) => said.textContent)"


async def shown(host: HostPage) -> list[str]:
    """What stands on the screen, once it has been drawn."""
    await host.frame.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    texts: list[str] = await host.frame.evaluate(TEXTS)
    return texts


async def say(host: HostPage, text: str) -> None:
    await host.frame.fill("#words", text)
    await host.frame.press("#words", "Enter")


async def grown(host: HostPage, count: int) -> None:
    """Waits until the newest message on the screen has `count` characters."""
    await host.frame.wait_for_function(f"() => ({TEXTS}.at(-1) ?? '').length >= {count}")


async def test_what_cannot_be_kept_is_made_harmless_before_it_is_said(host: HostPage) -> None:
    """Refused it would be said again and again: there is nobody who could take it out."""
    await host.open()
    await host.start(externalId="ada")
    await host.said(1)
    await host.frame.evaluate("document.querySelector('#words').value = 'cut \\ud83d, \\0, whole \\ud83d\\ude00'")
    await host.frame.press("#words", "Enter")
    await host.said(2)
    said = "cut \ufffd, \ufffd, whole \U0001f600"
    assert [each["text"] for each in host.server.says] == [said]
    assert (await host.transcript())[1] == said


async def test_an_answer_grows_over_cut_connections_and_nothing_is_replaced(host: HostPage) -> None:
    server = host.server
    server.pace, server.piece = 0.012, 1
    server.cuts = {30, 60, 90}
    await host.open()
    await host.start(externalId="ada")
    await host.frame.evaluate(WATCH)
    await host.said(1)
    greeting = server.conversations[0].greeting
    assert await shown(host) == [greeting]
    assert await host.transcript() == [greeting]
    assert await host.frame.evaluate("faults") == []
    assert [hello["after"] for hello in server.hellos] == [0, 3, 3, 3]
    chars = [hello["rendered"]["chars"] for hello in server.hellos[1:]]
    assert 15 <= chars[0] <= 30 < chars[1] <= 60 < chars[2] <= 90
    lengths = [len(chat["text"]) for chat in await host.heard("chat")]
    assert lengths == sorted(lengths)


async def test_a_message_is_kept_until_acknowledged_and_counted_once(host: HostPage) -> None:
    server = host.server
    await host.open()
    await host.start(externalId="ada")
    await host.said(1)
    server.silent = True
    await say(host, "The kitchen")
    await host.frame.wait_for_selector("#log .pending")
    server.silent = False
    server.cut()
    await host.said(2)
    assert {entry["id"] for entry in server.says} == {server.says[0]["id"]}
    assert len(server.says) == 2
    assert (await shown(host))[1:] == ["The kitchen", QUESTIONS[1]]
    finals = [chat["final"] for chat in await host.heard("chat") if chat["role"] == "user"]
    assert finals == [False, True]


async def test_a_message_that_reached_the_server_before_the_cut_is_there_once(host: HostPage) -> None:
    server = host.server
    server.pace = 0.02
    await host.open()
    await host.start(externalId="ada")
    await host.frame.evaluate(WATCH)
    await grown(host, 10)
    await say(host, "The kitchen")
    server.cut()
    await host.said(2)
    texts = await shown(host)
    assert texts.count("The kitchen") == 1
    assert texts[2] == QUESTIONS[1]
    assert await host.frame.evaluate("faults") == []


async def test_what_is_not_acknowledged_is_sent_once_more_when_the_page_goes(host: HostPage) -> None:
    server = host.server
    await host.open()
    await host.start(externalId="ada")
    await host.said(1)
    server.silent = True
    await say(host, "The kitchen")
    await host.frame.wait_for_selector("#log .pending")
    server.silent = False
    await host.run("Roxels.close()")
    async with asyncio.timeout(5):
        while not server.conversations[0].said:
            await asyncio.sleep(0.01)
    assert len({entry["id"] for entry in server.says}) == 1


async def test_a_reload_goes_on_where_it_was(host: HostPage) -> None:
    server = host.server
    await host.open()
    await host.start(externalId="ada")
    await host.said(1)
    server.pace, server.piece = 0.02, 1
    await say(host, "The kitchen")
    await grown(host, 12)
    await host.page.reload()
    await host.start(externalId="ada")
    await host.said(2)
    greeting = server.conversations[0].greeting
    assert await shown(host) == [greeting, "The kitchen", QUESTIONS[1]]
    report = (await host.heard("resumption"))[0]
    assert report["resumed"]
    assert report["unfinished"]["chars"] >= 12
    replayed = [(chat["text"], chat["final"]) for chat in await host.heard("chat") if chat["replayed"]]
    assert replayed == [(greeting, True), ("The kitchen", True)]
    assert (await host.heard("understanding")) == [
        {"goal_id": "home", "data": {"room": "The kitchen"}, "external_id": "ada", "replayed": True}
    ]
    assert await host.heard("goal_transition") == []
    assert [request["external_id"] for request in server.requests] == ["ada", "ada"]
    assert server.requests[0]["tab"] == server.requests[1]["tab"]


async def test_a_session_that_is_not_valid_any_more_is_renewed_once(host: HostPage) -> None:
    server = host.server
    await host.open()
    await host.start(externalId="ada")
    await host.said(1)
    server.forget_sessions()
    server.cut()
    await host.until("heard.filter(([name]) => name === 'session').length === 2")
    await host.until("heard.filter(([name, p]) => name === 'status' && p.status === 'connected').length === 2")
    assert len(await shown(host)) == 1
    server.forget_sessions()
    await server.close(4001)
    await host.frame.wait_for_selector("#done")
    assert (await host.told("error"))[-1]["error"] == "session_expired"
    assert len(server.requests) == 2


async def test_a_visit_whose_time_is_over_says_so_and_the_talk_goes_on_from_there(host: HostPage) -> None:
    server = host.server
    await host.open()
    await host.start(externalId="ada")
    await host.said(1)
    await server.end_visits()
    await host.frame.wait_for_selector("#done")
    assert await host.frame.inner_text("#done-text") == "The session has ended. Open it again to go on where you were."
    assert not await host.frame.is_visible("#trouble")
    assert await shown(host) == [server.conversations[0].greeting], "the last words stay readable"
    assert [fault["error"] for fault in await host.told("error")] == ["session_expired"]
    await host.frame.click("text=Try again")
    await say(host, "The kitchen")
    await host.said(2)
    assert await shown(host) == [server.conversations[0].greeting, "The kitchen", QUESTIONS[1]]
    assert len(server.conversations) == 1


async def test_nothing_is_offered_that_only_the_server_of_the_page_can_open_again(host: HostPage) -> None:
    await host.open()
    await host.start(sessionId="sess_1")
    await host.said(1)
    await host.server.end_visits()
    await host.frame.wait_for_selector("#done")
    assert await host.frame.inner_text("#done-text") == "The session has ended. Open it again to go on where you were."
    assert not await host.frame.is_visible("#again"), "the same session lets nobody in a second time"
    assert [fault["error"] for fault in await host.told("error")] == ["session_expired"]


@pytest.mark.parametrize("code", [4009, 4010])
async def test_superseded_and_draining_are_joined_again_at_once(host: HostPage, code: int) -> None:
    await host.open()
    await host.start(externalId="ada")
    await host.said(1)
    await asyncio.sleep(1.1)  # a connection counts as alive after a second
    started = asyncio.get_running_loop().time()
    await host.server.close(code)
    await host.until("heard.filter(([name, p]) => name === 'status' && p.status === 'connected').length === 2")
    assert asyncio.get_running_loop().time() - started < 0.4


async def test_a_connection_that_is_closed_for_good_is_not_tried_again(host: HostPage) -> None:
    await host.open()
    await host.start(externalId="ada")
    await host.said(1)
    await host.server.close(1009)
    await host.frame.wait_for_selector("#trouble")
    assert (await host.told("error"))[-1]["error"] == "connection_closed"
    assert len(host.server.hellos) == 1


async def test_a_server_that_welcomes_and_drops_is_asked_less_and_less(host: HostPage) -> None:
    server = host.server
    await host.open()
    server.fickle = True
    await host.start(externalId="ada", display="none")
    came: list[float] = []
    async with asyncio.timeout(30):
        while len(came) < 4:
            if len(server.hellos) > len(came):
                came.append(asyncio.get_running_loop().time())
            await asyncio.sleep(0.01)
    assert came[3] - came[2] > 1.3, "0.5 s, 1 s, 2 s, each give or take a third"


async def test_a_server_that_is_away_is_waited_for(host: HostPage) -> None:
    server = host.server
    await host.open()
    await host.run(RECORD)
    server.refusal = (503, "unavailable")
    await host.run("void Roxels.start({ templateKey: 'rk_test_1', externalId: 'ada' })")
    while not server.requests:
        await asyncio.sleep(0.02)
    server.refusal = None
    await host.said(1)
    assert await host.heard("error") == []
    host.expected_noise = [
        "Failed to load resource: the server responded with a status of 503 (Service Unavailable)"
    ] * (len(server.requests) - 1)


async def test_captured_data_is_correctable_in_place(host: HostPage) -> None:
    await host.open()
    await host.start(externalId="ada")
    await host.said(1)
    await say(host, "The kitchen")
    await host.said(2)
    row = host.frame.locator(".field").first
    await row.hover()
    await row.locator(".edit").click()
    await row.locator("input").fill("wrong")
    await row.locator("input").press("Enter")
    await host.frame.wait_for_selector("text=That is not a room we know.")
    await row.locator("input").fill("The hall")
    await row.locator("input").press("Enter")
    await host.frame.wait_for_selector(".value:text('The hall')")
    assert host.server.corrections[-1] == {"goal_id": "home", "field": "room", "value": "The hall"}
    assert (await host.heard("understanding"))[-1]["data"] == {"room": "The hall"}
    await host.run("Roxels.send('correct', { goal_id: 'home', field: 'light', value: 'dim' })")
    await host.frame.wait_for_selector(".value:text('dim')")
    await host.frame.locator(".edit").nth(2).click()
    await host.frame.locator(".field select").select_option("bright")
    await host.frame.locator(".field select").press("Tab")
    await host.page.keyboard.press("Enter")
    await host.frame.wait_for_selector(".value:text('bright')")
    await host.run("Roxels.send('correct', { goal_id: 'home', field: 'room', value: 'The attic' })")
    await host.frame.wait_for_selector(".value:text('The attic')")
    host.expected_noise = ["Failed to load resource: the server responded with a status of 400 (Bad Request)"]


async def test_progress_and_completion(host: HostPage) -> None:
    await host.open()
    await host.start(externalId="ada")
    for count, text in enumerate(("The kitchen", "4", "goodbye@example.com"), 1):
        await host.said(count)
        await say(host, text)
    await host.frame.wait_for_selector("#done")
    assert await host.frame.inner_text("#panel-count") == "2 of 2 done"
    assert await host.told("complete") == [
        {
            "summary": "All said.",
            "findings": {"home": {"room": "The kitchen", "plants": 4}, "contact": {"email": "goodbye@example.com"}},
            "duration_seconds": 120,
            "external_id": "ada",
            "auto_close": False,
        }
    ]
    await host.told("ended")
    assert [payload["status"] for payload in await host.heard("status")][-1] == "ended"
    await host.run("Roxels.close()")
    assert len(await host.heard("ended")) == 1


async def test_an_end_of_which_nothing_comes_is_an_end(host: HostPage) -> None:
    host.server.settles = False
    await host.page.clock.install()
    await host.open()
    await host.start(externalId="ada")
    await host.said(1)
    await say(host, "goodbye")
    await host.frame.wait_for_selector("#done")
    assert await host.frame.locator("#composer").is_hidden()
    assert await host.heard("ended") == []
    await host.page.clock.fast_forward(6000)
    await host.until("heard.some(([name]) => name === 'ended')")
    assert await host.heard("complete") == []
    assert [payload["status"] for payload in await host.heard("status")][-1] == "ended"


async def test_a_line_that_is_cut_at_the_end_leaves_it_an_end(host: HostPage) -> None:
    host.server.settles = False
    await host.open()
    await host.start(externalId="ada")
    await host.said(1)
    await say(host, "goodbye")
    await host.frame.wait_for_selector("#done")
    host.server.cut()
    await host.until("heard.some(([name]) => name === 'ended')")
    assert await host.frame.locator("#done").is_visible()
    assert [payload["status"] for payload in await host.heard("status")][-2:] == ["connected", "ended"]


async def test_start_over_begins_anew_from_the_menu(host: HostPage) -> None:
    await host.open()
    await host.start(externalId="ada")
    await host.said(1)
    await say(host, "The kitchen")
    await host.said(2)
    await host.frame.click("#more")
    await host.frame.click("#start-over")
    await host.frame.click("#confirm-yes")
    await host.until("heard.filter(([name]) => name === 'session').length === 2")
    await host.said(3)
    assert host.server.requests[-1]["resume"] is False
    assert len(host.server.conversations) == 2
    assert len(await shown(host)) == 1
    assert await host.frame.locator(".field .value").all_inner_texts() == ["", "", "", ""]


async def test_nothing_captured_earlier_stands_beside_a_talk_that_begins_anew(host: HostPage) -> None:
    """Neither while the new one is awaited, nor where its template asks for something else."""
    await host.open()
    await host.start(externalId="ada")
    await host.said(1)
    await say(host, "The kitchen")
    await host.frame.wait_for_selector(".value:text('The kitchen')")
    home = {**SETTINGS["goals"][0], "fields": SETTINGS["goals"][0]["fields"][1:]}
    host.server.settings = {**SETTINGS, "goals": [home]}
    host.server.delay = 60
    await host.frame.click("#more")
    await host.frame.click("#start-over")
    await host.frame.click("#confirm-yes")
    await expect(host.frame.locator("#goals > *")).to_have_count(0)
    host.server.delay = 0
    await host.run("Roxels.close()")
    await host.run("Roxels.start({ templateKey: 'rk_test_1', externalId: 'ada', resume: false }).ready")
    await expect(host.frame.locator("#goals dt")).to_have_text(["How many plants", "How much light"])


async def test_a_line_goes_that_the_newer_version_does_not_have(host: HostPage) -> None:
    await host.open()
    await host.start(externalId="ada")
    await host.said(1)
    home = {**SETTINGS["goals"][0], "fields": SETTINGS["goals"][0]["fields"][1:]}
    host.server.settings = {**SETTINGS, "goals": [home]}
    await host.frame.click("#more")
    await host.frame.click("#start-over")
    await host.frame.click("#confirm-yes")
    await expect(host.frame.locator("#goals dt")).to_have_text(["How many plants", "How much light"])


async def test_who_hangs_up_in_the_middle_of_a_start_is_not_let_in_afterwards(host: HostPage) -> None:
    host.server.halting = True
    await host.page.goto(f"{host.server.origin}/embed/frame")
    script = """async () => {
      const { Talk } = await import('/embed/static/v/talk.js');
      const told = [], fetched = window.fetch;
      const head = new Promise((come) => (window.fetch = async (...request) => {
        const answer = await fetched(...request);
        come();
        return answer;
      }));
      const host = { tell: (name) => told.push(name), ask: async () => undefined };
      const talk = new Talk({ host, key: 'rk_test_1', origin: location.origin, changed: () => {} });
      const begun = talk.start({ person: {} });
      await head;
      await talk.hangUp();
      await begun;
      return [told, talk.wire];
    }"""
    assert await host.page.evaluate(script) == [[], None]
    assert host.server.hellos == []


async def test_hang_up_ends_the_visit(host: HostPage) -> None:
    await host.open()
    await host.start(externalId="ada", display="none")
    await host.run("Roxels.call.hangUp()")
    await host.until("heard.some(([name]) => name === 'ended')")
    assert host.server.byes == 1
    assert [name for name, _ in (await host.run("heard")) if name in ("ending", "ended", "close")] == [
        "ending",
        "ended",
    ]
    assert await host.page.locator("[data-roxels]").count() == 0


async def test_what_anyone_says_is_text(host: HostPage) -> None:
    payload = '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>javascript:alert(1)'
    host.server.settings = {
        **SETTINGS,
        "name": payload,
        "notice": {"text": payload, "privacy_url": "javascript:alert(1)"},
    }
    await host.open()
    await host.start(externalId=payload)
    await host.said(1)
    await say(host, payload)
    await host.said(2)
    assert payload in await shown(host)
    assert not await host.frame.evaluate("window.pwned")
    assert await host.frame.locator("#log img, #log script, #notice img, h1 img, dd img").count() == 0
    assert await host.frame.locator("#privacy").get_attribute("href") is None


@pytest.mark.parametrize(
    ("language", "label", "direction"),
    [
        ("en", "Write a message…", "ltr"),
        ("es", "Escribe un mensaje…", "ltr"),
        ("fr", "Écrivez un message…", "ltr"),
        ("de", "Nachricht schreiben…", "ltr"),
        ("pt-BR", "Escreva uma mensagem…", "ltr"),
        ("he", "Write a message…", "rtl"),
    ],
)
async def test_language_of_the_template(host: HostPage, language: str, label: str, direction: str) -> None:
    host.server.language = language
    await host.open()
    await host.start(externalId="ada")
    await host.said(1)
    await shown(host)
    attributes: Any = await host.frame.evaluate(
        "[document.documentElement.lang, document.documentElement.dir, document.querySelector('#words').placeholder]"
    )
    assert attributes == [language, direction, label]


async def test_keyboard_alone(host: HostPage) -> None:
    await host.open()
    await host.page.focus("#before")
    await host.start(externalId="ada")
    await host.said(1)
    await host.page.keyboard.type("The kitchen")
    await host.page.keyboard.press("Shift+Enter")
    await host.page.keyboard.type("and the hall")
    await host.page.keyboard.press("Enter")
    await host.said(2)
    assert host.server.says[0]["text"] == "The kitchen\nand the hall"
    await host.page.keyboard.press("Escape")
    await host.until("heard.some(([name]) => name === 'close')")
    assert await host.run("document.activeElement.id") == "before"


async def test_esc_that_ends_a_composition_leaves_the_widget_open(host: HostPage) -> None:
    await host.open()
    await host.start(externalId="ada")
    await host.said(1)
    await host.frame.evaluate(
        """() => { const key = { key: 'Escape', isComposing: true, bubbles: true, cancelable: true };
        document.querySelector('#words').dispatchEvent(new KeyboardEvent('keydown', key)); }"""
    )
    await say(host, "The kitchen")
    await host.said(2)
    assert await host.heard("close") == []


async def test_too_often_is_told_calmly_and_the_message_goes_by_itself(host: HostPage) -> None:
    await host.open()
    await host.start()
    await host.said(1)
    host.server.too_often = 2
    await host.run("Roxels.sendMessage('The kitchen')")
    frame = host.page.frame_locator("iframe[data-roxels=frame]")
    await expect(frame.locator("#hint")).to_contain_text("goes on by itself in 1 s")
    await host.said(2)
    assert [fault["error"] for fault in await host.told("error")] == ["rate_limited"] * 2
    assert len({say["id"] for say in host.server.says}) == 1
    await expect(frame.locator("#log")).to_contain_text("The kitchen")
