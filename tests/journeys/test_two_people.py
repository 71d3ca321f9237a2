"""Two people, one browser: what one of them said is looked for in all that the pages of the other one hold or send."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, WebSocket, expect

from tests.journeys.visits import ARGS, Site, Visit, visit
from tests.processes import Demo

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

CANARY = "canary-seven-three-one"
NAME = "Adelheid"
#: Everything that a document, its shadow trees, inputs and storages hold.
EVERYTHING = """async () => {
  const deep = (root) => (root.innerHTML ?? '') + [...root.querySelectorAll('*')]
    .map((node) => (node.shadowRoot ? deep(node.shadowRoot) : '') + (node.value ?? '')).join();
  const databases = async () => (await indexedDB.databases()).map(({name}) => name).join();
  const kept = async () => {
    const answers = [];
    for (const name of await caches.keys())
      for (const request of await (await caches.open(name)).keys())
        answers.push(request.url, await (await caches.match(request)).text());
    return answers.join();
  };
  const places = [
    () => deep(document) + document.documentElement.outerHTML + document.title,
    () => document.cookie + location.href + JSON.stringify(history.state) + window.name,
    () => JSON.stringify(localStorage), () => JSON.stringify(sessionStorage), databases, kept,
    () => JSON.stringify([window.Roxels?.state, window.Roxels?.call?.state]),
  ];
  const found = [];
  for (const look of places) try { found.push(await look()); } catch { }
  return found.join();
}"""


class Traffic:
    """All that a page sends and is told, from now on."""

    def __init__(self, page: Page) -> None:
        self.all: list[str] = []
        page.on("request", lambda request: self.all.append(f"{request.url} {request.headers} {request.post_data}"))
        page.on("websocket", self._listen)

    def _listen(self, socket: WebSocket) -> None:
        socket.on("framesent", lambda frame: self.all.append(str(frame)))
        socket.on("framereceived", lambda frame: self.all.append(str(frame)))


async def traces(tab: Visit, traffic: Traffic) -> list[str]:
    """What there is of the earlier person."""
    places = [await frame.evaluate(EVERYTHING) for frame in tab.page.frames if frame.url != "about:blank"]
    places += [str(await tab.page.context.storage_state()), *traffic.all]
    return [f"{mark} in {place[:200]}" for mark in (CANARY, NAME) for place in places if mark in place]


async def she_talks(site: Site, tabs: BrowserContext, roxels: Demo, her: str, **options: object) -> Visit:
    tab = await visit(tabs, site.url)
    await tab.run(f"Roxels.init({{templateKey: '{roxels.config['embed_key']}', context: {{note: '{CANARY}'}}}})")
    await tab.run(f"Roxels.setPerson({{externalId: '{her}', name: '{NAME}'}})")
    await tab.start(**options)
    await tab.hears("make green first?")
    await tab.say(CANARY)
    await tab.hears("live there already?")
    return tab


async def begins_as_stranger(tab: Visit, traffic: Traffic, **options: object) -> None:
    await tab.run("heard.length = 0")
    await tab.start(**options)
    await tab.hears("make green first?")
    report = (await tab.heard("resumption"))[0]
    assert report["resumed"] is False
    assert await traces(tab, traffic) == []
    assert CANARY not in str(await tab.run("heard"))


@pytest.mark.parametrize(
    ("leave", "her"),
    [
        ("Roxels.setPerson({externalId: 'kiosk-bob', name: 'Bob'})", "kiosk-ada-1"),
        ("Roxels.setPerson(null)", "kiosk-ada-2"),
        ("Roxels.reset()", "kiosk-ada-3"),
        ("Roxels.init({shared: true}); Roxels.setPerson({externalId: 'kiosk-bob-4'})", "kiosk-ada-4"),
        ("Roxels.init({shared: true}); Roxels.setPerson(null)", "kiosk-ada-4b"),
        ("Roxels.init({externalId: 'kiosk-bob-4c'})", "kiosk-ada-4c"),
    ],
)
async def test_the_next_person_finds_nothing(
    roxels: Demo, site: Site, tabs: BrowserContext, leave: str, her: str
) -> None:
    tab = await she_talks(site, tabs, roxels, her)
    traffic = Traffic(tab.page)
    await tab.run(leave)
    await expect(tab.page.locator("[data-roxels]")).to_have_count(0)
    await begins_as_stranger(tab, traffic)


async def test_going_back_shows_nothing_of_her(roxels: Demo, site: Site, tabs: BrowserContext) -> None:
    tab = await she_talks(site, tabs, roxels, "kiosk-ada-5")
    await tab.run("Roxels.setPerson(null)")
    await tab.page.goto(f"{site.url}/elsewhere")
    traffic = Traffic(tab.page)
    await tab.page.go_back()
    assert await traces(tab, traffic) == []
    await tab.run(f"Roxels.init({{templateKey: '{roxels.config['embed_key']}'}})")
    await begins_as_stranger(tab, traffic, externalId="kiosk-bob-5")


@pytest_asyncio.fixture(loop_scope="session")
async def keeping(browser: Browser, chromium_path: str) -> AsyncIterator[Browser]:
    """A browser that keeps the pages one leaves as they are, as people's browsers do (and playwright's do not)."""
    off = ["--disable-back-forward-cache"]
    keeping = await browser.browser_type.launch(executable_path=chromium_path, args=ARGS, ignore_default_args=off)
    yield keeping
    await keeping.close()


@pytest.mark.parametrize("leave", ["Roxels.setPerson(null)", "Roxels.reset()", ""])
async def test_a_page_that_was_kept_whole_lets_her_go_too(
    roxels: Demo, site: Site, keeping: Browser, leave: str
) -> None:
    """She signs out on another page of the tab; going back brings the earlier one as it stood, her talk in it."""
    tabs = await keeping.new_context()
    tab = await she_talks(site, tabs, roxels, f"kiosk-ada-8-{len(leave)}")
    await tab.run("addEventListener('pageshow', ({persisted}) => (window.persisted = persisted)); heard.length = 0")
    await tab.page.goto(f"{site.url}/signed-out")
    await tab.run(leave)
    await tab.page.go_back(wait_until="commit")
    await tab.page.wait_for_function("window.persisted === true")
    stays = not leave
    if stays:
        await tab.until("Roxels.state.connection === 'connected'")
    assert await tab.run("[document.querySelectorAll('[data-roxels]').length, Roxels.call !== null]") == [stays, stays]
    held = await tab.run(f"({EVERYTHING})()")
    assert (NAME in held, CANARY in held) == (False, False)
    assert [name for name, _ in await tab.run("heard") if name in ("ended", "error")] == ([] if stays else ["ended"])
    await tabs.close()


async def test_a_restored_tab_shows_nothing_of_who_never_said_who_she_was(
    roxels: Demo, site: Site, tabs: BrowserContext
) -> None:
    """A tab comes back, or is doubled, with its session storage; there somebody signs in."""
    tab = await visit(tabs, site.url)
    await tab.run(f"Roxels.init({{templateKey: '{roxels.config['embed_key']}', context: {{note: '{CANARY}'}}}})")
    await tab.start()
    await tab.hears("make green first?")
    await tab.say(CANARY)
    await tab.hears("live there already?")
    async with tabs.expect_page() as opening:
        await tab.run("void window.open('/', '_blank')")
    restored = Visit(await opening.value)
    await restored.page.wait_for_function("window.heard")
    assert await restored.run("sessionStorage['roxels.tab']")
    await tab.page.close()
    traffic = Traffic(restored.page)
    await restored.run(f"Roxels.init({{templateKey: '{roxels.config['embed_key']}', externalId: 'kiosk-bob-9'}})")
    await begins_as_stranger(restored, traffic)


async def test_she_is_resumed_when_she_is_back(roxels: Demo, site: Site, tabs: BrowserContext) -> None:
    tab = await she_talks(site, tabs, roxels, "kiosk-ada-6")
    words = await tab.words()
    await tab.run("Roxels.setPerson({externalId: 'kiosk-bob-6'})")
    await tab.run("Roxels.setPerson({externalId: 'kiosk-ada-6'}); heard.length = 0")
    await tab.start()
    assert (await tab.heard("resumption"))[0]["reason"] == "resumed"
    await tab.shows(words)


async def test_two_people_in_two_tabs_stay_apart(roxels: Demo, site: Site, tabs: BrowserContext) -> None:
    await she_talks(site, tabs, roxels, "kiosk-ada-7")
    other = await visit(tabs, site.url)
    traffic = Traffic(other.page)
    await begins_as_stranger(other, traffic, templateKey=roxels.config["embed_key"], externalId="kiosk-bob-7")
