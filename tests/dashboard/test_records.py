"""The audit log and the receipts: every line in its place, found by what, by whom and about whom; checked offline."""

import json
from pathlib import Path

import httpx2
from typer.testing import CliRunner

from roxels import cli
from roxels.actions import manage
from roxels.actions.audit import ACTIONS
from roxels.actions.eraser import Erased
from roxels.dashboard import deeds
from roxels.storage.audit import COMMAND, Actor
from roxels.testing import FakeClock
from tests.dashboard.office import EMAIL, ORIGIN, Office, sign_in
from tests.dashboard.test_pages import shown


async def erased(office: Office, external_id: str) -> tuple[str, str]:
    """Somebody who came and was erased: her id, and that of the receipt."""
    person = (await office.visit(external_id)).person
    done = await office.services.eraser.person("test", person.id, "dashboard", Actor("operator", "op_9"))
    assert isinstance(done, Erased)
    return person.id, done.receipt.id


# Audit --------------------------------------------------------------------------------------------------------------


async def test_every_kind_of_line_is_a_sentence_and_a_choice(office: Office, operator: httpx2.AsyncClient) -> None:
    assert list(deeds.DEEDS) == list(ACTIONS)
    for action in ACTIONS:
        await office.store.write("test", office.services.audit.note, COMMAND, action, ("person", "p"))
    page = await shown(operator, "/dashboard/audit")
    for deed in deeds.choices().values():
        assert page.text.count(deed) >= (1 if "conversation" in deed or "person or" in deed else 2), deed
    assert "A command on the server erased a person" in page.text
    for action in ACTIONS:
        assert action not in page.text


async def test_a_line_names_what_still_stands_and_leads_there(office: Office, operator: httpx2.AsyncClient) -> None:
    note, ids = office.services.audit.note, office.services.ids
    key, _ = await office.store.write("test", manage.create_api_key, "production server", ids)
    await office.store.write("test", note, Actor("key", key.id), "key.created", None, id=key.id)
    await office.store.write("test", note, Actor("key", "key_gone"), "secret.deleted", None, id="sec_gone")
    await office.store.write("test", note, Actor("browser"), "identity.token_refused", None, why="signature")
    await office.store.write("test", note, COMMAND, "retention.changed", None, transcripts_days=30, audit_days=None)
    opened = await office.visit("ada", "Ada Lovelace")
    await operator.get(f"/dashboard/conversations/{opened.conversation_id}")
    await operator.get(f"/dashboard/people/{opened.person.id}")
    await erased(office, "bob")
    page = await shown(operator, "/dashboard/audit")
    for expected in (
        "The API key production server made an API key: production server",
        "An API key deleted a secret for outputs: sec_gone",
        "A browser brought an identity token that was refused: its signature did not hold",
        "changed for how long what is kept: conversations for 30 days, lines of the audit log for ever",
        "You looked at a conversation",
        "You looked at the page of Ada Lovelace",
        "An operator erased a person : from the dashboard, see the receipt",
        "You signed in both environments",
    ):
        assert expected in page.text, expected
    for link in (f"conversations/{opened.conversation_id}", f"people/{opened.person.id}", "keys", "receipts/rcpt_1"):
        assert f"/dashboard/{link}" in page.links


async def test_lines_are_found_by_what_by_whom_and_about_whom(office: Office, operator: httpx2.AsyncClient) -> None:
    note = office.services.audit.note
    await office.store.write("test", note, Actor("key", "key_1"), "key.created", None, id="key_7")
    await office.store.write("test", note, Actor("operator", "op_2"), "memory.forgotten", ("person", "person_gone"))
    opened = await office.visit()
    await operator.get(f"/dashboard/conversations/{opened.conversation_id}")
    await operator.get(f"/dashboard/people/{opened.person.id}")
    whole = await shown(operator, "/dashboard/audit")
    about_the_same = next(link for link in whole.links if "?about=" in link)
    key, memory, view = "An API key made", "An operator deleted", "You looked at a conversation"
    for query, kept, gone in (
        ("?action=key.created", key, memory),
        ("?actor=op_2", memory, key),
        ("?about=person_gone", memory, key),
        (about_the_same.partition("/audit")[2], memory, key),
        (f"?about={opened.conversation_id}", view, memory),
        ("?about=ada", "You looked at the page of ada", view),
        ("?action=nonsense", key, "Nothing in test fits"),
    ):
        found = (await shown(operator, f"/dashboard/audit{query}")).text
        assert kept in found, query
        assert gone not in found, query
    assert "No line like that" in (await shown(operator, "/dashboard/audit?actor=nobody")).text


async def test_a_sign_in_that_was_refused_was_nobody_s_who_is_known(
    operator: httpx2.AsyncClient, stranger: httpx2.AsyncClient
) -> None:
    await sign_in(stranger, "not the password")
    refused = (await shown(operator, "/dashboard/audit?action=operator.refused")).text
    assert f"Somebody unknown was refused at the sign-in as {EMAIL}" in refused
    assert "You " not in refused
    assert "You signed in" in (await shown(operator, "/dashboard/audit?action=operator.signed_in")).text


async def test_many_lines_stand_on_several_pages_of_their_filter(
    office: Office, operator: httpx2.AsyncClient, clock: FakeClock
) -> None:
    for number in range(60):
        actor = Actor("key", "key_1")
        await office.store.write("test", office.services.audit.note, actor, "key.created", None, count=number)
        clock.advance(1)
    first = await shown(operator, "/dashboard/audit?actor=key_1")
    older = [link for link in first.links if "cursor=" in link]
    second = await shown(operator, f"/dashboard/audit{older[0]}")
    assert first.text.count("An API key made") == 50
    assert second.text.count("An API key made") == 10
    await shown(operator, "/dashboard/audit?cursor=nonsense", 400)


# Receipts -----------------------------------------------------------------------------------------------------------


async def test_receipts_stand_newest_first_and_are_found_by_an_id(
    office: Office, operator: httpx2.AsyncClient, clock: FakeClock
) -> None:
    assert "Nothing was erased yet" in (await shown(operator, "/dashboard/receipts")).text
    ada, first = await erased(office, "ada")
    clock.advance(60)
    bob, second = await erased(office, "bob")
    page = await shown(operator, "/dashboard/receipts")
    assert [link for link in page.links if link.startswith("/dashboard/receipts/")] == [
        f"/dashboard/receipts/{second}",
        f"/dashboard/receipts/{first}",
    ]
    assert f"{ORIGIN}/v1/receipts/key > keys.json" in page.text
    found = await shown(operator, f"/dashboard/receipts?about={ada}")
    assert f"/dashboard/receipts/{first}" in found.links
    assert f"/dashboard/receipts/{second}" not in found.links
    assert bob != ada
    assert "No receipt about this id" in (await shown(operator, "/dashboard/receipts?about=nobody")).text


async def test_many_receipts_stand_on_several_pages(office: Office, operator: httpx2.AsyncClient) -> None:
    ids = [(await erased(office, f"user-{number}"))[1] for number in range(52)]
    first = await shown(operator, "/dashboard/receipts")
    older = [link for link in first.links if link.startswith("?cursor=")]
    second = await shown(operator, f"/dashboard/receipts{older[0]}")
    links = [link.rpartition("/")[2] for page in (first, second) for link in page.links if "/receipts/rcpt" in link]
    assert links == ids[::-1]
    assert (await operator.get("/dashboard/receipts?cursor=nonsense")).status_code == 400


async def test_the_file_of_a_receipt_is_verified_by_the_command_beside_it(
    office: Office, operator: httpx2.AsyncClient, tmp_path: Path
) -> None:
    await erased(office, "ada")
    _, receipt_id = await erased(office, "bob")
    page = await shown(operator, f"/dashboard/receipts/{receipt_id}")
    told = next(text for text in page.texts if "receipt verify" in text).splitlines()[-1]
    assert told.startswith("roxels receipt verify receipt.json --keys keys.json --after ")
    file = await operator.get(f"/dashboard/receipts/{receipt_id}/file")
    assert file.headers["content-disposition"] == 'attachment; filename="receipt.json"'
    keys = await operator.get("/v1/receipts/key")
    (tmp_path / "receipt.json").write_text(file.text)
    (tmp_path / "keys.json").write_text(keys.text)
    command = [str(tmp_path / word) if word.endswith(".json") else word for word in told.split()[1:]]
    checked = CliRunner().invoke(cli.app, command)
    assert checked.exit_code == 0, checked.output
    altered = json.loads(file.text) | {"reason": "api"}
    (tmp_path / "receipt.json").write_text(json.dumps(altered))
    assert CliRunner().invoke(cli.app, command).exit_code == 1
