"""The page of settings: rules that are looked at before they hold, who is told what happens, what it runs with."""

import re
from typing import Any

import httpx2
import pytest

from roxels.actions import lifecycle as telling
from roxels.domain.lifecycle import EVENTS
from roxels.storage import lifecycle, retention
from roxels.storage.lifecycle import Hook
from roxels.storage.pages import Span
from roxels.testing import FakeClock
from tests.dashboard.office import Office, csrf, sign_in
from tests.dashboard.test_pages import shown

PLACE = "/dashboard/settings"
URL = "https://ops.example.com/roxels"


async def send(operator: httpx2.AsyncClient, path: str, **form: Any) -> httpx2.Response:
    """Send a form of the page."""
    token = csrf(await operator.get(PLACE))
    return await operator.post(f"{PLACE}{path}", data={"csrf": token} | form)


async def keep(operator: httpx2.AsyncClient, looked: httpx2.Response, **typed: str) -> httpx2.Response:
    """Keep the rule of a page that shows what one removes, whatever is typed into its fields meanwhile."""
    carried = dict(re.findall(r'type="hidden" name="(looked_\w+)" value="(\d*)"', looked.text))
    return await send(operator, "/retention", **(carried | typed | {"as": "keep"}))


async def hooks(office: Office) -> list[Hook]:
    """Who is told."""
    return (await office.store.read("test", lifecycle.listed, Span())).items


async def test_it_says_what_this_installation_runs_with(office: Office, operator: httpx2.AsyncClient) -> None:
    page = await shown(operator, PLACE)
    for expected in (
        office.origin,
        "a guess: ROXELS_PUBLIC_URL is not set",
        "Database SQLite",
        "the scripted speaker",
        "Everything is kept for ever",
        "out of reach for outputs",
    ):
        assert expected in page.text, expected
    assert "/docs" in page.links


# Retention ----------------------------------------------------------------------------------------------------------


async def test_a_rule_is_looked_at_before_it_is_kept(
    office: Office, operator: httpx2.AsyncClient, clock: FakeClock
) -> None:
    await office.visit()
    clock.advance(40 * 86400)
    await sign_in(operator)
    looked = await send(operator, "/retention", transcripts_days="30", deliveries_days="", audit_days="")
    assert looked.status_code == 200
    assert "would now remove <strong>1</strong> conversations" in looked.text
    assert 'value="30"' in looked.text
    assert (await office.store.read("test", retention.get)).transcripts_days is None
    kept = await keep(operator, looked, transcripts_days="30", deliveries_days="", audit_days="365")
    assert kept.status_code == 200, "other numbers than those whose removal stands on the page"
    assert "Other numbers were typed than were looked at" in kept.text
    assert (await office.store.read("test", retention.get)).transcripts_days is None
    kept = await keep(operator, kept, transcripts_days="30", deliveries_days="", audit_days="365")
    assert kept.status_code == 303
    rule = await office.store.read("test", retention.get)
    assert (rule.transcripts_days, rule.deliveries_days, rule.audit_days) == (30, None, 365)
    assert (await office.store.read("live", retention.get)).transcripts_days is None
    page = await shown(operator, f"{PLACE}?saved=retention")
    assert "applied within the hour" in page.text
    assert "You changed for how long what is kept" in (await shown(operator, "/dashboard/audit")).text


async def test_a_rule_that_nobody_looked_at_is_not_kept(
    office: Office, operator: httpx2.AsyncClient, clock: FakeClock
) -> None:
    await office.visit()
    clock.advance(40 * 86400)
    await sign_in(operator)
    for typed in ({"transcripts_days": "30"}, {}):
        shown_first = await send(operator, "/retention", **(typed | {"as": "keep"}))
        assert shown_first.status_code == 200
        assert "Keep this rule" in shown_first.text
    looked = await send(operator, "/retention", transcripts_days="90")
    assert "Nothing is that old now" in looked.text
    instead = await keep(operator, looked, transcripts_days="30")
    assert instead.status_code == 200
    assert "would now remove <strong>1</strong> conversations" in instead.text
    assert (await office.store.read("test", retention.get)).transcripts_days is None


@pytest.mark.parametrize("days", ["0", "-3", "1.5", "soon", "36501", "٣"])
async def test_days_that_are_none_are_refused_beside_their_field(
    office: Office, operator: httpx2.AsyncClient, days: str
) -> None:
    refused = await send(operator, "/retention", deliveries_days=days, **{"as": "keep"})
    assert refused.status_code == 400
    assert 'id="fault-deliveries_days" role="alert"' in refused.text
    assert f'value="{days}"' in refused.text


# Lifecycle webhooks -------------------------------------------------------------------------------------------------


async def test_an_address_is_told_told_otherwise_and_told_no_more(office: Office, operator: httpx2.AsyncClient) -> None:
    assert (await send(operator, "/webhooks", url=URL, events=list(EVENTS[:2]))).status_code == 303
    (hook,) = await hooks(office)
    assert (hook.url, hook.events) == (URL, EVENTS[:2])
    assert URL in (await shown(operator, PLACE)).text
    changed = await send(operator, f"/webhooks/{hook.id}", url=f"{URL}/2", events=["person.erased"])
    assert changed.status_code == 303
    (hook,) = await hooks(office)
    assert (hook.url, hook.events) == (f"{URL}/2", ("person.erased",))
    assert (await send(operator, f"/webhooks/{hook.id}/remove")).status_code == 303
    assert await hooks(office) == []
    assert (await send(operator, f"/webhooks/{hook.id}/remove")).status_code == 404
    log = (await shown(operator, "/dashboard/audit")).text
    for expected in (
        "You had an address told nothing more",
        "You changed an address that is told",
        "You had an address told of",
    ):
        assert expected in log


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"url": ""}, "url"),
        ({"url": "ftp://example.com"}, "url"),
        ({"url": "https://example.com/{{context.plan}}"}, "url"),
        ({"url": "https://example.com/" + "x" * 2048}, "url"),
        ({"events": []}, "events"),
        ({"events": ["nonsense"]}, "events"),
    ],
)
async def test_what_is_wrong_with_an_address_stands_beside_it(
    office: Office, operator: httpx2.AsyncClient, form: dict[str, Any], field: str
) -> None:
    refused = await send(operator, "/webhooks", **({"url": URL, "events": list(EVENTS)} | form))
    assert refused.status_code == 400
    assert f'id="fault-{field}" role="alert"' in refused.text
    await send(operator, "/webhooks", url=URL, events=list(EVENTS))
    (hook,) = await hooks(office)
    again = await send(operator, f"/webhooks/{hook.id}", **({"url": URL, "events": list(EVENTS)} | form))
    assert again.status_code == 400
    assert again.text.count('role="alert"') == 1


async def test_there_are_not_more_than_can_be_told(office: Office, operator: httpx2.AsyncClient) -> None:
    for _ in range(telling.MOST):
        await office.store.write("test", telling.create, URL, EVENTS, office.ids)
    refused = await send(operator, "/webhooks", url=URL, events=list(EVENTS))
    assert refused.status_code == 409
    assert "lifecycle webhooks already" in refused.text
