"""A code from the server opens a first visit or a new password: once, for a quarter of an hour, for one e-mail."""

import asyncio
import re

import httpx2
import pytest

from roxels.actions import welcome
from roxels.dashboard.gate import TRIES
from roxels.domain.errors import Invalid
from roxels.storage import audit, operators, schema
from roxels.storage.pages import Span
from roxels.testing import FakeClock
from tests.dashboard.office import EMAIL, PASSWORD, Office, csrf, sign_in

NEW = "a new and long password"
PAGE = "/dashboard/welcome"


async def shown(office: Office, email: str | None = None) -> str:
    """The code that `roxels login` would print."""
    return await office.store.write_across(welcome.show_code, email, office.ids, office.services.eraser.auditor)


async def choose(browser: httpx2.AsyncClient, code: str, email: str = EMAIL, password: str = NEW) -> httpx2.Response:
    """Send the form as a browser does."""
    token = csrf(await browser.get(PAGE))
    return await browser.post(PAGE, data={"csrf": token, "code": code, "email": email, "password": password})


async def without_operators(office: Office) -> None:
    await office.store.write_across(lambda tx: tx.run(schema.operators.delete()))


async def test_the_first_operator_comes_by_the_code_in_the_log(office: Office, stranger: httpx2.AsyncClient) -> None:
    await without_operators(office)
    auditor = office.services.eraser.auditor
    code = await office.store.write_across(welcome.show_first_code, office.ids, auditor)
    assert code is not None
    assert re.fullmatch(r"([A-Z2-7]{4}-){3}[A-Z2-7]{4}", code)
    response = await choose(stranger, code, "first@example.com")
    assert (response.status_code, response.headers["location"]) == (303, "/dashboard/")
    assert (await stranger.get("/dashboard/")).status_code == 200
    assert await office.store.write_across(welcome.show_first_code, office.ids, auditor) is None
    noted = await office.store.read("test", audit.listed, audit.AuditFilter(), Span(limit=9))
    assert [entry.action for entry in noted.items][::-1] == [
        "operator.code_made",
        "operator.password_chosen",
        "operator.signed_in",
    ]


async def test_the_first_code_makes_no_second_operator(office: Office, stranger: httpx2.AsyncClient) -> None:
    await without_operators(office)
    one, other = await shown(office), await shown(office)
    assert (await choose(stranger, one, "first@example.com")).status_code == 303
    async with office.client() as late:
        assert (await choose(late, other, "second@example.com")).status_code == 401


async def test_a_forgotten_password_is_chosen_anew_and_ends_all_sessions(
    office: Office, operator: httpx2.AsyncClient, stranger: httpx2.AsyncClient
) -> None:
    assert (await choose(stranger, await shown(office))).status_code == 303
    assert (await stranger.get("/dashboard/")).status_code == 200
    assert (await operator.get("/dashboard/")).status_code == 303, "who was signed in before is not any more"
    async with office.client() as again:
        assert (await sign_in(again, PASSWORD)).status_code == 401
        assert (await sign_in(again, NEW)).status_code == 303


async def test_a_code_works_once(office: Office, stranger: httpx2.AsyncClient) -> None:
    code = await shown(office)
    assert (await choose(stranger, code)).status_code == 303
    async with office.client() as other:
        assert (await choose(other, code, password="somebody else's")).status_code == 401
        assert (await sign_in(other, NEW)).status_code == 303


async def test_of_two_who_send_it_at_once_one_comes_in(office: Office) -> None:
    code = await shown(office)
    async with office.client() as one, office.client() as other:
        statuses = [each.status_code for each in await asyncio.gather(choose(one, code), choose(other, code))]
    assert sorted(statuses) == [303, 401]


async def test_a_code_is_for_one_email(office: Office, stranger: httpx2.AsyncClient) -> None:
    code = await shown(office, "new@example.com")
    assert (await choose(stranger, code, EMAIL)).status_code == 401
    assert (await choose(stranger, code, " New@Example.com ")).status_code == 303, "it still holds for hers"


async def test_a_code_holds_for_a_quarter_of_an_hour(
    office: Office, stranger: httpx2.AsyncClient, clock: FakeClock
) -> None:
    code = await shown(office)
    clock.advance(operators.CODE_LIFE.total_seconds())
    assert (await choose(stranger, code)).status_code == 401


@pytest.mark.parametrize("typed", ["{0}", " {0} ", "lower", "bare"])
async def test_a_code_may_be_typed_in_many_ways(office: Office, stranger: httpx2.AsyncClient, typed: str) -> None:
    code = await shown(office)
    given = {"lower": code.lower(), "bare": code.replace("-", "")}.get(typed, typed.format(code))
    assert (await choose(stranger, given)).status_code == 303


async def test_every_refusal_reads_the_same(office: Office, stranger: httpx2.AsyncClient, clock: FakeClock) -> None:
    used, late = await shown(office), await shown(office)
    await choose(stranger, used)
    clock.advance(operators.CODE_LIFE.total_seconds())
    bodies = set()
    for code in (used, late, "AAAA-AAAA-AAAA-AAAA", "x", "ß" * 40):
        async with office.client() as browser:
            answer = await choose(browser, code)
            assert answer.status_code == 401
            bodies.add(re.sub(r'name="csrf" value="\w+"', "", answer.text))
    assert len(bodies) == 1


async def test_guessing_is_slowed_down(office: Office, stranger: httpx2.AsyncClient) -> None:
    for _ in range(TRIES):
        assert (await choose(stranger, "AAAA-AAAA-AAAA-AAAA")).status_code == 401
    slow = await choose(stranger, await shown(office))
    assert slow.status_code == 429
    assert int(slow.headers["retry-after"]) > 0


@pytest.mark.parametrize(("email", "password"), [("no address", NEW), (EMAIL, "short"), ("@", NEW)])
async def test_what_cannot_be_chosen_does_not_use_the_code_up(
    office: Office, stranger: httpx2.AsyncClient, email: str, password: str
) -> None:
    code = await shown(office)
    assert (await choose(stranger, code, email, password)).status_code == 400
    assert (await choose(stranger, code)).status_code == 303


async def test_the_form_must_be_ours(office: Office, stranger: httpx2.AsyncClient) -> None:
    code = await shown(office)
    await stranger.get(PAGE)
    data = {"csrf": "0" * 64, "code": code, "email": EMAIL, "password": NEW}
    assert (await stranger.post(PAGE, data=data)).status_code == 403
    fresh = data | {"csrf": csrf(await stranger.get(PAGE))}
    evil = await stranger.post(PAGE, data=fresh, headers={"origin": "https://evil.example"})
    assert evil.status_code == 403


async def test_only_the_hash_of_a_code_is_kept(office: Office) -> None:
    code = await shown(office)
    rows = str(await office.store.read_across(lambda tx: tx.all(schema.operator_codes.select())))
    assert code not in rows
    assert code.replace("-", "") not in rows


async def test_with_several_operators_one_is_named(office: Office) -> None:
    await office.store.write_across(operators.create, "other@example.com", PASSWORD, office.ids)
    with pytest.raises(Invalid, match=r"other@example\.com"):
        await shown(office)


async def test_signing_out_everywhere_ends_every_session(office: Office, operator: httpx2.AsyncClient) -> None:
    async with office.client() as elsewhere:
        await sign_in(elsewhere)
        data = {"csrf": csrf(await operator.get("/dashboard/"))}
        assert (await operator.post("/dashboard/logout/everywhere", data=data)).status_code == 303
        assert (await elsewhere.get("/dashboard/")).status_code == 303
    assert (await operator.get("/dashboard/")).status_code == 303
