"""A person's page beyond what she said: proven apart from unproven, adoption and its undo, devices, the export."""

import io
import re
import zipfile
from typing import Any

import httpx2

from roxels.actions.open import Opened
from roxels.dashboard.people import LINES
from roxels.domain.events import FieldCaptured, PersonSaid, SessionJoined
from roxels.domain.proof import Proof
from roxels.domain.receipts import subject_of
from roxels.storage import audit, conversations, devices
from roxels.storage.pages import Span
from roxels.storage.transaction import Reading
from roxels.testing import FakeClock
from tests.dashboard import people
from tests.dashboard.office import Office, csrf, sign_in
from tests.dashboard.test_pages import shown


async def send(operator: httpx2.AsyncClient, page: str, path: str, **form: str) -> httpx2.Response:
    """Send a form of that page."""
    return await operator.post(path, data={"csrf": csrf(await operator.get(page))} | form)


async def owner(office: Office, opened: Opened) -> str | None:
    """Whose the conversation is."""
    return await office.store.read("test", conversations.owner, opened.conversation_id)


async def actions(operator: httpx2.AsyncClient) -> str:
    """The audit log."""
    return (await shown(operator, "/dashboard/audit")).text


async def test_what_is_not_proven_stands_apart(office: Office, operator: httpx2.AsyncClient) -> None:
    proven = await people.verified(office, "ada", "Ada Lovelace")
    claimed = await office.visit("ada")
    page = await shown(operator, f"/dashboard/people/{proven.person.id}")
    assert "Proven to be theirs 1" in page.text
    hers, _, unproven = page.text.partition("Said under this name, not proven 1")
    assert "verified" in hers
    assert "claimed" not in hers
    assert "claimed" in unproven
    assert f"/dashboard/conversations/{claimed.conversation_id}/adopt" in page.links
    assert f"/dashboard/conversations/{proven.conversation_id}/adopt" not in page.links


async def test_a_page_of_many_conversations_counts_none_that_it_does_not_show(
    office: Office, operator: httpx2.AsyncClient, clock: FakeClock
) -> None:
    first = await people.verified(office, "ada", "Ada Lovelace")
    for _ in range(30):
        clock.advance(1)
        await office.visit("ada", resume=False)
    page = await shown(operator, f"/dashboard/people/{first.person.id}")
    assert "Said under this name, not proven Anybody" in page.text
    (older,) = [link for link in page.links if link.startswith("?cursor=")]
    last = await shown(operator, f"/dashboard/people/{first.person.id}{older}")
    assert re.search(r"Proven to be theirs (?!\d)", last.text)


async def test_one_list_where_there_is_nothing_to_keep_apart(office: Office, operator: httpx2.AsyncClient) -> None:
    for opened in (await people.verified(office, "ada"), await office.visit("bob"), await office.visit(None)):
        page = await shown(operator, f"/dashboard/people/{opened.person.id}")
        assert "Proven to be theirs" not in page.text


async def test_an_unproven_talk_is_adopted_and_given_back(office: Office, operator: httpx2.AsyncClient) -> None:
    claimed = await office.visit("ada")
    hers, talk = f"/dashboard/people/{claimed.person.id}", f"/dashboard/conversations/{claimed.conversation_id}"
    ids = {"from": claimed.person.id, "whose": claimed.person.id}
    adopted = await send(operator, hers, f"{talk}/adopt", **ids)
    assert (adopted.status_code, adopted.headers["location"]) == (303, hers)
    page = await shown(operator, hers)
    assert "adopted just now Undo" in page.text
    assert "Adopted by ada" in (await shown(operator, talk)).text
    assert "by an operator, your server, or a verified visit" in (await shown(operator, talk)).text
    undone = await send(operator, hers, f"{talk}/adopt/undo", **ids)
    assert (undone.status_code, undone.headers["location"]) == (303, hers)
    assert f"{talk}/adopt" in (await shown(operator, hers)).links
    log = await actions(operator)
    assert "You adopted a conversation" in log
    assert "You undid the adoption of a conversation" in log


async def test_an_anonymous_talk_is_given_to_whom_the_operator_names(
    office: Office, operator: httpx2.AsyncClient
) -> None:
    ada = (await people.verified(office, "ada", "Ada Lovelace")).person
    nobody = await office.visit(None)
    talk = f"/dashboard/conversations/{nobody.conversation_id}"
    assert "becomes known to the verified visits of this person" in (await operator.get(talk)).text
    for whose in ("ada", ada.id):
        adopted = await send(operator, talk, f"{talk}/adopt", whose=f" {whose} ")
        assert (adopted.status_code, adopted.headers["location"]) == (303, talk)
        assert await owner(office, nobody) == ada.id
        assert "At first it was somebody else’s" in (await shown(operator, talk)).text
        await send(operator, talk, f"{talk}/adopt/undo")
        assert await owner(office, nobody) == nobody.person.id


async def test_who_has_no_conversation_is_told_what_is_true_of_them(
    office: Office, operator: httpx2.AsyncClient
) -> None:
    ada = (await people.verified(office, "ada", "Ada Lovelace")).person
    nobody = await office.visit(None)
    place, talk = f"/dashboard/people/{nobody.person.id}", f"/dashboard/conversations/{nobody.conversation_id}"
    await send(operator, talk, f"{talk}/adopt", whose="ada")
    page = await shown(operator, place)
    assert "What was said here is adopted, and belongs to Ada Lovelace now." in page.text
    assert f"/dashboard/people/{ada.id}" in page.links
    assert "begins one" not in page.text
    await send(operator, talk, f"{talk}/adopt/undo")
    assert "is adopted" not in (await shown(operator, place)).text
    for opened, true in ((nobody, "no later visit is known as this one"), (await office.visit("bob"), "as bob begins")):
        await office.services.eraser.conversation("test", opened.conversation_id, "dashboard")
        page = await shown(operator, f"/dashboard/people/{opened.person.id}")
        assert true in page.text
        assert "adopted" not in page.text


async def test_a_name_that_is_nobodys_is_refused_beside_its_field(office: Office, operator: httpx2.AsyncClient) -> None:
    nobody = await office.visit(None)
    talk = f"/dashboard/conversations/{nobody.conversation_id}"
    for whose in ("who?", "", "x" * 301):
        refused = await send(operator, talk, f"{talk}/adopt", whose=whose)
        assert refused.status_code == 400
        assert 'id="fault-whose" role="alert"' in refused.text
    other = await people.verified(office, "ada")
    verified = f"/dashboard/conversations/{other.conversation_id}"
    assert "as your server says" in (await shown(operator, verified)).text
    refused = await send(operator, talk, f"{verified}/adopt", whose=nobody.person.id)
    assert refused.status_code == 409
    assert (await send(operator, talk, f"{talk}/adopt/undo")).status_code == 409


async def test_devices_are_listed_and_revoked(office: Office, operator: httpx2.AsyncClient) -> None:
    opened = await office.visit("ada", proof=Proof.verified, method="identity_token", browser="b1")
    hers = f"/dashboard/people/{opened.person.id}"
    page = await shown(operator, hers)
    assert "Devices 1 app.example.com verified Revoke" in page.text
    (device,) = await office.store.read("test", devices.of_person, opened.person.id)
    path = f"{hers}/devices/{device.id}/revoke"
    assert (await send(operator, hers, path)).headers["location"] == f"{hers}#devices"
    after = await shown(operator, hers)
    assert "app.example.com revoked" in after.text
    assert path not in after.links
    assert "The visit was revoked" in (await shown(operator, f"/dashboard/conversations/{opened.conversation_id}")).text
    assert "You made a device a stranger to" in await actions(operator)
    other = await office.visit("bob")
    wrong = await send(operator, hers, f"/dashboard/people/{other.person.id}/devices/{device.id}/revoke")
    assert wrong.status_code == 404


async def test_what_was_carried_over_leads_to_the_note_of_it(office: Office, operator: httpx2.AsyncClient) -> None:
    opened = await office.visit("ada")
    carried = FieldCaptured(goal_id="your_team", field="company", value="Acme", by="corrected")
    await office.record(opened, SessionJoined(), carried)
    talk = f"/dashboard/conversations/{opened.conversation_id}"
    page = await shown(operator, f"/dashboard/people/{opened.person.id}")
    (link,) = [link for link in page.links if link.startswith(f"{talk}#n-")]
    assert link.partition("#")[2] in (await shown(operator, talk)).ids


async def test_a_line_leads_to_the_very_sentence(office: Office, operator: httpx2.AsyncClient) -> None:
    opened = await office.visit("ada")
    await people.talk(office, opened)
    page = await shown(operator, f"/dashboard/people/{opened.person.id}")
    talk = f"/dashboard/conversations/{opened.conversation_id}"
    anchors = {link.partition("#")[2] for link in page.links if link.startswith(f"{talk}#")}
    assert anchors
    assert anchors <= set((await shown(operator, talk)).ids)


async def test_no_sentence_is_kept_back_in_silence(office: Office, operator: httpx2.AsyncClient) -> None:
    opened = await office.visit("ada")
    said = [PersonSaid(id=f"m{n}", text=f"Sentence number {n}.") for n in range(LINES + 3)]
    await office.record(opened, SessionJoined(), *said)
    place = f"/dashboard/people/{opened.person.id}"
    page = await shown(operator, place)
    assert f"In their own words {LINES + 3}" in page.text
    assert f"These are the newest {LINES}; 3 more were said before." in page.text
    assert "Sentence number 0." not in page.text
    (all_of_them,) = [link for link in page.links if link.startswith("?lines=")]
    whole = await shown(operator, place + all_of_them)
    for each in said:
        assert each.text in whole.text
    assert "more were said before" not in whole.text


async def test_all_that_is_kept_of_her_is_exported(
    office: Office, operator: httpx2.AsyncClient, clock: FakeClock
) -> None:
    opened = await office.visit("ada", "Ada Lovelace")
    await people.talk(office, opened)
    hers = f"/dashboard/people/{opened.person.id}"
    begun = await send(operator, hers, f"{hers}/export")
    assert begun.status_code == 303
    address = begun.headers["location"]
    await office.services.jobs.settle()
    page = await shown(operator, address)
    assert "The export is ready" in page.text
    file = await operator.get(f"{address}/file")
    assert file.headers["content-type"] == "application/zip"
    assert file.headers["cache-control"] == "no-store"
    assert re.match(r'attachment; filename="job_\d+\.zip"', file.headers["content-disposition"])
    names = zipfile.ZipFile(io.BytesIO(file.content)).namelist()
    assert any(name.endswith(".json") for name in names)
    log = await actions(operator)
    assert "You asked for an export of" in log
    assert "You fetched the export of" in log
    clock.advance(25 * 3600)
    await office.services.jobs.tidy()
    await sign_in(operator)
    for gone in (address, f"{address}/file"):
        await shown(operator, gone, 404)
    assert (await send(operator, hers, "/dashboard/people/x/export")).status_code == 404


async def test_who_looked_at_a_person_stands_in_the_audit_log(
    office: Office, operator: httpx2.AsyncClient, clock: FakeClock
) -> None:
    person = (await office.visit("ada")).person
    place = f"/dashboard/people/{person.id}"

    async def looks() -> int:
        return len(await office.store.read("test", every_view, person.id, office))

    await operator.get(place)
    assert await looks() == 1
    redrawn = {"sec-fetch-dest": "empty"}
    for _ in range(3):
        await operator.get(place, headers=redrawn)
        clock.advance(60)
    assert await looks() == 1, "a page that stays open is one look"
    clock.advance(3600)
    await operator.get(place, headers=redrawn)
    await operator.get(place)
    assert await looks() == 3


def every_view(tx: Reading, person_id: str, office: Office) -> list[Any]:
    """The lines about looks at this person."""
    subject = subject_of(office.services.audit.salt, "person", person_id)
    return list(audit.listed(tx, audit.AuditFilter(action="person.viewed", subjects=[subject]), Span(limit=50)).items)
