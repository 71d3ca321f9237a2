"""The audit log and the receipts: every line in its place, found by what, by whom and about whom; checked offline."""

import json
from pathlib import Path

import httpx2
from typer.testing import CliRunner

from roxels import cli
from roxels.actions.audit import ACTIONS
from roxels.actions.eraser import Erased
from roxels.storage import operators
from roxels.storage.audit import Actor
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


async def test_every_kind_of_line_has_words(office: Office, operator: httpx2.AsyncClient) -> None:
    for number, action in enumerate(ACTIONS):
        actor = Actor("key", f"key_{number}")
        await office.store.write("test", office.services.audit.note, actor, action, ("person", "p"), count=number)
    page = await shown(operator, "/dashboard/audit")
    for action, sentence in ACTIONS.items():
        assert action in page.text
        assert sentence.split("`")[0].strip() in page.text


async def test_lines_are_found_by_what_by_whom_and_about_whom(office: Office, operator: httpx2.AsyncClient) -> None:
    note = office.services.audit.note
    await office.store.write("test", note, Actor("key", "key_1"), "key.created", None, id="key_7")
    await office.store.write("test", note, Actor("operator", "op_2"), "memory.forgotten", ("person", "person_1"))
    opened = await office.visit()
    await operator.get(f"/dashboard/conversations/{opened.conversation_id}")
    everything = await shown(operator, "/dashboard/audit")
    for expected in (
        "A secret key was made.",
        "by an API key key_1",
        "id key_7",
        "A line of what is remembered of a person was deleted.",
        "An operator looked at a conversation.",
        "by an operator (you)",
        "in both environments",
    ):
        assert expected in everything.text, expected
    for query, kept, gone in (
        ("action=key.created", "by an API key", "about a person"),
        ("actor=op_2", "about a person", "by an API key"),
        ("about=person_1", "about a person", "by an API key"),
        (f"about={opened.conversation_id}", "about a conversation", "about a person"),
        ("action=nonsense", "by an API key", "Nothing in test fits"),
    ):
        found = (await shown(operator, f"/dashboard/audit?{query}")).text
        assert kept in found, query
        assert gone not in found, query
    assert "No line like that" in (await shown(operator, "/dashboard/audit?actor=nobody")).text


async def test_a_sign_in_that_was_refused_was_nobody_s_who_is_known(
    office: Office, operator: httpx2.AsyncClient, stranger: httpx2.AsyncClient
) -> None:
    await sign_in(stranger, "not the password")
    page = await shown(operator, "/dashboard/audit?action=operator.refused")
    account = await office.store.read_across(operators.by_email, EMAIL)
    assert account
    assert f"by somebody unknown, as {account[0].id}" in page.text
    assert "(you)" not in page.text
    assert "by an operator (you)" in (await shown(operator, "/dashboard/audit?action=operator.signed_in")).text


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
    assert first.text.count("A secret key was made.") == 50
    assert second.text.count("A secret key was made.") == 10
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
