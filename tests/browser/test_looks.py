"""The app is readable for everyone: names, roles, contrast, small screens, calm growth, the template's colours."""

from typing import Any, Literal

import pytest

from tests.browser.host import RECORD, HostPage

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

LOGO = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'/%3E"
#: What assistive technology could not make sense of.
NAMELESS = """() => {
  const visible = (node) => node.checkVisibility({ visibilityProperty: true });
  const named = (node) => (node.ariaLabel || node.textContent || node.labels?.[0]?.textContent || '').trim();
  const roots = [document, ...[...document.querySelectorAll('*')].flatMap((node) => node.shadowRoot ?? [])];
  const all = (selector) => roots.flatMap((root) => [...root.querySelectorAll(selector)]).filter(visible);
  return [
    ...all('button, input, select, textarea, summary, a, [role=log]').filter((node) => !named(node)),
    ...all('li').filter((node) => !['OL', 'UL'].includes(node.parentElement.tagName) || node.parentElement.role),
    ...all('dl > div > :not(dt, dd)'), ...all('img:not([alt])'), ...all('iframe:not([title])'),
    ...all('[tabindex]').filter((node) => node.tabIndex > 0),
  ].map((node) => node.outerHTML.slice(0, 120)).concat(
    document.documentElement.lang ? [] : ['no language'], all('h1').length === 1 ? [] : ['not one h1'],
    all('main, [role=main]').length <= 1 ? [] : ['two mains']);
}"""
#: Texts whose contrast with what is painted below them is less than 4.5.
FAINT = """() => {
  const canvas = Object.assign(document.createElement('canvas'), { width: 1, height: 1 });
  const context = canvas.getContext('2d', { willReadFrequently: true });
  const rgba = (color) => {
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = color;
    context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => [r, g, b].map((c) => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
  const below = (node) => {
    for (; node; node = node.parentElement) {
      const color = rgba(getComputedStyle(node).backgroundColor);
      if (color[3] > 250) return color;
    }
    return [255, 255, 255];
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const faint = [];
  while (texts.nextNode()) {
    const node = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !node.checkVisibility() || node.closest('.unseen, :disabled')) continue;
    const [one, two] = [light(rgba(getComputedStyle(node).color)), light(below(node))].sort((a, b) => b - a);
    const ratio = (one + 0.05) / (two + 0.05);
    if (ratio < 4.5) faint.push([node.outerHTML.slice(0, 80), ratio.toFixed(2)]);
  }
  return faint;
}"""
SHIFTS = """() => new Promise((done) => {
  const shown = performance.getEntriesByName('roxels:hello')[0]?.startTime ?? 0;
  const counts = ({ hadRecentInput, startTime }) => !hadRecentInput && startTime > shown;
  new PerformanceObserver((list) => done(list.getEntries().filter(counts)
    .reduce((sum, { value }) => sum + value, 0)))
    .observe({ type: 'layout-shift', buffered: true });
  setTimeout(() => done(0), 300);
})"""


async def a_talk(host: HostPage, display: str = "modal") -> None:
    await host.open()
    await host.start(externalId="ada", display=display)
    await host.frame.wait_for_selector("#log .agent:not(.growing)")
    await host.frame.fill("#words", "The kitchen")
    await host.frame.press("#words", "Enter")
    await host.frame.wait_for_selector("#log li:nth-child(3):not(.growing)")


@pytest.mark.parametrize(
    "context_options",
    [
        {"viewport": {"width": 1100, "height": 760}, "color_scheme": scheme, "reduced_motion": "reduce"}
        for scheme in ("light", "dark")
    ],
)
@pytest.mark.parametrize("display", ["modal", "compact"])
async def test_everything_has_a_name_and_can_be_read(host: HostPage, display: str) -> None:
    await a_talk(host, display)
    assert await host.frame.evaluate(NAMELESS) == []
    assert await host.run(NAMELESS) == []
    assert await host.frame.evaluate(FAINT) == []
    assert await host.frame.evaluate("document.getAnimations().length") == 0, "motion was not wanted"
    if display == "modal":
        await host.frame.hover(".field")
        await host.frame.click(".edit >> nth=0")
        assert await host.frame.evaluate(NAMELESS) == []
        assert await host.frame.evaluate(FAINT) == []


@pytest.mark.parametrize("context_options", [{"viewport": {"width": 320, "height": 568}}])
@pytest.mark.parametrize("language", ["en", "ar"])
async def test_a_small_phone_has_room_for_all_of_it(host: HostPage, language: str) -> None:
    host.server.language = language
    await a_talk(host)
    await host.frame.fill("#words", "Averylongwordwithoutanyplacetobreakitinto" * 4)
    await host.frame.press("#words", "Enter")
    await host.frame.wait_for_selector("#log li:nth-child(5)")
    await host.frame.click("summary")
    wide = "[document.documentElement, ...document.querySelectorAll('#scroll, #log li, #panel, header')]"
    assert await host.frame.evaluate(f"{wide}.filter((each) => each.scrollWidth > each.clientWidth + 1).length") == 0
    small = "[...document.querySelectorAll('button')].filter((each) => each.checkVisibility())"
    sizes: list[list[float]] = await host.frame.evaluate(
        f"{small}.map((each) => [each.offsetWidth, each.offsetHeight])"
    )
    assert all(width >= 24 and height >= 24 for width, height in sizes)


@pytest.mark.parametrize(
    "context_options", [{"viewport": {"width": width, "height": 700}} for width in (1100, 320)], ids=["wide", "phone"]
)
@pytest.mark.parametrize("display", ["modal", "compact"])
async def test_nothing_jumps_while_words_come(host: HostPage, display: str) -> None:
    host.server.delay = 0.4
    host.server.greeting = "You are **Ada**, is that so?\n\n- *the hall*\n- [the kitchen](https://example.com)"
    await a_talk(host, display)
    assert await host.frame.evaluate(SHIFTS) <= 0.1
    assert await host.run(SHIFTS) <= 0.1


#: Every animation and transition that runs, in the document and in its shadow trees.
MOVING = """() => [document, ...[...document.querySelectorAll('*')].flatMap((node) => node.shadowRoot ?? [])]
  .reduce((count, root) => count + root.getAnimations().length, 0)"""


@pytest.mark.parametrize(
    ("context_options", "moves"),
    [({"reduced_motion": "reduce"}, False), ({"reduced_motion": "no-preference"}, True)],
    ids=["reduced", "as usual"],
)
async def test_nothing_moves_where_that_is_not_wanted(host: HostPage, moves: bool) -> None:
    server = host.server
    server.delay, server.pace, server.piece = 3.0, 0.05, 1
    await host.open()
    slowly = await host.page.context.new_cdp_session(host.page)
    await slowly.send("Animation.enable")
    await slowly.send("Animation.setPlaybackRate", {"playbackRate": 0.01})  # else it has opened before anybody looks
    await host.run("void Roxels.start({ templateKey: 'rk_test_1', externalId: 'ada' })")
    await host.page.wait_for_selector("[data-roxels=modal]")
    assert bool(await host.run(MOVING)) == moves, "while it opens"
    await slowly.send("Animation.setPlaybackRate", {"playbackRate": 1})
    await host.page.wait_for_selector("[data-roxels=modal][data-state=open]")
    await host.frame.wait_for_selector("body[data-state=connecting]")
    assert bool(await host.frame.evaluate(MOVING)) == moves, "while it connects"
    await host.frame.wait_for_selector(".growing p")
    assert bool(await host.frame.evaluate(MOVING)) == moves, "while words come"


async def test_right_to_left_turns_all_of_it_around(host: HostPage) -> None:
    host.server.language = "ar"
    host.server.greeting = "مرحبا:\n\n- المطبخ\n- القاعة"
    await a_talk(host)
    left = "(selector) => document.querySelector(selector).getBoundingClientRect().left"
    places = {each: await host.frame.evaluate(left, each) for each in ("#panel", "#talk", "#send", "#words", "#more")}
    assert places["#panel"] < places["#talk"]
    assert places["#send"] < places["#words"]
    assert places["#more"] < 100
    own, answer = await host.frame.locator("#log .user").bounding_box(), await host.frame.locator("#log").bounding_box()
    assert own
    assert answer
    assert own["x"] == answer["x"], "what is one's own stands at the end of the line"
    item = host.frame.locator(".prose ul")
    assert await item.evaluate("(list) => getComputedStyle(list).paddingRight") == "24px"
    close = await host.page.locator("[data-roxels=close]").bounding_box()
    box = await host.page.locator("[data-roxels=modal]").bounding_box()
    assert close
    assert box
    assert close["x"] - box["x"] < 20


async def test_all_of_it_by_keyboard(host: HostPage) -> None:
    """From the launcher into the talk, through its menu and a correction, out again to the launcher."""
    host.server.launcher = {"enabled": True, "label": "Ask us"}
    keys, focused = host.page.keyboard, "document.activeElement?.id || document.activeElement?.className"
    await host.open()
    await host.run(f"{RECORD}; Roxels.init({{ templateKey: 'rk_test_1', externalId: 'ada' }})")
    await host.page.wait_for_selector("[data-roxels=fab]")
    await host.page.focus("#before")
    await keys.press("Tab")
    await keys.press("Enter")
    await host.page.wait_for_selector("[data-roxels=modal][data-state=open]")
    await host.frame.wait_for_function("() => document.activeElement?.id === 'words'")
    await keys.type("The kitchen")
    await keys.press("Enter")
    await host.said(2)
    await host.frame.wait_for_selector(".value:text('The kitchen')")

    for _ in range(12):  # the first value's button comes before the talk
        if await host.frame.evaluate(focused) == "quiet edit":
            break
        await keys.press("Shift+Tab")
    while await host.frame.evaluate("document.activeElement.getAttribute('aria-label')") != "Change: Which room":
        await keys.press("Shift+Tab")
    await keys.press("Enter")
    await keys.press("ControlOrMeta+a")
    await keys.type("The hall")
    await keys.press("Enter")
    await host.frame.wait_for_selector(".value:text('The hall')")
    assert await host.frame.evaluate(focused) == "quiet edit"

    await keys.press("Shift+Tab")
    assert await host.frame.evaluate(focused) == "more"
    await keys.press("Enter")
    await host.frame.wait_for_selector("#menu:popover-open")
    await keys.press("Escape")
    await host.frame.wait_for_selector("#menu:popover-open", state="detached")
    assert await host.frame.evaluate(focused) == "more"
    await keys.press("Escape")
    await host.page.wait_for_selector("[data-roxels=modal]", state="detached")
    await host.page.wait_for_selector("[data-roxels=fab]")
    await host.page.wait_for_function("document.activeElement?.shadowRoot?.activeElement?.dataset.roxels === 'fab'")


@pytest.mark.parametrize(
    ("brand", "color", "logos"),
    [
        ({"color": "#7a3fb0", "logo": LOGO}, "#7a3fb0", 1),
        ({"color": "red;background:url(x)", "logo": "javascript:alert(1)"}, "#2f5d50", 0),
        ({"color": None, "logo": None}, "#2f5d50", 0),
        ({"color": "#ffe08a"}, "#ffe08a", 0),
    ],
)
async def test_the_templates_colour_and_logo(host: HostPage, brand: dict[str, Any], color: str, logos: int) -> None:
    host.server.settings["brand"] = brand
    await a_talk(host)
    assert await host.frame.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--brand')") == color
    assert await host.frame.locator("header .mark img").count() == logos


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_any_brand_colour_can_be_read(host: HostPage, scheme: Literal["light", "dark"]) -> None:
    """A button in the colour, and words in it on the paper and on its tint."""
    host.server.settings["brand"] = {"color": "#ffe08a"}
    await host.page.emulate_media(color_scheme=scheme)
    await a_talk(host)
    await host.frame.evaluate(
        """() => { const make = (color, background) => {
          const probe = Object.assign(document.createElement('p'), { textContent: 'Probe', className: 'probe' });
          Object.assign(probe.style, { color: `var(--${color})`, background: `var(--${background})` });
          document.querySelector('#log').append(probe);
        };
        make('on-accent', 'accent'); make('accent', 'paper'); }"""
    )
    faint = []
    for color in ("#ffe08a", "#ffffff", "#ffff00", "#00ff00", "#00ffff", "#ff00ff", "#ff8800", "#888888", "#000000"):
        await host.frame.evaluate(f"document.documentElement.style.setProperty('--brand', '{color}')")
        faint += [(color, each) for each in await host.frame.evaluate(FAINT)]
    assert faint == []
