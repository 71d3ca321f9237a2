"""Templates in the dashboard: made, faulty, changed, kept as a draft, published, gone back to, tried."""

import json
import re
from typing import Any

import httpx2
import pytest

from roxels.actions import author
from roxels.dashboard.designs import ABOUT, STARTS
from roxels.domain import soundness
from roxels.storage import audit, conversations, log, sessions, templates
from roxels.storage.conversations import ConversationFilter
from roxels.storage.pages import Span
from roxels.storage.sessions import Visit
from roxels.testing import FakeClock
from tests.dashboard.office import TEMPLATE, Office, csrf

NEW = "/dashboard/templates/new"


async def sent(operator: httpx2.AsyncClient, page: str, address: str = "", **fields: str) -> httpx2.Response:
    """A form of that page."""
    shown = await operator.get(page)
    return await operator.post(address or page, data={"csrf": csrf(shown), **fields})


async def raw(office: Office) -> dict[str, Any]:
    """The published template, as it was written."""
    return (await office.store.read("test", author.current, office.template_id)).raw


@pytest.mark.parametrize("start", ABOUT)
def test_what_one_begins_with_is_sound(start: str) -> None:
    design = json.loads((STARTS / f"{start}.json").read_text())
    assert soundness.faults(design) == []
    assert soundness.warnings(design) == []


async def test_one_is_made_and_found(operator: httpx2.AsyncClient) -> None:
    made = await sent(operator, f"{NEW}?from=support", NEW, text=(STARTS / "support.json").read_text())
    assert made.status_code == 303
    page = await operator.get(made.headers["location"])
    assert "Support follow-up" in page.text
    assert "Only visits that your backend vouched for see a past." in page.text
    assert "Support follow-up" in (await operator.get("/dashboard/templates")).text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "not JSON at line 1, column 2"),
        ("[1]", "A template is one JSON object"),
        ("[" * 100_000, "nested"),
        ("9" * 250_001, "longer than 250000 characters"),
        ('{"name": "\\ud800"}', "half of a surrogate pair"),
        ("9" * 5_000, "beyond 64 bits"),
        ('{"name": "", "goals": [{"id": "a", "type": "b"}]}', "goals[0].type"),
    ],
)
async def test_what_is_wrong_is_told_and_what_was_typed_stays(
    operator: httpx2.AsyncClient, text: str, told: str
) -> None:
    answer = await sent(operator, NEW, text=text)
    assert answer.status_code == 400
    assert told in answer.text
    assert text[:200].replace('"', "&#34;") in answer.text


async def test_a_draft_changes_nothing_until_it_is_published(office: Office, operator: httpx2.AsyncClient) -> None:
    place = f"/dashboard/templates/{office.template_id}"
    changed = json.dumps({**TEMPLATE, "name": "Changed", "of_a_newer_version": [1]})
    kept = await sent(operator, place, text=changed, version="1", **{"as": "draft"})
    assert "version=2" in kept.headers["location"]
    assert (await raw(office))["name"] == TEMPLATE["name"]
    assert "draft" in (await operator.get(kept.headers["location"])).text
    await sent(operator, place, f"{place}/publish", version="2")
    assert (await raw(office)) == json.loads(changed)
    await sent(operator, place, f"{place}/publish", version="1")
    assert (await raw(office)) == TEMPLATE


async def test_a_key_that_is_taken_out_is_gone(office: Office, operator: httpx2.AsyncClient) -> None:
    place = f"/dashboard/templates/{office.template_id}"
    less = {key: value for key, value in TEMPLATE.items() if key != "settings"}
    await sent(operator, place, text=json.dumps(less), version="1", **{"as": "published"})
    assert await raw(office) == less


async def test_nobody_elses_change_is_written_over(office: Office, operator: httpx2.AsyncClient) -> None:
    place = f"/dashboard/templates/{office.template_id}"
    await office.store.write("test", author.change, office.template_id, {"name": "Theirs"})
    late = await sent(operator, place, text=json.dumps({**TEMPLATE, "name": "Mine"}), version="1")
    assert late.status_code == 409
    assert "What you wrote is still here." in late.text
    assert "Mine" in late.text
    assert (await raw(office))["name"] == "Theirs"


async def joined(office: Office, talk: httpx2.Response) -> Visit:
    """The visit that a talk beside the form leads to."""
    assert talk.status_code == 303
    interview_id, _, secret = talk.headers["location"].partition("/join/i/")[2].partition("#")
    visit = await office.store.read_across(sessions.by_join_secret, interview_id, secret)
    assert visit is not None
    return visit


async def tried(office: Office, operator: httpx2.AsyncClient, page: str) -> tuple[str, int]:
    """Who presses Talk on this page, as ada: the reason, and the version that they talk about."""
    shown = await operator.get(page)
    form = shown.text.partition("data-trial")[2].partition("</form>")[0]
    fields = dict(re.findall(r'name="(csrf|version|resume)" value="([^"]+)"', form))
    talk = await operator.post(f"/dashboard/templates/{office.template_id}/talk", data={**fields, "external_id": "ada"})
    visit = await joined(office, talk)
    state = (await office.store.read("test", log.read, visit.conversation_id)).state
    return visit.reason, state.template_version


async def newest_talk(office: Office, operator: httpx2.AsyncClient) -> httpx2.Response:
    """The page of the conversation that began last."""
    listed = await office.store.read("test", conversations.listed, ConversationFilter(), Span(limit=1))
    return await operator.get(f"/dashboard/conversations/{listed.items[0].id}")


async def test_what_is_tried_is_what_the_page_shows(
    office: Office, operator: httpx2.AsyncClient, clock: FakeClock
) -> None:
    place = f"/dashboard/templates/{office.template_id}"
    assert "Their next visit may go on with it." in (await operator.get(place)).text
    assert await tried(office, operator, place) == ("new_person", 1)
    assert await tried(office, operator, place) == ("resumed", 1), "the published one goes on, as any visit does"
    changed = json.dumps({**TEMPLATE, "name": "Changed"})
    kept = await sent(operator, place, text=changed, version="1", **{"as": "draft"})
    page = (await operator.get(kept.headers["location"])).text
    assert "You try <strong>version 2</strong>, a draft: nobody else is asked by it." in page
    assert "go on where they left off" not in page
    assert await tried(office, operator, kept.headers["location"]) == ("asked_new", 2)
    assert "Begun to try out version 2 of this template." in (await newest_talk(office, operator)).text
    clock.advance(60)
    assert await tried(office, operator, place) == ("resumed", 1), "what is published stays as it was"
    await sent(operator, place, f"{place}/publish", version="2")
    assert "which is not published any more" in (await operator.get(f"{place}?version=1")).text
    assert await tried(office, operator, f"{place}?version=1") == ("asked_new", 1)


async def test_what_is_tried_is_what_the_page_showed_though_another_is_published_by_now(
    office: Office, operator: httpx2.AsyncClient
) -> None:
    place = f"/dashboard/templates/{office.template_id}"
    shown = await operator.get(place)
    await office.store.write("test", author.change, office.template_id, {"name": "Theirs"})
    talk = await operator.post(f"{place}/talk", data={"csrf": csrf(shown), "version": "1", "resume": "yes"})
    visit = await joined(office, talk)
    assert (await office.store.read("test", log.read, visit.conversation_id)).state.is_trial


async def test_what_is_to_be_tried_is_kept_as_a_draft_or_its_faults_are_told(
    office: Office, operator: httpx2.AsyncClient
) -> None:
    place = f"/dashboard/templates/{office.template_id}"
    faulty = json.dumps({**TEMPLATE, "goals": "none"})
    refused = await sent(operator, place, text=faulty, version="1", **{"as": "trial"})
    assert refused.status_code == 400
    assert "Not kept yet. This is wrong with it:" in refused.text
    assert 'data-trial="begin"' not in refused.text
    changed = json.dumps({**TEMPLATE, "name": "Changed"})
    kept = await sent(operator, place, text=changed, version="1", **{"as": "trial"})
    page = await operator.get(kept.headers["location"])
    assert 'data-trial="begin"' in page.text
    assert "Kept as a draft. Nobody is asked by it until it is published." in page.text
    assert (await raw(office))["name"] == TEMPLATE["name"]


async def test_a_newer_draft_is_one_click_away(office: Office, operator: httpx2.AsyncClient) -> None:
    place = f"/dashboard/templates/{office.template_id}"
    assert "newer draft" not in (await operator.get(place)).text
    await office.store.write("test", author.change, office.template_id, {"name": "Draft"}, publish=False)
    assert 'Version 2 is a newer draft: <a href="?version=2">go on with it</a>' in (await operator.get(place)).text
    assert "newer draft" not in (await operator.get(f"{place}?version=2")).text
    await office.store.write("test", author.change, office.template_id, {"name": "Published"})
    assert "newer draft" not in (await operator.get(place)).text, "what is published is newer than it"


@pytest.mark.parametrize("version", ["", "9", "two"])
async def test_a_version_that_is_not_there_is_not_tried(
    office: Office, operator: httpx2.AsyncClient, version: str
) -> None:
    place = f"/dashboard/templates/{office.template_id}"
    refused = await sent(operator, place, f"{place}/talk", version=version)
    assert refused.status_code == 404
    assert "This template has no version of that number." in refused.text
    assert refused.headers["X-Frame-Options"] == "SAMEORIGIN"


@pytest.mark.parametrize(("given", "external_id"), [("ada", "ada"), ("", None)])
async def test_it_can_be_tried_as_anybody(
    office: Office, operator: httpx2.AsyncClient, given: str, external_id: str | None
) -> None:
    place = f"/dashboard/templates/{office.template_id}"
    talk = await sent(operator, place, f"{place}/talk", version="1", external_id=given, resume="yes")
    assert (await joined(office, talk)).external_id == external_id
    noted = await office.store.read("test", audit.listed, audit.AuditFilter(action="template.tried"), Span(limit=9))
    assert [(entry.action, entry.actor_kind) for entry in noted.items] == [("template.tried", "operator")]


async def test_a_junk_id_is_refused_by_name(office: Office, operator: httpx2.AsyncClient) -> None:
    place = f"/dashboard/templates/{office.template_id}"
    refused = await sent(operator, place, f"{place}/talk", version="1", external_id="undefined")
    assert refused.status_code == 400
    assert "external_id" in refused.text
    assert "frame-ancestors 'self'" in refused.headers["Content-Security-Policy"], "it stands in a frame"
    assert refused.headers["X-Frame-Options"] == "SAMEORIGIN"


async def test_what_is_not_there_is_not_found(operator: httpx2.AsyncClient) -> None:
    assert (await operator.get("/dashboard/templates/tpl_nope")).status_code == 404


async def test_all_text_is_text(office: Office, operator: httpx2.AsyncClient) -> None:
    evil = "</textarea><script>alert(1)</script>"
    template = {**TEMPLATE, "name": evil, evil: evil}
    office.template_id = await office.store.write("test", templates.create, template, office.ids)
    for address in (f"/dashboard/templates/{office.template_id}", "/dashboard/templates"):
        page = await operator.get(address)
        assert page.status_code == 200
        assert "<script>alert" not in page.text
