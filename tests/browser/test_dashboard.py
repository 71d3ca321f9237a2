"""The dashboard in a real browser: find a person, watch her conversation word by word, erase her, keep the receipt."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
import uvicorn
from playwright.async_api import Browser, Page, expect

from roxels.ambient import SystemClock
from roxels.testing import CountedIds, LineSpeaker
from tests.dashboard import people
from tests.dashboard.office import EMAIL, PASSWORD, Office
from tests.wire.conftest import Listener

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

LINE = "Welcome back, Ada! Shall we go on where we stopped?"
HOSTILE = "<img src=x onerror=\"document.title='broken'\">"


@pytest.fixture
def gate() -> asyncio.Semaphore:
    """Lets the agent say one piece for each time it is released."""
    return asyncio.Semaphore(0)


@pytest_asyncio.fixture(loop_scope="session")
async def office(tmp_path: Path, gate: asyncio.Semaphore) -> AsyncIterator[Office]:
    """An office that listens on a port of its own."""
    listener = socket.create_server(("127.0.0.1", 0))
    origin = f"http://127.0.0.1:{listener.getsockname()[1]}"
    office = Office(tmp_path, SystemClock(), CountedIds(), origin=origin, speaker=LineSpeaker([LINE], gate=gate))
    await office.open()
    config = uvicorn.Config(office.app, log_level="warning", lifespan="off", ws="none", timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    yield office
    await office.rooms.drain()
    server.should_exit = True
    await serving
    await office.close()


@pytest_asyncio.fixture(loop_scope="session")
async def page(office: Office, chromium: Browser) -> AsyncIterator[Page]:
    """A browser of an operator who is signed in. Whatever its console complains about fails the test."""
    context = await chromium.new_context(base_url=office.origin, permissions=["clipboard-read", "clipboard-write"])
    page = await context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if "Content Security Policy" in said.text else None)
    await page.goto("/dashboard/")
    await page.get_by_label("E-mail").fill(EMAIL)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("heading", name="People")).to_be_visible()
    yield page
    await context.close()
    assert not complaints


async def test_from_people_to_the_receipt(office: Office, page: Page, gate: asyncio.Semaphore) -> None:
    await expect(page.get_by_text("Nobody has come yet")).to_be_visible()
    opened = await office.visit("ada", "Ada Lovelace")
    await people.talk(office, opened)

    # The list is live; a person is one click away, a conversation two.
    await page.get_by_role("link", name="Ada Lovelace").click()
    await expect(page.get_by_role("heading", name="Ada Lovelace")).to_be_visible()
    await page.get_by_role("link", name="Getting started").click()
    timeline, panels = page.locator("#timeline"), page.locator("#panels")
    await expect(timeline.locator(".words")).to_have_count(5)

    # She comes back: boundary, words as they are said, what was captured.
    again = await office.visit("ada")
    assert again.conversation_id == opened.conversation_id
    await expect(timeline.get_by_text("came back")).to_be_visible()
    listener = Listener(office.rooms, str(again.token))
    await listener.hello()
    await listener.send(frame="say", id="m9", text=HOSTILE)
    await expect(timeline.get_by_text(HOSTILE)).to_be_visible()
    growing = timeline.locator(".growing p")
    for end in (3, 6, 9):
        gate.release()
        await expect(growing).to_have_text(LINE[:end])
    for _ in range(len(LINE)):
        gate.release()
    await expect(timeline.locator("li.words.agent").last).to_contain_text(LINE)
    await expect(growing).to_have_count(0)
    await listener.leave()
    await expect(panels.get_by_role("heading", name="Visits")).to_contain_text("2")
    assert await page.title() == "Ada Lovelace: Getting started · Roxels"

    # What was captured leads to the very words.
    await panels.get_by_role("link", name="said here").first.click()
    await expect(page.locator("li.words:has(.place:target)")).to_contain_text("We are Analytical Engines.")

    # Erase her: a page that asks, a receipt to keep, and she is gone.
    await page.get_by_role("link", name="Ada Lovelace").first.click()
    await page.get_by_role("link", name="Erase…").click()
    await expect(page.get_by_role("link", name="Keep")).to_be_focused()
    await page.get_by_role("button", name="Erase for good").click()
    await expect(page.get_by_role("heading", name="Erased")).to_be_visible()
    await page.get_by_role("button", name="Copy").first.click()
    await expect(page.get_by_role("button", name="Copied")).to_be_visible()
    receipt = json.loads(await page.evaluate("navigator.clipboard.readText()"))
    assert receipt["counts"]["persons"] == 1
    await page.get_by_role("link", name="To people").click()
    await expect(page.get_by_text("Nobody has come yet")).to_be_visible()


async def test_a_page_of_what_is_erased_meanwhile_says_so(office: Office, page: Page) -> None:
    opened = await office.visit("ada", "Ada Lovelace")
    await page.goto(f"/dashboard/conversations/{opened.conversation_id}")
    await expect(page.get_by_text("Nothing was said yet.", exact=False)).to_be_visible()
    await office.services.eraser.person("test", opened.person.id, "dashboard")
    await expect(page.get_by_role("heading", name="Nothing here")).to_be_visible()


async def test_ending_asks_once_and_the_keyboard_suffices(office: Office, page: Page) -> None:
    opened = await office.visit("ada", "Ada Lovelace")
    await office.visit("bob", "Bob")
    await page.keyboard.press("/")
    await page.keyboard.type("ada")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("link", name="Bob")).to_have_count(0)
    await page.goto(f"/dashboard/conversations/{opened.conversation_id}")
    await page.get_by_role("button", name="End").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog")).to_contain_text("Nothing more can be said in it.")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await page.get_by_role("button", name="End").click()
    await page.get_by_role("dialog").get_by_role("button", name="End").click()
    await expect(page.locator("#panels .tag").get_by_text("completed")).to_be_visible()
    await expect(page.get_by_role("button", name="End")).to_have_count(0)


async def test_on_a_phone_one_is_led_to_the_last_words_and_follows_them(office: Office, page: Page) -> None:
    opened = await office.visit("ada", "Ada Lovelace")
    for n in range(12):
        await office.record(opened, *people.said(f"utt_{n}", f"Sentence {n} of a long answer. " * 4))
    await page.set_viewport_size({"width": 390, "height": 800})
    await page.goto(f"/dashboard/conversations/{opened.conversation_id}")
    words, latest = page.locator("#timeline .words"), page.locator("#latest")
    await expect(words.last).not_to_be_in_viewport()
    await latest.click()
    await expect(words.last).to_be_in_viewport(ratio=1)
    await expect(latest).to_be_hidden()
    await office.record(opened, *people.said("utt_12", "And one more. " * 40))
    await expect(words).to_have_count(13)
    await expect(words.last).to_be_in_viewport(ratio=1)
    # Whoever reads on in the panels below is left there, and is not offered the way back as one down.
    await page.evaluate("scrollTo({top: document.documentElement.scrollHeight})")
    await expect(words.last).not_to_be_in_viewport()
    await office.record(opened, *people.said("utt_13", "And the last."))
    await expect(words).to_have_count(14)
    await expect(words.last).not_to_be_in_viewport()
    await expect(latest).to_be_hidden()


async def test_there_is_no_way_down_where_nothing_was_said(office: Office, page: Page) -> None:
    opened = await office.visit("ada", "Ada Lovelace")
    await page.set_viewport_size({"width": 1280, "height": 600})
    await page.goto(f"/dashboard/conversations/{opened.conversation_id}")
    await expect(page.locator("#silence")).to_be_in_viewport()
    assert await page.evaluate("document.documentElement.scrollHeight - innerHeight") > 120
    await expect(page.locator("#latest")).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_nothing_sticks_out_on_a_phone(office: Office, page: Page, scheme: str) -> None:
    long_one = await office.visit("x" * 255, "Wolfeschlegelsteinhausenbergerdorff " * 7)
    await people.talk(office, long_one, company="W" * 200)
    await office.make_key()
    await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    await page.set_viewport_size({"width": 360, "height": 740})
    person, conversation = f"people/{long_one.person.id}", f"conversations/{long_one.conversation_id}"
    for address in ("", person, f"{person}/erase", conversation, f"{conversation}/events", "embed", "nowhere"):
        await page.goto(f"/dashboard/{address}")
        assert await page.evaluate("document.documentElement.scrollWidth") == 360, address


async def test_a_long_name_ends_in_dots_on_a_phone(office: Office, page: Page) -> None:
    await office.visit("x" * 255, "Wolfeschlegelsteinhausenbergerdorff" * 7)
    await page.set_viewport_size({"width": 390, "height": 800})
    await page.goto("/dashboard/")
    for part in (page.locator(".people .names a"), page.locator(".people .names code")):
        box = await part.bounding_box()
        assert box
        assert box["x"] + box["width"] <= 390 - 14, "its end, with the dots, stands inside of the list"


async def test_what_is_typed_and_told_looks_like_it(office: Office, page: Page) -> None:
    colour = "each => getComputedStyle(each).color"
    await page.goto("/dashboard/settings")
    ink = await page.locator("body").evaluate(colour)
    assert await page.locator("#transcripts_days").evaluate(colour) == ink
    await page.goto("/dashboard/keys")
    await page.get_by_label("What you will know it by").fill("W" * 150)
    await page.get_by_role("button", name="Make it").click()
    panel, name = await page.locator(".made").bounding_box(), await page.locator(".made bdi").bounding_box()
    assert panel
    assert name
    assert name["x"] + name["width"] <= panel["x"] + panel["width"]
    await page.goto(f"/dashboard/templates/{office.template_id}?saved=published")
    told, below = await page.locator(".told").bounding_box(), await page.locator(".columns").bounding_box()
    assert told
    assert below
    assert below["y"] - told["y"] - told["height"] >= 12


async def test_every_page_works_without_script(office: Office, page: Page, chromium: Browser) -> None:
    opened = await office.visit("ada", "Ada Lovelace")
    await people.talk(office, opened)
    plain = await chromium.new_context(
        base_url=office.origin, java_script_enabled=False, storage_state=await page.context.storage_state()
    )
    reader = await plain.new_page()
    await reader.goto(f"/dashboard/conversations/{opened.conversation_id}")
    await expect(reader.locator("#timeline").get_by_text("We are Analytical Engines.")).to_be_visible()
    await expect(reader.get_by_role("button", name="Copy")).to_have_count(0)
    await reader.get_by_role("link", name="Delete…").click()
    await reader.get_by_role("button", name="Delete for good").click()
    await expect(reader.get_by_role("heading", name="Erased")).to_be_visible()
    await plain.close()


async def test_what_a_question_is_about_stays_while_it_is_open(office: Office, page: Page) -> None:
    browser = await office.visit("ada", browser="the browser")
    await page.goto(f"/dashboard/people/{browser.person.id}")
    await page.get_by_role("button", name="Revoke the device").click()
    question = page.get_by_role("dialog", name="Revoke this device?")
    await expect(question).to_be_visible()
    await office.visit("ada")  # the list behind the question has changed
    async with page.expect_response(lambda answer: answer.url.endswith(browser.person.id), timeout=6000) as looked:
        await page.wait_for_timeout(5000)
        await question.get_by_role("button", name="Revoke").click()
        await expect(page.get_by_text("revoked").first).to_be_visible()
    assert (await looked.value).status == 200


async def test_saying_whose_a_conversation_is_asks_first(office: Office, page: Page) -> None:
    opened = await office.visit("ada", "Ada Lovelace")
    await page.goto(f"/dashboard/conversations/{opened.conversation_id}")
    await page.get_by_role("button", name="It is theirs").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("becomes known to the verified visits of this person. It can be undone.")
    await dialog.get_by_role("button", name="It is theirs").click()
    await expect(page.get_by_role("button", name="Undo the adoption")).to_be_visible()
