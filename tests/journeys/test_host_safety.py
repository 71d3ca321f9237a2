"""A guest never breaks the house: what the page had before it has afterwards, and nothing anyone says is ever run."""

import asyncio
import json
from typing import Any

import aiohttp
import pytest
from playwright.async_api import BrowserContext, Page, expect

from tests.journeys.visits import Site, Visit, visit
from tests.processes import Demo

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

#: Put before everything else: counts the embed's listeners and all timers, and notes what the prototypes have.
LEDGER = """(() => {
  if (window !== top) return;
  const ledger = { listeners: new Map(), timers: new Set() };
  const ids = new WeakMap(); let count = 0;
  const idOf = (thing) => { if (!ids.has(thing)) ids.set(thing, ++count); return ids.get(thing); };
  const { addEventListener: add, removeEventListener: remove } = EventTarget.prototype;
  const kept = (target) => target === window || target === document || target === document.body;
  EventTarget.prototype.addEventListener = function (type, callback, options) {
    const target = this ?? window;
    if (callback && kept(target) && new Error().stack.includes('/embed')) {
      const name = `${type} ${idOf(callback)}`;
      ledger.listeners.set(name, type);
      options?.signal?.addEventListener('abort', () => ledger.listeners.delete(name));
    }
    return add.call(target, type, callback, options);
  };
  EventTarget.prototype.removeEventListener = function (type, callback, options) {
    if (callback) ledger.listeners.delete(`${type} ${idOf(callback)}`);
    return remove.call(this ?? window, type, callback, options);
  };
  const { setTimeout: later, clearTimeout: never, setInterval: often, clearInterval: stop } = window;
  window.setTimeout = (act, ...rest) => {
    const id = later(() => { ledger.timers.delete(id); act(); }, ...rest);
    ledger.timers.add(id);
    return id;
  };
  window.clearTimeout = (id) => { ledger.timers.delete(id); never(id); };
  window.setInterval = (...all) => { const id = often(...all); ledger.timers.add(id); return id; };
  window.clearInterval = (id) => { ledger.timers.delete(id); stop(id); };
  window.stock = () => ({
    listeners: [...ledger.listeners.values()].sort(), timers: ledger.timers.size,
    html: document.documentElement.outerHTML, sheets: document.adoptedStyleSheets.length,
    handlers: [window.onmessage, window.onerror, document.onclick].map(String),
    prototypes: [Object, Array, Function, String, Promise, Element, HTMLElement, EventTarget, Window, Document]
      .map(({ prototype }) => Reflect.ownKeys(prototype).map(String).join()).join('|'),
    natives: [fetch, Array.prototype.map, Object.assign, Element.prototype.attachShadow, JSON.stringify].map(String),
    globals: Reflect.ownKeys(window).map(String).filter((name) => !/^\\d+$/.test(name)).sort(),
  });
})()"""
#: What runs if any of it is read as anything but text.
XSS = [
    "<img src=x onerror=\"top.postMessage('xss','*');window.xss=1\">",
    "<script>window.xss=1</script>",
    '"><svg onload=window.xss=1>',
    "javascript:window.xss=1",
    "{{constructor.constructor('window.xss=1')()}}",
    '<iframe srcdoc="<script>parent.xss=1</script>"></iframe>',
    "</title></textarea></style><b onmouseover=window.xss=1>",
    "[click](javascript:window.xss=1) ![x](x onerror=window.xss=1) [**x**](data:text/html,<script>xss=1</script>)",
    '[x](https://e/"onmouseover="window.xss=1) **<img src=x onerror=window.xss=1>** `<script>window.xss=1</script>`',
    '<a href="javascript:window.xss=1">x</a><details open ontoggle=window.xss=1>',
]
ALL = " ".join(XSS)
#: What can only be there if somebody's words were read as more than text.
STRANGE = (
    "#log :not(li, div, span, p, ul, ol, strong, em, code, a), [onerror], [onload], [ontoggle], iframe[srcdoc],"
    " #log a:not([href^=http], [href^=mailto])"
)


async def nothing_ran(page: Page) -> None:
    for frame in page.frames:
        assert not await frame.evaluate("window.xss"), frame.url
        strange = f"document.querySelectorAll('{STRANGE}')"
        assert await frame.evaluate(f"[...{strange}].map((each) => each.outerHTML)") == []


@pytest.mark.parametrize(
    ("display", "first"),
    [
        ("modal", ""),
        ("compact", ""),
        ("none", ""),
        ("compact", "Roxels.reset()"),
        ("modal", "Roxels.close(); Roxels.reset()"),
        ("modal", "Roxels.setPerson({externalId: 'another'}); Roxels.start().ready"),
    ],
)
async def test_destroy_leaves_the_page_as_it_was_found(
    roxels: Demo, site: Site, tabs: BrowserContext, display: str, first: str
) -> None:
    await tabs.add_init_script(LEDGER)
    tab = await visit(tabs, site.url)
    noise: list[str] = []
    tab.page.on("console", lambda message: noise.append(message.text))
    await tab.run("void fetch('/')")
    before = await tab.run("stock()")
    await tab.run(f"Roxels.init({{templateKey: '{roxels.config['embed_key']}', externalId: 'guest-{display}'}})")
    await tab.run("Roxels.showFab()")
    await tab.page.wait_for_selector("[data-roxels=fab]")
    await tab.run(f"Roxels.start({{display: '{display}'}}).ready")
    await tab.run(first or "null")
    await tab.run("Roxels.setView('shop'); Roxels.destroy()")
    after = await tab.run("stock()")
    assert {name: value for name, value in after.items() if before[name] != value} == {}
    assert noise == []


async def test_mounted_twice_as_react_does_in_strict_mode(roxels: Demo, site: Site, tabs: BrowserContext) -> None:
    """Effect, clean-up, effect at once; then a route change and another mount."""
    tab = await visit(tabs, site.url)
    mount = f"""() => {{
      Roxels.init({{templateKey: '{roxels.config["embed_key"]}', externalId: 'react'}});
      const call = Roxels.start({{display: 'modal'}});
      const off = Roxels.on('connected', () => window.connected = (window.connected ?? 0) + 1);
      window.unmount = () => {{ off(); Roxels.destroy(); }};
      return call.ready.then(() => true, () => false);
    }}"""
    await tab.run(f"() => {{ void ({mount})(); unmount(); void ({mount})(); }}")
    await tab.opened()
    await tab.hears("make green first?")
    assert await tab.page.locator("[data-roxels=modal]").count() == 1
    assert await tab.page.locator("iframe").count() == 1
    assert await tab.run("window.connected") == 1
    await tab.run("unmount(); history.pushState(null, '', '/another')")
    assert await tab.page.locator("[data-roxels], iframe").count() == 0
    assert await tab.run(mount) is True
    await tab.opened()
    await tab.hears("make green first?")


async def hostile_template(roxels: Demo) -> dict[str, Any]:
    """A template whose every text tries to be code."""
    headers = {"Authorization": f"Bearer {roxels.config['secret_key']}"}
    fields = {"room": {"type": "string", "description": ALL}, "kind": {"type": "string", "enum": [XSS[0], XSS[2]]}}
    brand = {"color": "red;background:url(x)", "logo": "javascript:window.xss=1"}
    look = {"enabled": True, "label": ALL, "icon": XSS[0]}
    embedded = {"notice": {"text": ALL, "privacy_url": "javascript:window.xss=1"}, "brand": brand, "launcher": look}
    raw = {
        "name": ALL,
        "goals": [{"id": "g1", "label": ALL, "prompt": ALL, "schema": {"type": "object", "properties": fields}}],
        "settings": {"greeting": ALL, "embedded": embedded},
    }
    async with aiohttp.ClientSession(headers=headers) as http:
        template = await (await http.post(f"{roxels.config['url']}/v1/templates", json=raw)).json()
        key = await (
            await http.post(f"{roxels.config['url']}/v1/embed/keys/{template['id']}", json={"allowed_domains": []})
        ).json()
        body = {"template_id": template["id"], "persons": [{"external_id": "<b>x", "name": ALL[:200]}]}
        visit = await (await http.post(f"{roxels.config['url']}/v1/interviews", json=body)).json()
    return {"key": key["key"], "join_url": visit["join_url"]}


async def test_nothing_that_is_said_or_set_is_run_in_the_widget(roxels: Demo, site: Site, tabs: BrowserContext) -> None:
    hostile = await hostile_template(roxels)
    tab = await visit(tabs, site.url)
    options = {"templateKey": hostile["key"], "externalId": ALL[:200], "personName": ALL[:200]}
    await tab.run(f"Roxels.init({json.dumps(options)})")
    await tab.page.wait_for_selector("[data-roxels=fab]")
    await tab.run(f"Roxels.showFab({json.dumps({'color': XSS[0], 'position': XSS[2]})})")
    await tab.page.click("[data-roxels=fab]")
    await tab.opened()
    await nothing_ran(tab.page)
    await tab.frame.wait_for_selector("#log li:not(.growing)")
    await tab.say(ALL)
    await expect(tab.frame.locator("#panel")).to_contain_text(XSS[1])
    await tab.say(XSS[0])
    await tab.frame.wait_for_selector("#log li:nth-child(4)")
    await nothing_ran(tab.page)
    assert await tab.frame.locator("#privacy").is_hidden()
    assert await tab.frame.locator(".mark img").count() == 0


async def test_nothing_is_run_in_the_join_page(roxels: Demo, tabs: BrowserContext) -> None:
    hostile = await hostile_template(roxels)
    tab = Visit(await tabs.new_page())
    await tab.page.goto(hostile["join_url"])
    await tab.page.click("#enter")
    await expect(tab.page.locator("#log")).to_contain_text(XSS[1], timeout=20_000)
    await nothing_ran(tab.page)


async def test_nothing_is_run_in_the_demo_page(roxels: Demo, tabs: BrowserContext) -> None:
    tab = await visit(tabs, roxels.config["demo_url"])
    await tab.page.click("#start-inline")
    await tab.page.wait_for_selector("#inline-log >> text=make green first?")
    await tab.page.fill("#inline-words", ALL)
    await tab.page.press("#inline-words", "Enter")
    await tab.page.wait_for_selector("#inline-log >> text=already?")
    await expect(tab.page.locator("#plan-fields input").first).to_have_value(ALL)
    assert not await tab.run("window.xss")
    assert await tab.page.locator("#inline-log :not(li), #events img, #events script").count() == 0


async def key_of(roxels: Demo, *domains: str) -> str:
    """A key of the demo's template for these sites."""
    headers = {"Authorization": f"Bearer {roxels.config['secret_key']}"}
    path = f"/v1/embed/keys/{roxels.config['template_id']}"
    async with aiohttp.ClientSession(roxels.config["url"], headers=headers) as http:
        made = await (await http.post(path, json={"allowed_domains": list(domains)})).json()
    return str(made["key"])


async def test_a_key_opens_on_its_own_sites(roxels: Demo, site: Site, tabs: BrowserContext) -> None:
    tab = await visit(tabs, site.url)
    await tab.start(templateKey=await key_of(roxels, site.url.removeprefix("http://")), externalId="at-home")
    assert await tab.heard("error") == []


async def test_a_key_of_another_site_shows_nothing_and_starts_nothing(
    roxels: Demo, site: Site, tabs: BrowserContext
) -> None:
    key = await key_of(roxels, "shop.example.com")
    page = await tabs.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.clock.install()
    await page.goto(site.url)
    tab = Visit(page)
    await tab.run(f"void Roxels.start({{templateKey: '{key}', externalId: 'elsewhere'}})")
    await page.wait_for_selector("[data-roxels=modal][data-state=loading]")
    async with asyncio.timeout(10):
        while not any(frame.url.startswith("chrome-error:") for frame in page.frames):
            await asyncio.sleep(0.05)
    await page.clock.fast_forward(16_000)
    await page.wait_for_selector("text=could not be loaded")
    assert [fault["error"] for fault in await tab.heard("error")] == ["frame_unreachable"]
    script = """async ([url, key]) => fetch(url + '/v1/embed/sessions', { method: 'POST', body: '{"external_id": "x"}',
      headers: { Authorization: 'Bearer ' + key, 'Content-Type': 'application/json' },
    }).then((answer) => answer.status, () => 'refused')"""
    assert not any("/v1/embed/sessions" in url for url in asked)
    assert await page.evaluate(script, [roxels.config["url"], key]) in (403, "refused")


async def test_the_hosts_own_credentialed_request_gains_nothing(roxels: Demo, site: Site, tabs: BrowserContext) -> None:
    tab = await visit(tabs, site.url)
    await tab.start(templateKey=roxels.config["embed_key"], externalId="credentialed")
    script = """async ([url, key]) => { try {
      const answer = await fetch(url + '/v1/embed/sessions', { method: 'POST', credentials: 'include',
        headers: { Authorization: 'Bearer ' + key, 'Content-Type': 'application/json' },
        body: '{"external_id": "x"}' });
      return await answer.text();
    } catch { return 'refused'; } }"""
    got = await tab.page.evaluate(script, [roxels.config["url"], roxels.config["embed_key"]])
    assert got == "refused"
