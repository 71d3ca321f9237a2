"""Nothing that axe calls serious or critical stands in the way of anybody."""

from collections.abc import Awaitable, Callable

import pytest

from tests.browser.axe import stumbles
from tests.browser.host import HostPage
from tests.browser.test_demo import DELIVERY

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

FAULTY = """<!doctype html><html lang="en"><head><title>Faulty</title></head><body><main><h1>Faulty</h1>
<p style="color: #bbb; background: #fff">Hardly to be read</p>
<iframe title="Inner" srcdoc="<html lang=en><title>Inner</title><main><h1>Inner</h1><button></button></main>"></iframe>
</main></body></html>"""
SCHEMES = [
    {"viewport": {"width": 1100, "height": 760}, "color_scheme": scheme, "reduced_motion": "reduce"}
    for scheme in ("light", "dark")
]


async def test_what_is_wrong_is_found_in_the_page_and_in_its_frames(host: HostPage) -> None:
    await host.page.set_content(FAULTY)
    rules = [line.split()[0] for line in await stumbles(host.page)]
    assert rules == ["color-contrast", "button-name"]


OPEN = "[data-roxels=modal][data-state=open]"
FORMED = "You are **Ada**, is that so?\n- *the hall*\n- [the kitchen](https://example.com)\n\nSay `both`."


async def connecting(host: HostPage) -> None:
    host.server.delay = 60
    await host.run("void Roxels.start({ templateKey: 'rk_test_1', externalId: 'ada' })")
    await host.page.wait_for_selector(OPEN)
    await host.frame.wait_for_selector("body[data-state=connecting]")


async def begin(host: HostPage, display: str = "modal") -> None:
    host.server.greeting = FORMED
    await host.start(externalId="ada", display=display)
    await host.frame.wait_for_selector("#log .agent:not(.growing)")


async def talking(host: HostPage) -> None:
    await begin(host)
    await host.frame.fill("#words", "The kitchen")
    await host.frame.press("#words", "Enter")
    await host.frame.wait_for_selector("#log > li:nth-child(3):not(.growing)")


async def waiting(host: HostPage) -> None:
    """Cut off, with something said meanwhile."""
    await begin(host)
    host.server.down = True
    host.server.cut()
    await host.frame.wait_for_selector("body[data-state=cut]")
    await host.frame.fill("#words", "The kitchen")
    await host.frame.press("#words", "Enter")
    await host.frame.wait_for_selector("#log .pending")
    host.expected_noise = host.noise  # the browser names what could not be reached


async def correcting(host: HostPage) -> None:
    await talking(host)
    await host.frame.hover(".field")
    await host.frame.click(".edit >> nth=0")
    await host.frame.wait_for_selector(".field form")


async def asking(host: HostPage) -> None:
    await talking(host)
    await host.frame.click("#more")
    await host.frame.click("#start-over")
    await host.frame.wait_for_selector("#confirm[open]")


async def ended(host: HostPage) -> None:
    await begin(host)
    await host.frame.fill("#words", "goodbye")
    await host.frame.press("#words", "Enter")
    await host.frame.wait_for_selector("#done")


async def failing(host: HostPage, options: str, status: int, code: str) -> None:
    host.server.refusal = (status, code)
    await host.run(f"void Roxels.start({options})")
    await host.page.wait_for_selector(OPEN)
    await host.frame.wait_for_selector("#trouble")
    host.expected_noise = host.noise


async def failed(host: HostPage) -> None:
    await failing(host, "{ templateKey: 'rk_test_1' }", 403, "forbidden")


async def used(host: HostPage) -> None:
    """A link or a session of the page's server that let another browser in already."""
    await failing(host, "{ sessionId: 'sess_used' }", 401, "unauthorized")


async def compact(host: HostPage) -> None:
    await begin(host, "compact")


async def folded(host: HostPage) -> None:
    await begin(host, "compact")
    await host.page.click("[data-roxels=minimise]")
    await host.run("Roxels.sendMessage('The kitchen')")
    await host.page.wait_for_selector("[data-roxels=orb][data-news]")


async def launcher(host: HostPage) -> None:
    host.server.launcher = {"enabled": True, "label": "Ask us", "icon": "🌿", "color": "#ffe08a"}
    await host.run("Roxels.init({ templateKey: 'rk_test_1' })")
    await host.page.wait_for_selector("[data-roxels=fab]")


async def never_there(host: HostPage, display: str) -> None:
    """The frame never says hello, so it never says in which language anything is called."""
    await host.page.clock.install()
    await host.open()
    other = '<!doctype html><html lang="en"><title>Another</title><main><h1>Another page</h1></main></html>'
    await host.page.route("**/embed/frame*", lambda route: route.fulfill(body=other, content_type="text/html"))
    await host.run(f"void Roxels.start({{ templateKey: 'rk_test_1', display: '{display}' }})")
    await host.page.wait_for_selector(f"[data-roxels={display}][data-state=loading]")
    assert await nameless(host) == []
    await host.page.clock.fast_forward(16_000)
    await host.page.wait_for_selector("[data-state=stuck]")


async def stuck(host: HostPage) -> None:
    await never_there(host, "modal")


async def stuck_compact(host: HostPage) -> None:
    await never_there(host, "compact")


async def expired(host: HostPage) -> None:
    await begin(host)
    await host.server.end_visits()
    await host.frame.wait_for_selector("#done")


async def nameless(host: HostPage) -> list[str]:
    """Dialogs and buttons without a name, around the frame and in it; axe does not ask a dialog for one."""
    script = """() => [document, ...[...document.querySelectorAll('*')].flatMap((node) => node.shadowRoot ?? [])]
      .flatMap((root) => [...root.querySelectorAll('dialog, button')])
      .filter((node) => node.checkVisibility())
      .filter((node) => !node.ariaLabel && !node.ariaLabelledByElements?.length)
      .filter((node) => node.matches('dialog') || !node.textContent)
      .map((node) => node.outerHTML.slice(0, 90))"""
    return [each for frame in host.page.frames for each in await frame.evaluate(script)]


STATES = [connecting, talking, waiting, correcting, asking, ended, expired, failed, used, compact, folded, launcher]
STATES += [stuck, stuck_compact]


@pytest.mark.parametrize("context_options", SCHEMES)
@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
async def test_the_embed(host: HostPage, state: Callable[[HostPage], Awaitable[None]]) -> None:
    await host.open()
    await state(host)
    assert await stumbles(host.page) == []
    assert await nameless(host) == []


@pytest.mark.parametrize(
    "context_options", [{**SCHEMES[0], "viewport": {"width": 320, "height": 640}}, *SCHEMES], ids=str
)
async def test_the_demo_page(host: HostPage) -> None:
    host.server.deliveries = [DELIVERY]
    page = host.page
    await page.goto(f"{host.server.page}/demo/")
    await page.wait_for_function("window.Roxels && Roxels.state.connection === 'idle'")
    assert await stumbles(page) == []
    await page.click("#start-inline")
    await page.wait_for_selector("#inline-log >> text=Which room")
    await page.fill("#inline-words", "The kitchen")
    await page.press("#inline-words", "Enter")
    await page.wait_for_selector("#plan-fields input")
    await page.wait_for_selector("#deliveries li")
    assert await stumbles(page) == []
