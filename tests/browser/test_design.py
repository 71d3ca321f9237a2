"""A template as a form, in a real browser: made, changed and published without writing JSON, and nothing is lost."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from playwright.async_api import Dialog, Page, expect

from roxels.actions import author
from roxels.api.pages import Files, page_routes
from roxels.server import EMBED
from roxels.storage import conversations, operators, templates
from roxels.storage.conversations import ConversationFilter, Outline
from roxels.storage.pages import Span
from tests.browser.axe import stumbles
from tests.browser.test_dashboard import gate, office, page
from tests.dashboard.office import EMAIL, PASSWORD, Office

__all__ = ["gate", "office", "page"]
pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

#: What the form does not show, in every place where it may stand.
RICH: dict[str, Any] = {
    "of_a_newer_version": [1, {"a": None}],
    "name": "Rich",
    "goals": [
        {
            "id": "g1",
            "label": "First",
            "probing_areas": ["the price"],
            "schema": {
                "type": "object",
                "title": "kept",
                "properties": {
                    "size": {"type": "integer", "description": "How many?", "minimum": 1},
                    "kind": {"type": "string", "enum": ["a", "b"], "x-own": True},
                },
                "required": ["size"],
            },
            "outputs": [{"type": "webhook", "config": {"url": "https://example.com/a", "headers": {"X-A": "1"}}}],
        },
        {"id": "g2", "schema": {"tools": "array of strings", "plan": {"type": "enum", "values": ["s", "m"]}}},
    ],
    "settings": {"greeting": "Hello!", "tone": "calm", "embedded": {"resumption": True, "notice": {"text": "n"}}},
}


async def written(page: Page) -> dict[str, Any]:
    """What the JSON beside the form says."""
    text: dict[str, Any] = json.loads(await page.locator("#text").input_value())
    return text


async def opened(office: Office, page: Page, raw: dict[str, Any] = RICH) -> str:
    """The page of a template that is written so; says its id."""
    kept = await office.store.write("test", author.create, raw, office.ids)
    await page.goto(f"/dashboard/templates/{kept.id}")
    await expect(page.locator("[data-design]")).to_be_visible()
    return kept.id


async def test_one_is_made_by_the_form_alone(office: Office, page: Page) -> None:
    await page.goto("/dashboard/templates/new")
    assert not await page.locator("details.json").evaluate("details => details.open")
    form = page.locator("[data-design]")
    await form.get_by_label("Name", exact=True).fill("Plants")
    await form.get_by_label("Greeting").fill("Hello, and welcome!")
    first = form.get_by_role("group", name="The company")
    await first.get_by_role("button", name="Add a field").click()
    name = first.get_by_label("Name of the field").last
    await expect(name).to_be_focused()
    await name.fill("budget")
    await name.press("Tab")
    await first.get_by_label("Question for budget").fill("What may it cost?")
    await first.get_by_label("Type of budget").select_option("number")
    await first.locator(".field-row").last.get_by_label("required").check()
    await first.get_by_role("button", name="Move budget up").click()
    await first.get_by_role("button", name="Add a webhook").click()
    await first.get_by_label("Address of the webhook").fill("https://example.com/plants")
    await form.get_by_role("radio", name="verified Only visits").check()
    await page.get_by_role("button", name="Make it").click()
    await expect(page.get_by_role("heading", name="Plants")).to_be_visible()
    template_id = page.url.rpartition("/")[2].partition("?")[0]
    raw = (await office.store.read("test", author.current, template_id)).raw
    goal = raw["goals"][0]
    assert list(goal["schema"]["properties"]) == ["company", "budget", "team_size"]
    assert goal["schema"]["properties"]["budget"] == {"type": "number", "description": "What may it cost?"}
    assert goal["schema"]["required"] == ["company", "budget", "team_size"]
    assert goal["outputs"] == [{"type": "webhook", "config": {"url": "https://example.com/plants"}}]
    assert raw["settings"]["embedded"]["history_requires"] == "verified"
    assert raw["name"] == "Plants"


async def test_what_it_does_not_show_stays(office: Office, page: Page) -> None:
    await opened(office, page)
    first = page.get_by_role("group", name="First")
    await first.get_by_label("Question for size").fill("How many are you?")
    await first.get_by_label("Choices of kind").fill("a, b, c")
    await page.get_by_role("group", name="g2").get_by_label("Question for tools").fill("Which tools?")
    await page.get_by_role("group", name="g2").get_by_label("Choices of plan").fill("s, m, l")
    expected = json.loads(json.dumps(RICH))
    expected["goals"][0]["schema"]["properties"]["size"]["description"] = "How many are you?"
    expected["goals"][0]["schema"]["properties"]["kind"]["enum"] = ["a", "b", "c"]
    expected["goals"][1]["schema"]["tools"] = {"type": "array of strings", "description": "Which tools?"}
    expected["goals"][1]["schema"]["plan"]["values"] = ["s", "m", "l"]
    assert await written(page) == expected
    look = page.get_by_role("group", name="On your page")
    await look.get_by_label("What the button says").fill("Ask us")
    await look.get_by_label("A button floats on the page").check()
    await look.get_by_label("Your privacy page").fill("https://example.com/p")
    expected["settings"]["embedded"]["launcher"] = {"label": "Ask us", "enabled": True}
    expected["settings"]["embedded"]["notice"]["privacy_url"] = "https://example.com/p"
    assert await written(page) == expected
    assert await page.get_by_text("Also has, in the JSON: of_a_newer_version, settings.tone").is_visible()
    assert await page.get_by_text("Also has: minimum").is_visible()
    assert await page.get_by_text("Also has, in the JSON: probing_areas").is_visible()


async def test_fields_are_renamed_moved_and_removed_in_both_dialects(office: Office, page: Page) -> None:
    await opened(office, page)
    for goal, names in (
        (page.get_by_role("group", name="First"), ("size", "kind")),
        (page.get_by_role("group", name="g2"), ("tools", "plan")),
    ):
        first, second = names
        await goal.get_by_label("Name of the field").first.fill("renamed")
        await goal.get_by_label("Name of the field").first.press("Tab")
        await goal.get_by_role("button", name=f"Move {second} up").click()
        await goal.get_by_role("button", name=f"Remove {second}").click()
        assert first not in await page.locator("#text").input_value()
    raw = await written(page)
    assert raw["goals"][0]["schema"]["required"] == ["renamed"]
    assert raw["goals"][0]["schema"]["properties"] == {"renamed": RICH["goals"][0]["schema"]["properties"]["size"]}
    assert raw["goals"][1]["schema"] == {"renamed": "array of strings"}


async def test_a_name_that_is_taken_is_not_given_twice(office: Office, page: Page) -> None:
    await opened(office, page)
    name = page.get_by_role("group", name="First").get_by_label("Name of the field").first
    await name.fill("kind")
    await name.press("Tab")
    assert list((await written(page))["goals"][0]["schema"]["properties"]) == ["size", "kind"]
    await expect(name).to_have_value("size")


async def test_form_and_json_are_in_step(office: Office, page: Page) -> None:
    await opened(office, page)
    await page.locator("details.json summary").click()
    changed = {**RICH, "name": "From the JSON"}
    await page.locator("#text").fill(json.dumps(changed))
    await expect(page.locator("[data-design]").get_by_label("Name", exact=True)).to_have_value("From the JSON")
    await page.locator("#text").fill("{")
    await expect(page.locator("[data-design]")).to_be_hidden()


@pytest.mark.parametrize(
    "raw",
    [
        {"name": "Long", "goals": [{"id": "g1"}], "mine": 12345678901234567890},
        {"name": "Places", "goals": [{"id": "g1"}], "mine": {"2": "a", "1": "b"}},
    ],
    ids=lambda raw: raw["name"],
)
async def test_what_a_form_cannot_keep_exactly_is_left_to_the_text(
    office: Office, page: Page, raw: dict[str, Any]
) -> None:
    await page.goto("/dashboard/templates/new")
    await page.locator("details.json summary").click()
    await page.locator("#text").fill(json.dumps(raw))
    await expect(page.locator("[data-design]")).to_be_hidden()
    await expect(page.locator("details.json [role=status]")).to_contain_text("Only the JSON can keep")


@pytest.mark.parametrize(
    "raw",
    [
        {"name": "A", "phases": [None]},
        {"name": "B", "goals": [None]},
        {"name": "C", "goals": [{"id": "g1", "outputs": {}}]},
        {"name": "D", "goals": {"id": "g1"}},
        [],
        None,
    ],
)
async def test_what_cannot_be_drawn_stops_nothing_else(office: Office, page: Page, raw: Any) -> None:
    await opened(office, page)
    await page.locator("details.json summary").click()
    await page.locator("#text").fill(json.dumps(raw))
    await page.get_by_role("button", name="Publish", exact=True).first.click()
    await expect(page.locator("[role=alert]").first).to_be_visible()
    await expect(page.locator("[data-design]")).to_be_hidden()
    await expect(page.locator("details.json [role=status]")).to_contain_text("Only the JSON can show")
    assert json.loads(await page.locator("#text").input_value()) == raw
    menu = page.locator("details.menu")
    await menu.locator("summary").click()
    await page.keyboard.press("Escape")
    await expect(menu).not_to_have_attribute("open", "")
    await page.locator("#text").fill(json.dumps(RICH))
    await expect(page.locator("[data-design]")).to_be_visible()
    await expect(page.locator("details.json [role=status]")).to_be_hidden()


async def test_the_focus_goes_on_from_what_was_changed(office: Office, page: Page) -> None:
    await opened(office, page)
    first = page.get_by_role("group", name="First")
    await first.get_by_label("Name of the field").first.fill("head count")
    await page.keyboard.press("Tab")
    await expect(first.get_by_label("Type of head count")).to_be_focused()
    await first.get_by_role("button", name="Remove head count").press("Enter")
    await expect(first.get_by_label("Name of the field").first).to_be_focused()
    await first.get_by_role("button", name="Remove kind").press("Enter")
    await expect(first.get_by_role("button", name="Add a field")).to_be_focused()
    await first.get_by_role("button", name="Remove this webhook").press("Enter")
    await expect(first.get_by_role("button", name="Add a webhook")).to_be_focused()
    goes_on = page.get_by_label("An open conversation goes on where it was left")
    await goes_on.press("Space")
    await expect(goes_on).to_be_focused()
    await first.get_by_role("button", name="Remove this goal").press("Enter")
    await expect(page.get_by_role("group", name="g2").get_by_label("Label")).to_be_focused()


async def test_a_click_right_behind_a_new_name_lands(office: Office, page: Page) -> None:
    await opened(office, page)
    first = page.get_by_role("group", name="First")
    name = first.get_by_label("Name of the field").first
    await name.fill("head count")
    await first.locator(".question").first.click()
    await expect(first.get_by_label("Question for head count")).to_be_focused()
    await page.keyboard.press("End")
    await page.keyboard.type(" Roughly?")
    await name.fill("people")
    await first.get_by_role("button", name="Add a field").click()
    await expect(first.get_by_label("Name of the field")).to_have_count(3)
    await name.fill("heads")
    await first.get_by_label("Address of the webhook").click()
    await page.keyboard.press("End")
    await page.keyboard.type("/b")
    goal = (await written(page))["goals"][0]
    assert list(goal["schema"]["properties"]) == ["heads", "kind", "field"]
    assert goal["schema"]["properties"]["heads"] == {
        "type": "integer",
        "description": "How many? Roughly?",
        "minimum": 1,
    }
    assert goal["outputs"][0]["config"]["url"] == "https://example.com/a/b"


async def test_a_fault_stands_beside_its_field(office: Office, page: Page) -> None:
    await opened(office, page)
    await page.get_by_role("group", name="First").get_by_label("Address of the webhook").fill("nowhere")
    await page.get_by_role("button", name="Publish", exact=True).first.click()
    url = page.get_by_role("group", name="First").get_by_label("Address of the webhook")
    await expect(url).to_have_attribute("aria-invalid", "true")
    await expect(url).to_have_accessible_description("must be an http or https address")
    await expect(url).to_have_value("nowhere")
    await page.get_by_role("alert").get_by_role("link", name="First: “Address of the webhook”").click()
    await expect(url).to_be_focused()


async def test_phases_have_their_goals(office: Office, page: Page) -> None:
    raw = {"name": "Phases", "phases": [{"name": "Warm up", "goals": [{"id": "a"}]}, {"goals": [{"id": "b"}]}]}
    await opened(office, page, raw)
    await expect(page.get_by_role("heading", name="Warm up")).to_be_visible()
    await page.get_by_role("group", name="b").get_by_label("Label", exact=True).fill("The second")
    assert (await written(page))["phases"][1]["goals"][0]["label"] == "The second"


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_nothing_stands_in_anybodys_way(office: Office, page: Page, scheme: Any) -> None:
    await page.emulate_media(color_scheme=scheme)
    await opened(office, page)
    assert await stumbles(page) == []
    await page.set_viewport_size({"width": 375, "height": 800})
    assert await stumbles(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth") <= 375


async def test_all_text_is_text(office: Office, page: Page) -> None:
    evil = "<img src=x onerror=\"document.title='broken'\">"
    goal = {"id": "g1", "label": evil, "schema": {evil: {"type": "string", "description": evil, "x": 1, evil: 1}}}
    await opened(office, page, {"name": evil, "goals": [goal], "settings": {"greeting": evil}})
    assert await page.title() != "broken"
    assert await page.locator("[data-design] img").count() == 0


async def sign_in_runs_out(office: Office) -> None:
    found = await office.store.read_across(operators.by_email, EMAIL)
    assert found
    await office.store.write_across(operators.end_all_sessions, found[0].id)


async def test_what_was_written_is_not_lost_to_a_sign_in_that_ran_out(office: Office, page: Page) -> None:
    template_id = await opened(office, page)
    name = page.locator("[data-design]").get_by_label("Name", exact=True)
    await name.fill("An hour of work")
    await sign_in_runs_out(office)
    await page.get_by_role("button", name="Publish", exact=True).first.click()
    async with page.expect_popup() as popup:
        await page.get_by_role("alert").get_by_role("link", name="Sign in").click()
    door = await popup.value
    await door.get_by_label("E-mail").fill(EMAIL)
    await door.get_by_label("Password").fill(PASSWORD)
    await door.get_by_role("button", name="Sign in").click()
    await expect(door.get_by_role("heading", name="People")).to_be_visible()
    await door.get_by_role("button", name="live").click()
    await page.get_by_role("button", name="Publish", exact=True).first.click()
    await expect(page.get_by_role("alert")).to_contain_text("You look at live by now, and this belongs to test.")
    await door.get_by_role("button", name="test").click()
    await expect(door.get_by_role("heading", name="People")).to_be_visible()
    await page.get_by_role("button", name="Publish", exact=True).first.click()
    await expect(page.get_by_role("heading", name="An hour of work")).to_be_visible()
    assert (await office.store.read("test", author.current, template_id)).raw["name"] == "An hour of work"


async def test_what_was_written_waits_for_the_server(office: Office, page: Page) -> None:
    await opened(office, page)
    await page.locator("[data-design]").get_by_label("Name", exact=True).fill("On a train")
    await page.context.set_offline(True)
    await page.get_by_role("button", name="Keep as a draft").click()
    await expect(page.get_by_role("alert")).to_contain_text("The server cannot be reached.")
    await page.context.set_offline(False)
    await page.get_by_role("button", name="Keep as a draft").click()
    await expect(page.locator(".versions").get_by_text("draft", exact=True)).to_be_visible()
    assert await page.locator("[data-design]").get_by_label("Name", exact=True).input_value() == "On a train"


async def test_what_is_kept_nowhere_is_not_left_unasked(office: Office, page: Page) -> None:
    asked: list[str] = []

    async def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        await dialog.dismiss()

    page.on("dialog", stay)
    template_id = await opened(office, page)
    places = page.get_by_role("navigation").get_by_role("link", name="Templates")
    name = page.locator("[data-design]").get_by_label("Name", exact=True)
    await name.fill("Half done")
    await places.click()
    await page.get_by_role("group", name="First").get_by_label("Address of the webhook").fill("nowhere")
    assert asked == ["beforeunload"]
    await page.get_by_role("button", name="Publish", exact=True).first.click()
    await expect(page.locator("[role=alert]").first).to_be_visible()
    assert asked == ["beforeunload"], "what is sent is not asked about"
    # It was refused: what stands in the form is what was loaded, and is kept nowhere.
    await name.click()
    await places.click()
    url = page.get_by_role("group", name="First").get_by_label("Address of the webhook")
    await url.fill("https://example.com/a")
    assert asked == ["beforeunload"] * 2
    await page.get_by_role("button", name="Publish", exact=True).first.click()
    await expect(page.get_by_text("Published: new conversations begin with it.")).to_be_visible()
    assert (await office.store.read("test", author.current, template_id)).raw["name"] == "Half done"
    await name.click()
    await places.click()
    await expect(page.get_by_role("heading", name="Templates")).to_be_visible()
    assert asked == ["beforeunload"] * 2, "what was kept is left freely"


async def test_what_is_written_is_tried_before_anybody_else_gets_it(office: Office, page: Page) -> None:
    office.app.router.routes.extend(page_routes(office.store, Files(EMBED), office.origin))
    template_id = await opened(office, page)
    told = page.locator("section", has=page.get_by_role("heading", name="Try it"))
    await expect(told).to_contain_text("You try version 1, which is published.")
    await page.locator("[data-design]").get_by_label("Greeting").fill("Good evening!")
    await expect(told).to_contain_text("You try what stands in the editor. It is kept as a draft first")
    await expect(told.get_by_role("checkbox")).to_be_hidden()
    await told.get_by_label("As").fill("tester")
    await told.get_by_role("button", name="Talk").click()
    await expect(told).to_contain_text("You try version 2, a draft: nobody else is asked by it.")
    await expect(page.locator(".versions").get_by_text("draft", exact=True)).to_be_visible()
    await expect(page.frame_locator("#trial").get_by_role("button", name="Begin")).to_be_visible()
    assert await told.get_by_label("As").input_value() == "tester"
    assert [(each.template_version, each.person.external_id) for each in await talks(office)] == [(2, "tester")]
    assert (await office.store.read("test", author.current, template_id)).version == 1
    # Where the page is loaded once more, nothing begins by itself; and nothing that is kept is kept again.
    await page.reload()
    await expect(told).to_contain_text("You try version 2, a draft")
    await told.get_by_label("As").fill("")
    await told.get_by_role("button", name="Talk").click()
    await expect(page.frame_locator("#trial").get_by_role("button", name="Begin")).to_be_visible()
    assert [(each.template_version, each.person.external_id) for each in await talks(office)] == [
        (2, None),
        (2, "tester"),
    ]
    assert len(await office.store.read("test", templates.history, template_id)) == 2


async def test_what_is_faulty_is_not_tried(office: Office, page: Page) -> None:
    template_id = await opened(office, page)
    told = page.locator("section", has=page.get_by_role("heading", name="Try it"))
    url = page.get_by_role("group", name="First").get_by_label("Address of the webhook")
    await url.fill("nowhere")
    await told.get_by_label("As").fill("tester")
    await told.get_by_role("button", name="Talk").click()
    await expect(page.get_by_text("Not kept yet. This is wrong with it:")).to_be_visible()
    await expect(told).to_contain_text("You try what stands in the editor.")
    assert await page.locator("#trial").is_hidden()
    assert not await talks(office)
    assert len(await office.store.read("test", templates.history, template_id)) == 1
    # Mended and kept, it is not tried unasked.
    await url.fill("https://example.com/a")
    await page.get_by_role("button", name="Keep as a draft").click()
    await expect(told).to_contain_text("You try version 2, a draft")
    assert await page.locator("#trial").is_hidden()
    assert not await talks(office)


async def talks(office: Office) -> Sequence[Outline]:
    """All conversations, newest first."""
    return (await office.store.read("test", conversations.listed, ConversationFilter(), Span(limit=9))).items


async def test_nobody_talks_beside_the_form_who_is_signed_out(office: Office, page: Page) -> None:
    await opened(office, page)
    await sign_in_runs_out(office)
    await page.get_by_role("button", name="Talk").click()
    await expect(page.get_by_role("alert")).to_contain_text("You are signed out by now.")
    assert await page.locator("#trial").is_hidden()
