"""Nothing that axe calls serious or critical stands in the way of anybody."""

import pytest

from tests.browser.axe import stumbles
from tests.browser.host import HostPage

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


@pytest.mark.parametrize("context_options", SCHEMES)
@pytest.mark.parametrize("display", ["modal", "compact"])
async def test_a_talk(host: HostPage, display: str) -> None:
    await host.open()
    await host.start(externalId="ada", display=display)
    await host.frame.wait_for_selector("#log .agent:not(.growing)")
    await host.frame.fill("#words", "The kitchen")
    await host.frame.press("#words", "Enter")
    await host.frame.wait_for_selector("#log li:nth-child(3):not(.growing)")
    assert await stumbles(host.page) == []
