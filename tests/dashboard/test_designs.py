"""Templates in the dashboard: made, faulty, changed, kept as a draft, published, gone back to, tried."""

import json
from typing import Any

import httpx2
import pytest

from roxels.actions import author
from roxels.dashboard.designs import ABOUT, STARTS
from roxels.domain import soundness
from roxels.storage import audit, sessions, templates
from roxels.storage.pages import Span
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


@pytest.mark.parametrize(("given", "external_id"), [("ada", "ada"), ("", None)])
async def test_it_can_be_tried_as_anybody(
    office: Office, operator: httpx2.AsyncClient, given: str, external_id: str | None
) -> None:
    place = f"/dashboard/templates/{office.template_id}"
    talk = await sent(operator, place, f"{place}/talk", external_id=given, resume="yes")
    assert talk.status_code == 303
    interview_id, _, secret = talk.headers["location"].partition("/join/i/")[2].partition("#")
    visit = await office.store.read_across(sessions.by_join_secret, interview_id, secret)
    assert visit is not None
    assert visit.external_id == external_id
    noted = await office.store.read("test", audit.listed, audit.AuditFilter(action="template.tried"), Span(limit=9))
    assert [(entry.action, entry.actor_kind) for entry in noted.items] == [("template.tried", "operator")]


async def test_a_junk_id_is_refused_by_name(office: Office, operator: httpx2.AsyncClient) -> None:
    place = f"/dashboard/templates/{office.template_id}"
    refused = await sent(operator, place, f"{place}/talk", external_id="undefined")
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
