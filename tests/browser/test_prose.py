"""The agent's words have form, and nothing that is shown of them ever changes, in whichever pieces they come."""

from typing import Any

import pytest

from tests.browser.host import HostPage
from tests.browser.test_talk import WATCH

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

SHOW = """async (sources) => {
  const { Prose } = await import('/embed/static/v/prose.js');
  return sources.map((source) => {
    const place = document.createElement('div');
    new Prose(place).grow(source, true);
    return place.innerHTML.replaceAll(' dir="auto"', '').replaceAll(' target="_blank" rel="noopener noreferrer"', '');
  });
}"""
FORMS = {
    # paragraphs and lines
    "One.\nTwo.\n\nThree.": "<p>One.\nTwo.</p><p>Three.</p>",
    "\n\n One.\n \n\nTwo.\n": "<p> One.</p><p>Two.</p>",
    # strong, stressed, code
    "a **b c** d": "<p>a <strong>b c</strong> d</p>",
    "a *b* _c_ __d__ `e`.": "<p>a <em>b</em> <em>c</em> <strong>d</strong> <code>e</code>.</p>",
    "***a*** **b *c* d**": "<p><strong><em>a</em></strong> <strong>b <em>c</em> d</strong></p>",
    "これは**重要**です": "<p>これは<strong>重要</strong>です</p>",
    "`a **b** <i>`": "<p><code>a **b** &lt;i&gt;</code></p>",
    # what only looks so
    "5*3 and 4*2, snake_case_name, a * b * c, 2 ** 3": "<p>5*3 and 4*2, snake_case_name, a * b * c, 2 ** 3</p>",
    "**never closed\nand *on": "<p>**never closed\nand *on</p>",
    "****": "<p>****</p>",
    "a ` b": "<p>a ` b</p>",
    f"**{'a' * 400}**": f"<p>**{'a' * 400}**</p>",
    # links
    "[Us](https://a.example/x?y=1&z), [mail](mailto:a@b.example)!": (
        '<p><a href="https://a.example/x?y=1&amp;z">Us</a>, <a href="mailto:a@b.example">mail</a>!</p>'
    ),
    "**[Us](http://a.example)**": '<p><strong><a href="http://a.example">Us</a></strong></p>',
    "[x](javascript:alert(1)) [y](data:text/html,z) [z](//a.example) [w] (v) [u](https://)": (
        "<p>[x](javascript:alert(1)) [y](data:text/html,z) [z](//a.example) [w] (v) [u](https://)</p>"
    ),
    '[x](https://a.example/"onclick="y)': '<p>[x](https://a.example/"onclick="y)</p>',
    # lists
    "You said:\n- one\n- **two**\n  and more\nRight?": (
        "<p>You said:</p><ul><li>one</li><li><strong>two</strong>\nand more</li></ul><p>Right?</p>"
    ),
    "1. one\n\n2. two\n* a\n* b": "<ol><li>one</li><li>two</li></ol><ul><li>a</li><li>b</li></ul>",
    "25. Right?\n-5 degrees\n*a* b": "<p>25. Right?\n-5 degrees\n<em>a</em> b</p>",
    "12": "<p>12</p>",
    "<b>x</b><img src=x onerror=alert(1)>": "<p>&lt;b&gt;x&lt;/b&gt;&lt;img src=x onerror=alert(1)&gt;</p>",
}
#: Grows each text character by character, and in larger pieces; notes what did not only grow, or ended otherwise.
GROW = """async (sources) => {
  const { Prose } = await import('/embed/static/v/prose.js');
  const faults = [];
  const shown = (source) => {
    const place = document.createElement('div');
    new Prose(place).grow(source, true);
    return place;
  };
  for (const source of sources) for (const size of [1, 3]) {
    const place = document.createElement('div');
    const watcher = new MutationObserver(() => {});
    watcher.observe(place, { subtree: true, childList: true, characterData: true, characterDataOldValue: true });
    const prose = new Prose(place);
    watcher.takeRecords();
    const whole = shown(source);
    for (let end = size; end < source.length; end += size) {
      prose.grow(source.slice(0, end), false);
      if (!whole.textContent.startsWith(place.textContent)) faults.push(['not a beginning', source.slice(0, end)]);
    }
    prose.grow(source, true);
    for (const { type, target, oldValue, removedNodes, nextSibling } of watcher.takeRecords()) {
      if (type === 'characterData' && !target.data.startsWith(oldValue)) faults.push(['replaced', source, oldValue]);
      if (removedNodes.length || nextSibling) faults.push(['removed or put before', source]);
    }
    if (place.innerHTML !== whole.innerHTML) faults.push(['otherwise', source, place.innerHTML]);
  }
  return faults;
}"""
BITS = [
    "*",
    "**",
    "_",
    "`",
    "[",
    "](",
    "https://a.example",
    ")",
    "a",
    "b c",
    " ",
    "\n",
    "\n\n",
    "- ",
    "1. ",
    "2. ",
    "é",
]


def any_texts(count: int) -> list[str]:
    """Texts of marks and words in any order; the same ones every time."""
    number, texts = 1, []
    for _ in range(count):
        bits = []
        for _ in range(10):
            number = (number * 1103515245 + 12345) % 2**31
            bits.append(BITS[(number >> 8) % len(BITS)])
        texts.append("".join(bits))
    return texts


async def in_the_frame(host: HostPage, script: str, argument: Any) -> Any:
    await host.page.goto(f"{host.server.origin}/embed/frame")
    return await host.page.evaluate(script, argument)


async def test_what_each_mark_means(host: HostPage) -> None:
    shown: list[str] = await in_the_frame(host, SHOW, list(FORMS))
    assert dict(zip(FORMS, shown, strict=True)) == FORMS


async def test_nothing_shown_changes_whatever_comes(host: HostPage) -> None:
    texts = [*FORMS, *any_texts(3000)]
    assert await in_the_frame(host, GROW, texts) == []


async def test_no_word_is_lost(host: HostPage) -> None:
    """Only marks and blanks between blocks are not shown."""
    script = SHOW.replace("place.innerHTML", "place.textContent")
    texts = [text for text in any_texts(2000) if "](" not in text]
    shown: list[str] = await in_the_frame(host, script, texts)
    for text, seen in zip(texts, shown, strict=True):
        letters = [each for each in text if each.isalpha()]
        assert [each for each in seen if each.isalpha()] == letters, text


async def test_an_answer_with_form_grows_over_cut_connections(host: HostPage) -> None:
    server = host.server
    server.greeting = (
        "You are **Ada**.\n\nIs it:\n- *the hall*, or\n- [the kitchen](https://example.com)?\n\nSay `both`."
    )
    server.pace, server.piece = 0.008, 1
    # within what is stressed in an item of the list, and within a link; each one more is waited for longer
    server.cuts = {server.greeting.index(text) for text in ("all*", "example")}
    await host.open()
    await host.start(externalId="ada")
    await host.frame.evaluate(WATCH)
    await host.frame.wait_for_selector(".agent:not(.growing) code")
    assert len(server.hellos) == 3
    assert await host.frame.evaluate("faults") == []
    said = host.frame.locator("#log > li:first-child .prose")
    assert await said.locator("> *").evaluate_all("(all) => all.map((each) => each.tagName)") == ["P", "P", "UL", "P"]
    link = said.get_by_role("link", name="the kitchen")
    assert await link.evaluate("(a) => [a.href, a.target, a.rel]") == [
        "https://example.com/",
        "_blank",
        "noopener noreferrer",
    ]
    assert (await host.heard("chat"))[-1]["text"] == server.greeting


async def test_what_the_participant_writes_stays_as_it_was_written(host: HostPage) -> None:
    await host.open()
    await host.start(externalId="ada")
    await host.said(1)
    words = "- **not** bold\n- [x](https://example.com)"
    await host.frame.fill("#words", words)
    await host.frame.press("#words", "Enter")
    await host.said(2)
    own = host.frame.locator("#log .user .prose")
    assert await own.evaluate("(said) => said.innerHTML") == f'<p dir="auto">{words}</p>'


async def test_an_answer_that_ends_early_shows_what_was_held_back(host: HostPage) -> None:
    server = host.server
    server.greeting = "It is **not closed and goes on for a good while after that"
    server.pace, server.piece = 0.03, 1
    await host.open()
    await host.start(externalId="ada")
    await host.frame.wait_for_selector(".growing p:text('It is')")
    await host.until("heard.some(([name, p]) => name === 'chat' && p.text.includes('closed'))")
    assert "closed" not in await host.frame.inner_text("#log .prose")
    await host.frame.fill("#words", "Wait")
    await host.frame.press("#words", "Enter")
    await host.frame.wait_for_selector(".interrupted")
    assert "It is **not closed" in await host.frame.inner_text(".interrupted .prose")
