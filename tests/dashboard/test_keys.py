"""The pages of API keys, webhook secrets and identity secrets: made, told once, in force at once, revoked at once."""

import re

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from roxels.storage import audit, keys
from roxels.storage.pages import Span
from tests.dashboard.office import Office, csrf
from tests.dashboard.test_pages import shown

PLACES = ["keys", "webhook-secrets", "identity-secrets"]
PUBLIC_KEY = (
    Ed25519PrivateKey.from_private_bytes(bytes(32))
    .public_key()
    .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    .decode()
)


async def make(operator: httpx2.AsyncClient, place: str, **form: str) -> httpx2.Response:
    """Send the form for a new one."""
    token = csrf(await operator.get(f"/dashboard/{place}"))
    return await operator.post(f"/dashboard/{place}", data={"csrf": token, "name": "my server"} | form)


@pytest.mark.parametrize("place", PLACES)
async def test_a_value_is_told_once(office: Office, operator: httpx2.AsyncClient, place: str) -> None:
    assert "in test yet" in (await shown(operator, f"/dashboard/{place}")).text
    made = await make(operator, place)
    assert made.status_code == 201
    assert made.headers["cache-control"] == "no-store"
    values = re.findall(r"(?:sk_test_|whsec_|is_test_)[\w+/=-]+", made.text)
    assert len(set(values)) == 1
    again = await operator.get(f"/dashboard/{place}")
    assert values[0] not in again.text
    assert re.search("my server( HS256)? in force", (await shown(operator, f"/dashboard/{place}")).text)


@pytest.mark.parametrize("place", PLACES)
async def test_one_is_revoked_and_noted(office: Office, operator: httpx2.AsyncClient, place: str) -> None:
    await make(operator, place)
    page = await operator.get(f"/dashboard/{place}")
    found = re.search(rf'action="(/dashboard/{place}/[^"]+/revoke)"', page.text)
    assert found
    gone = await operator.post(found.group(1), data={"csrf": csrf(page)})
    assert (gone.status_code, gone.headers["location"]) == (303, f"/dashboard/{place}")
    after = await shown(operator, f"/dashboard/{place}")
    assert re.search("my server( HS256)? revoked", after.text)
    assert found.group(1) not in after.links
    noted = await office.store.read("test", audit.listed, audit.AuditFilter(), Span())
    done = [entry.action.partition(".")[2] for entry in noted.items if not entry.action.startswith("operator.")]
    assert done == ["revoked", "created"]
    missing = await operator.post(f"/dashboard/{place}/nope/revoke", data={"csrf": csrf(page)})
    assert missing.status_code == 404


async def test_an_api_key_works_until_it_is_revoked(office: Office, operator: httpx2.AsyncClient) -> None:
    made = await make(operator, "keys")
    value = re.findall(r"sk_test_\w+", made.text)[0]
    assert await office.store.read_across(keys.api_key_by_value, value) is not None
    found = re.search(r'action="(/dashboard/keys/[^"]+/revoke)"', made.text)
    assert found
    await operator.post(found.group(1), data={"csrf": csrf(made)})
    assert await office.store.read_across(keys.api_key_by_value, value) is None


async def test_the_first_key_of_live_is_made_here(office: Office, operator: httpx2.AsyncClient) -> None:
    operator.cookies.set("roxels_environment", "live", path="/dashboard")
    assert "sk_live_" in (await make(operator, "keys")).text
    operator.cookies.set("roxels_environment", "test", path="/dashboard")
    assert "No API key in test yet" in (await shown(operator, "/dashboard/keys")).text


async def test_a_public_key_is_taken_and_shown(office: Office, operator: httpx2.AsyncClient) -> None:
    made = await make(operator, "identity-secrets", alg="EdDSA", public_key=PUBLIC_KEY)
    assert made.status_code == 303
    page = await shown(operator, "/dashboard/identity-secrets")
    assert "my server EdDSA in force" in page.text
    assert " ".join(PUBLIC_KEY.split()) in page.text


@pytest.mark.parametrize("public_key", ["", "nonsense", "x" * 2001])
async def test_a_public_key_that_is_none_is_refused_beside_its_field(
    office: Office, operator: httpx2.AsyncClient, public_key: str
) -> None:
    refused = await make(operator, "identity-secrets", alg="EdDSA", public_key=public_key)
    assert refused.status_code == 400
    assert 'id="fault-public_key" role="alert"' in refused.text
    assert 'aria-describedby="fault-public_key"' in refused.text
    assert "`public_key`" not in refused.text
    assert "<code" not in refused.text.partition('id="fault-public_key"')[2].partition("</p>")[0]
    assert 'value="my server"' in refused.text
    assert 'value="EdDSA" checked' in refused.text


async def test_a_key_that_was_pasted_for_hs256_is_not_meant(office: Office, operator: httpx2.AsyncClient) -> None:
    assert (await make(operator, "identity-secrets", alg="HS256", public_key="left over")).status_code == 201


@pytest.mark.parametrize("name", ["x" * 201, "a\0b"])
async def test_a_name_that_cannot_be_kept_is_refused_beside_its_field(
    office: Office, operator: httpx2.AsyncClient, name: str
) -> None:
    refused = await make(operator, "keys", name=name)
    assert refused.status_code == 400
    assert 'id="fault-name" role="alert"' in refused.text


async def test_one_without_a_name_is_called_so(office: Office, operator: httpx2.AsyncClient) -> None:
    await make(operator, "keys", name="  ")
    assert "unnamed in force" in (await shown(operator, "/dashboard/keys")).text


async def test_many_stand_on_several_pages(office: Office, operator: httpx2.AsyncClient) -> None:
    token = csrf(await operator.get("/dashboard/keys"))
    for number in range(52):
        await operator.post("/dashboard/keys", data={"csrf": token, "name": f"server-{number:02}"})
    first = await shown(operator, "/dashboard/keys")
    older = [link for link in first.links if link.startswith("?cursor=")]
    second = await shown(operator, f"/dashboard/keys{older[0]}")
    both = {text for page in (first, second) for text in page.texts if text.startswith("server-")}
    assert both == {f"server-{number:02}" for number in range(52)}
