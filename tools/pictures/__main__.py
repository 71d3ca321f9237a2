"""`make pictures`: takes all pictures of docs/ again, or those that are named: `make pictures ARGS="demo"`."""

import asyncio
import sys
from collections.abc import Sequence

from playwright.async_api import async_playwright

from tests.browser.conftest import ARGS
from tests.needs import chromium
from tools.pictures import dashboard, embed


async def main(names: Sequence[str]) -> int:
    """Take them; says with what fault it ended."""
    known = [*embed.PICTURES, *dashboard.PICTURES]
    if unknown := [name for name in names if name not in known]:
        print(f"There is no picture {', '.join(unknown)}; there are {', '.join(known)}.", file=sys.stderr)
        return 2
    program = chromium()
    if program is None:
        print("There is no Chromium to take them with. Install it: apt-get install chromium", file=sys.stderr)
        return 2
    wanted = names or known
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=ARGS)
        for studio in (embed, dashboard):
            await studio.take(browser, [name for name in wanted if name in studio.PICTURES])
        await browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
