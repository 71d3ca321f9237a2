"""The pages about deliveries: found by status, whole with what is sent and every attempt, and sent again."""

from datetime import timedelta

import httpx2

from roxels.actions.open import Opened
from roxels.domain.rendering import Frozen
from roxels.storage import deliveries, schema
from roxels.storage.deliveries import Attempt
from roxels.storage.transaction import Writing
from roxels.testing import FakeClock
from tests.dashboard import people
from tests.dashboard.office import Office, csrf
from tests.dashboard.test_pages import shown

MADE = Frozen(
    url="https://ops:hunter2@example.com/hook",
    headers={"X-Key": "{{secret:crm}}"},
    body='{"company": "Analytical Engines"}',
    unknown=("context.plan",),
)


async def failed(office: Office, opened: Opened) -> str:
    """A delivery that was given up."""
    now = office.clock.now()
    attempts = [
        Attempt(n=1, at=now, status_code=None, duration_ms=3, error="connect", response_excerpt=None),
        Attempt(
            n=2,
            at=now + timedelta(seconds=1),
            status_code=404,
            duration_ms=12,
            error=None,
            response_excerpt="there is no such hook",
        ),
    ]
    return await people.owe(office, opened, MADE, status="failed", attempts=attempts)


async def test_deliveries_stand_newest_first_and_by_status(
    office: Office, operator: httpx2.AsyncClient, clock: FakeClock
) -> None:
    opened = await office.visit()
    first = await failed(office, opened)
    clock.advance(60)
    second = await people.owe(office, opened, MADE, status="delivered")
    everything = await shown(operator, "/dashboard/deliveries")
    assert [link for link in everything.links if link.startswith("/dashboard/deliveries/")] == [
        f"/dashboard/deliveries/{second}",
        f"/dashboard/deliveries/{first}",
    ]
    assert "answered 404, 2 attempts" in everything.text
    only = await shown(operator, "/dashboard/deliveries?status=failed")
    assert f"/dashboard/deliveries/{first}" in only.links
    assert f"/dashboard/deliveries/{second}" not in only.links
    assert "None that is waiting" in (await shown(operator, "/dashboard/deliveries?status=waiting")).text
    assert (await shown(operator, "/dashboard/deliveries?status=nonsense")).text == everything.text


async def test_whose_a_delivery_is_and_of_what_stands_there(office: Office, operator: httpx2.AsyncClient) -> None:
    opened = await office.visit("ada", "Ada Lovelace")
    delivery_id = await failed(office, opened)
    for address in ("/dashboard/deliveries", f"/dashboard/deliveries/{delivery_id}"):
        page = await shown(operator, address)
        for expected in ("Your team", "Ada Lovelace", "Getting started"):
            assert expected in page.text, address
        assert "your_team" not in page.text
        assert f"/dashboard/people/{opened.person.id}" in page.links
        assert f"/dashboard/templates/{office.template_id}" in page.links


async def test_many_deliveries_stand_on_several_pages_of_their_filter(
    office: Office, operator: httpx2.AsyncClient, clock: FakeClock
) -> None:
    opened = await office.visit()
    made = []
    for _ in range(60):
        made.append(await failed(office, opened))
        clock.advance(1)
    address, seen = "/dashboard/deliveries?status=failed", []
    while address:
        page = await shown(operator, address)
        seen += [link.rpartition("/")[2] for link in page.links if link.startswith("/dashboard/deliveries/del")]
        older = [link for link in page.links if "cursor=" in link]
        assert all("status=failed" in link for link in older)
        address = f"/dashboard/deliveries{older[0]}" if older else ""
    assert seen == made[::-1]


async def test_a_delivery_stands_there_whole(office: Office, operator: httpx2.AsyncClient) -> None:
    opened = await office.visit()
    page = await shown(operator, f"/dashboard/deliveries/{await failed(office, opened)}")
    for expected in (
        "No connection to the host: refused, reset or unreachable.",
        "there is no such hook",
        "POST https://***@example.com/hook",
        '{"company": "Analytical Engines"}',
        "X-Key {{secret:crm}}",
        "had no value and are empty: context.plan",
        "Send all that failed there",
    ):
        assert expected in page.text, expected
    assert "hunter2" not in page.text
    assert f"/dashboard/conversations/{opened.conversation_id}#outputs" in page.links


async def test_what_is_not_made_yet_says_so(office: Office, operator: httpx2.AsyncClient) -> None:
    waits = await people.owe(office, await office.visit(), MADE, status="waiting")

    def unmade(tx: Writing) -> None:
        tx.run(schema.deliveries.update().where(schema.deliveries.c.id == waits).values(recipe="{}"))

    await office.store.write("test", unmade)
    page = await shown(operator, f"/dashboard/deliveries/{waits}")
    assert "Not made yet" in page.text
    assert "It waits for an earlier delivery" in page.text


async def test_one_is_sent_again_and_all_that_failed_there(office: Office, operator: httpx2.AsyncClient) -> None:
    opened = await office.visit()
    ids = [await failed(office, opened), await failed(office, opened)]
    form = {"csrf": csrf(await operator.get(f"/dashboard/deliveries/{ids[0]}"))}
    sent = await operator.post(f"/dashboard/deliveries/{ids[0]}/send", data=form)
    assert (sent.status_code, sent.headers["location"]) == (303, f"/dashboard/deliveries/{ids[0]}")
    assert await _status(office, ids) == ["due", "failed"]
    await operator.post("/dashboard/deliveries/send", data=form | {"destination": "https://example.com:443"})
    assert "failed" not in await _status(office, ids)
    refused = await operator.post("/dashboard/deliveries/send", data=form | {"destination": "nowhere"})
    assert refused.status_code == 400


async def test_one_that_is_tried_again_later_can_be_sent_at_once(office: Office, operator: httpx2.AsyncClient) -> None:
    """Whoever has mended the receiver need not wait for the next attempt."""
    opened = await office.visit()
    tried = Attempt(n=1, at=office.clock.now(), status_code=500, duration_ms=3, error=None, response_excerpt=None)
    waiting = await people.owe(office, opened, MADE, status="waiting", attempts=[tried])
    for place in (f"deliveries/{waiting}", f"conversations/{opened.conversation_id}"):
        page = await shown(operator, f"/dashboard/{place}")
        assert "tried again later" in page.text
        assert "Send now" in page.text
        assert "Next attempt" in page.text
    form = {"csrf": csrf(await operator.get(f"/dashboard/deliveries/{waiting}"))}
    await operator.post(f"/dashboard/deliveries/{waiting}/send", data=form)
    assert await _status(office, [waiting]) == ["due"]


async def test_what_is_not_settled_has_no_such_button(office: Office, operator: httpx2.AsyncClient) -> None:
    opened = await office.visit()
    due = await people.owe(office, opened, MADE, status="due")
    page = await shown(operator, f"/dashboard/deliveries/{due}")
    assert f"/dashboard/deliveries/{due}/send" not in page.links
    assert "Next attempt" in page.text


async def _status(office: Office, ids: list[str]) -> list[str]:
    found = [await office.store.read("test", deliveries.get, each) for each in ids]
    return [each.status for each in found if each is not None]
