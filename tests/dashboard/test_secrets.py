"""The page of secrets that outputs name: a value goes in, and no page shows it."""

from typing import Any

import httpx2
import pytest

from roxels.storage import secrets
from roxels.storage.secrets import Secret
from roxels.testing import FakeClock
from tests.dashboard.office import TEMPLATE, Office, csrf
from tests.dashboard.test_pages import shown

PLACE = "/dashboard/secrets"
VALUE = "hunter2-and-more"


async def send(operator: httpx2.AsyncClient, path: str = "", **form: str) -> httpx2.Response:
    """Send a form of the page."""
    token = csrf(await operator.get(PLACE))
    return await operator.post(f"{PLACE}{path}", data={"csrf": token} | form)


async def kept(office: Office, name: str = "crm") -> Secret:
    """The secret of that name."""
    secret = await office.store.read("test", secrets.get, name)
    assert secret is not None
    return secret


async def value_of(office: Office) -> str:
    """What `crm` opens to, as the worker sees it."""
    sealed: dict[str, Any] = await office.store.read_across(secrets.sealed, "test", ["crm"])
    secret_id, text = sealed["crm"]
    return office.services.sealer.open(text, environment="test", id=secret_id)


async def test_a_value_goes_in_and_never_comes_out(office: Office, operator: httpx2.AsyncClient) -> None:
    assert "No secret in test yet" in (await shown(operator, PLACE)).text
    made = await send(operator, name="crm", value=VALUE, description="The token of the CRM")
    assert made.status_code == 303
    page = await operator.get(PLACE)
    assert "The token of the CRM" in page.text
    assert "{{secret:crm}}" in page.text
    assert VALUE not in page.text
    assert await value_of(office) == VALUE


async def test_another_value_another_name_another_description(office: Office, operator: httpx2.AsyncClient) -> None:
    await send(operator, name="crm", value="first")
    secret = await kept(office)
    assert (await send(operator, f"/{secret.id}/value", value=VALUE)).status_code == 303
    assert await value_of(office) == VALUE
    await send(operator, f"/{secret.id}", name="crm-2", description="of the other one")
    changed = await kept(office, "crm-2")
    assert (changed.id, changed.description) == (secret.id, "of the other one")


async def test_one_is_deleted_unless_a_template_names_it(office: Office, operator: httpx2.AsyncClient) -> None:
    await send(operator, name="crm", value=VALUE)
    await send(operator, name="other", value=VALUE)
    webhook = {"url": "https://example.com/", "headers": {"Authorization": "Bearer {{secret:crm}}"}}
    goal = TEMPLATE["goals"][0] | {"outputs": [{"type": "webhook", "config": webhook}]}
    template_id = await office.make_template(TEMPLATE | {"goals": [goal]})
    refused = await send(operator, f"/{(await kept(office)).id}/delete")
    assert refused.status_code == 409
    assert template_id in refused.text
    await send(operator, f"/{(await kept(office, 'other')).id}/delete")
    assert await office.store.read("test", secrets.get, "other") is None


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"name": "no spaces"}, "name"),
        ({"name": ""}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"value": ""}, "value"),
        ({"value": "x" * 16385}, "value"),
        ({"description": "x" * 1001}, "description"),
    ],
)
async def test_a_fault_stands_beside_its_field_and_the_value_does_not_come_back(
    office: Office, operator: httpx2.AsyncClient, form: dict[str, str], field: str
) -> None:
    refused = await send(operator, **({"name": "crm", "value": VALUE, "description": "for it"} | form))
    assert refused.status_code == 400
    assert f'id="fault-{field}" role="alert"' in refused.text
    assert VALUE not in refused.text


async def test_a_name_is_taken_once(office: Office, operator: httpx2.AsyncClient) -> None:
    await send(operator, name="crm", value=VALUE)
    again = await send(operator, name="crm", value=VALUE, description="twice")
    assert again.status_code == 409
    assert "There is a secret of this name already" in again.text
    assert 'value="twice"' in again.text
    assert VALUE not in again.text


async def test_what_is_wrong_with_a_change_stands_at_the_secret(office: Office, operator: httpx2.AsyncClient) -> None:
    await send(operator, name="crm", value=VALUE)
    secret = await kept(office)
    for path, form in (("", {"name": "no spaces"}), ("/value", {"value": ""})):
        refused = await send(operator, f"/{secret.id}{path}", **form)
        assert refused.status_code == 400
        assert refused.text.count('role="alert"') == 1
        assert refused.text.index('role="alert"') < refused.text.index('id="new"')
        assert f'aria-describedby="fault-{next(iter(form))}"' in refused.text
    assert (await send(operator, "/sec_nope/value", value="x")).status_code == 404


async def test_what_is_wrong_with_one_that_stands_on_another_page_is_said(
    office: Office, operator: httpx2.AsyncClient, clock: FakeClock
) -> None:
    await send(operator, name="oldest", value=VALUE)
    oldest = await kept(office, "oldest")
    for number in range(60):
        clock.advance(1)
        await send(operator, name=f"s{number}", value=VALUE)
    refused = await send(operator, f"/{oldest.id}/value", value="")
    assert refused.status_code == 400
    assert f'id="{oldest.id}"' not in refused.text
    assert "Write the value that is to be kept." in refused.text
