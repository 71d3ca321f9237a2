"""Erasing from the dashboard: asked for once, then gone, with a receipt that holds."""

import re
from html import unescape

import httpx2
import msgspec

from roxels.domain.receipts import Receipt, broken
from roxels.storage.database import Database
from roxels.storage.vault import Keyring, verifiers
from tests.dashboard import people
from tests.dashboard.markup import Markup
from tests.dashboard.office import Office, csrf


async def erase(operator: httpx2.AsyncClient, address: str) -> httpx2.Response:
    """Ask, confirm, and read the receipt's page."""
    asked = await operator.get(f"{address}/erase")
    done = await operator.post(f"{address}/erase", data={"csrf": csrf(asked)})
    assert done.status_code == 303
    return await operator.get(done.headers["location"])


def receipt_on(page: httpx2.Response) -> Receipt:
    """The receipt as it stands on its page, to be copied."""
    found = re.search(r'<pre id="receipt"[^>]*>(.*?)</pre>', page.text, re.DOTALL)
    assert found
    return msgspec.json.decode(unescape(found.group(1)), type=Receipt)


async def test_a_person_is_erased_with_a_receipt_that_holds(office: Office, operator: httpx2.AsyncClient) -> None:
    opened = await office.visit("ada", "Ada Lovelace")
    await people.talk(office, opened)
    await office.visit("bob", "Bob")
    address = f"/dashboard/people/{opened.person.id}"
    asked = Markup((await operator.get(f"{address}/erase")).text)
    assert "1 conversation: transcripts" in asked.text
    assert "Whoever comes as ada afterwards is a stranger." in asked.text
    page = await erase(operator, address)
    receipt = receipt_on(page)
    assert isinstance(office.store.database, Database)
    keyring = Keyring.load(office.store.database.path.parent / "keys", office.ids.key)
    assert broken([receipt], verifiers(keyring.signer.public_keys)) is None
    assert receipt.reason == "dashboard"
    assert receipt.counts["persons"] == 1
    assert "Ada" not in page.text
    for gone in (address, f"{address}/erase", f"/dashboard/conversations/{opened.conversation_id}"):
        assert (await operator.get(gone)).status_code == 404
    everyone = (await operator.get("/dashboard/")).text
    assert "Ada" not in everyone
    assert "Bob" in everyone


async def test_a_conversation_is_erased_and_its_person_stays(office: Office, operator: httpx2.AsyncClient) -> None:
    opened = await office.visit("ada", "Ada Lovelace")
    await people.talk(office, opened)
    address = f"/dashboard/conversations/{opened.conversation_id}"
    receipt = receipt_on(await erase(operator, address))
    assert receipt.counts["conversations"] == 1
    assert (await operator.get(address)).status_code == 404
    person = Markup((await operator.get(f"/dashboard/people/{opened.person.id}")).text)
    assert "No conversation yet." in person.text
    assert "Analytical" not in person.text


async def test_asking_again_brings_the_same_receipt(office: Office, operator: httpx2.AsyncClient) -> None:
    opened = await office.visit()
    address = f"/dashboard/people/{opened.person.id}"
    form = {"csrf": csrf(await operator.get(f"{address}/erase"))}
    first = await operator.post(f"{address}/erase", data=form)
    again = await operator.post(f"{address}/erase", data=form)
    assert first.headers["location"] == again.headers["location"]


async def test_looking_does_not_erase(office: Office, operator: httpx2.AsyncClient) -> None:
    opened = await office.visit()
    address = f"/dashboard/people/{opened.person.id}"
    for _ in range(2):
        assert (await operator.get(f"{address}/erase")).status_code == 200
    assert (await operator.get(address)).status_code == 200
