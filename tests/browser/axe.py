"""What axe says of a page: where a screen reader, a keyboard or weak eyes would not get on.

    assert await stumbles(page) == []

Every frame of the page is looked at for itself, with all of axe's rules, as it stands when nothing moves any more.
"""

from importlib.resources import files
from typing import Any

from playwright.async_api import Frame, Page

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
GRAVE = ("serious", "critical")
#: Colours are judged where they come to rest; what moves for ever is left as it is.
REST = """() => {
  const ends = (each) => each.effect.getComputedTiming().endTime < Infinity;
  document.getAnimations({subtree: true}).filter(ends).forEach((each) => each.finish());
}"""
RUN = "() => axe.run(document, {iframes: false, resultTypes: ['violations']}).then(({violations}) => violations)"


async def stumbles(page: Page) -> list[str]:
    """What is serious or critical on it: rule, place and axe's words, one line for each place."""
    found: list[str] = []
    for frame in page.frames:
        found += [line for violation in await violations(frame) for line in _lines(violation)]
    return found


async def violations(frame: Frame) -> list[dict[str, Any]]:
    """What axe holds against one document, whatever its weight."""
    if not await frame.evaluate("'axe' in window"):
        await frame.evaluate(AXE)
    await frame.evaluate(REST)
    found: list[dict[str, Any]] = await frame.evaluate(RUN)
    return found


def _lines(violation: dict[str, Any]) -> list[str]:
    if violation["impact"] not in GRAVE:
        return []
    nodes = violation["nodes"]
    return [f"{violation['id']} at {node['target']}: {' '.join(node['failureSummary'].split())}" for node in nodes]
