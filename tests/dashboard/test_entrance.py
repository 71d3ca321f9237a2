"""The door of the dashboard: who is let in, for how long, and which forms are taken."""

import httpx2
import pytest
from argon2 import extract_parameters

from roxels.dashboard.gate import TRIES
from roxels.dashboard.routes import dashboard_routes
from roxels.domain.errors import Invalid
from roxels.storage import operators
from roxels.storage.database import Database
from roxels.testing import CountedIds, FakeClock
from tests.dashboard.markup import Markup
from tests.dashboard.office import EMAIL, ORIGIN, PASSWORD, Office, csrf, sign_in

OPEN = ("/dashboard/login", "/dashboard/static/", "/dashboard/welcome", "/dashboard")


def addresses(office: Office, method: str) -> list[str]:
    """Every address of the dashboard that takes this method, its parameters filled in."""
    routes = [route for route in dashboard_routes(office.services) if method in (route.methods or ())]
    return [
        route.path.replace("{version}", "x")
        .replace("{name:path}", "y")
        .replace("{nothing:path}", "z")
        .replace("{", "")
        .replace("}", "")
        for route in routes
    ]


async def test_a_stranger_is_asked_to_sign_in_everywhere(office: Office, stranger: httpx2.AsyncClient) -> None:
    guarded = [each for each in addresses(office, "GET") if each not in OPEN and not each.startswith(OPEN[1])]
    assert len(guarded) > 8
    for address in guarded:
        response = await stranger.get(address)
        assert response.status_code == 303, address
        assert response.headers["location"] == f"/dashboard/login?next={address}"


async def test_a_stranger_changes_nothing(office: Office, stranger: httpx2.AsyncClient) -> None:
    for address in addresses(office, "POST"):
        if address not in OPEN:
            response = await stranger.post(address, data={"csrf": "0" * 64})
            assert (response.status_code, response.headers["location"]) == (303, "/dashboard/login"), address


async def test_the_right_password_opens(stranger: httpx2.AsyncClient) -> None:
    response = await sign_in(stranger)
    assert (response.status_code, response.headers["location"]) == (303, "/dashboard/")
    cookie = next(each for each in response.headers.get_list("set-cookie") if each.startswith("roxels_operator"))
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/dashboard" in cookie
    assert "Max-Age=43200" in cookie
    assert "Secure" not in cookie
    assert (await stranger.get("/dashboard/")).status_code == 200


@pytest.mark.parametrize(
    ("email", "password"),
    [
        (EMAIL, "not the password"),
        ("nobody@example.com", PASSWORD),
        (EMAIL, ""),
        ("", ""),
        ("\0", "\0"),
        (EMAIL, "x" * 5000),
    ],
)
async def test_anything_else_does_not(stranger: httpx2.AsyncClient, email: str, password: str) -> None:
    response = await sign_in(stranger, password, email)
    assert response.status_code == 401
    assert "This e-mail and password do not fit together." in Markup(response.text).text
    assert (await stranger.get("/dashboard/")).status_code == 303


async def test_the_email_is_compared_without_case(stranger: httpx2.AsyncClient) -> None:
    assert (await sign_in(stranger, email=f" {EMAIL.upper()} ")).status_code == 303


async def test_an_unknown_email_costs_as_much_as_a_known_one(office: Office) -> None:
    known = await office.store.read_across(operators.by_email, EMAIL)
    assert known is not None
    assert extract_parameters(known[1]) == extract_parameters(operators.NOBODY)
    assert not operators.fits(None, PASSWORD)
    assert operators.fits(known[1], PASSWORD)


async def test_many_tries_are_slowed_down(office: Office, stranger: httpx2.AsyncClient, clock: FakeClock) -> None:
    for _ in range(int(TRIES)):
        assert (await sign_in(stranger, "wrong")).status_code == 401
    refused = await sign_in(stranger)
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) > 0
    assert (await sign_in(stranger, "wrong", "somebody.else@example.com")).status_code == 401
    clock.advance(int(refused.headers["retry-after"]))
    assert (await sign_in(stranger)).status_code == 303


async def test_a_session_ends_after_twelve_hours(operator: httpx2.AsyncClient, clock: FakeClock) -> None:
    clock.advance(12 * 3600 - 1)
    assert (await operator.get("/dashboard/")).status_code == 200
    clock.advance(1)
    assert (await operator.get("/dashboard/")).status_code == 303


async def test_signing_out_ends_the_session_for_whoever_kept_its_cookie(operator: httpx2.AsyncClient) -> None:
    token = operator.cookies["roxels_operator"]
    page = await operator.get("/dashboard/")
    response = await operator.post("/dashboard/logout", data={"csrf": csrf(page)})
    assert response.headers["location"] == "/dashboard/login"
    kept = await operator.get("/dashboard/", headers={"cookie": f"roxels_operator={token}"})
    assert kept.status_code == 303


async def test_only_the_hash_of_a_session_is_kept(office: Office, operator: httpx2.AsyncClient) -> None:
    token = operator.cookies["roxels_operator"]
    office.store.database.writer.dispose()
    assert isinstance(office.store.database, Database)
    folder = office.store.database.path.parent
    assert all(token.encode() not in file.read_bytes() for file in folder.glob("roxels.db*"))


async def test_a_new_password_ends_all_sessions(office: Office, operator: httpx2.AsyncClient) -> None:
    await office.store.write_across(operators.create, EMAIL, "another password", CountedIds("new_"))
    assert (await operator.get("/dashboard/")).status_code == 303
    assert (await sign_in(operator)).status_code == 401
    assert (await sign_in(operator, "another password")).status_code == 303


@pytest.mark.parametrize(("email", "password"), [("no address", PASSWORD), (EMAIL, "short"), (EMAIL, "x" * 2000)])
async def test_an_operator_needs_an_address_and_a_password(office: Office, email: str, password: str) -> None:
    with pytest.raises(Invalid):
        await office.store.write_across(operators.create, email, password, office.ids)


async def test_cookies_are_secure_behind_https(office: Office) -> None:
    assert isinstance(office.store.database, Database)
    https = Office(
        office.store.database.path.parent / "https", office.clock, CountedIds(), origin="https://talk.example.com"
    )
    await https.open()
    async with https.client() as client:
        response = await sign_in(client)
    await https.close()
    assert all("Secure" in cookie for cookie in response.headers.get_list("set-cookie") if "Max-Age=0" not in cookie)


# Forms --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", ["", "0" * 64, "ünicode"])
async def test_a_form_without_the_right_token_is_refused(
    office: Office, operator: httpx2.AsyncClient, given: str
) -> None:
    person = (await office.visit()).person
    for address in addresses(office, "POST"):
        if address in OPEN:
            continue
        response = await operator.post(address.replace("person_id", person.id), data={"csrf": given})
        assert response.status_code == 403, address
    assert (await operator.get(f"/dashboard/people/{person.id}")).status_code == 200


async def test_a_form_of_another_session_is_refused(office: Office, operator: httpx2.AsyncClient) -> None:
    async with office.client() as other:
        await sign_in(other)
        foreign = csrf(await other.get("/dashboard/"))
    assert (await operator.post("/dashboard/logout", data={"csrf": foreign})).status_code == 403


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:8000.evil.example"])
async def test_a_form_of_another_site_is_refused(operator: httpx2.AsyncClient, origin: str) -> None:
    data = {"csrf": csrf(await operator.get("/dashboard/"))}
    assert (await operator.post("/dashboard/logout", data=data, headers={"origin": origin})).status_code == 403
    assert (await operator.post("/dashboard/logout", data=data, headers={"origin": ORIGIN})).status_code == 303


async def test_signing_in_by_a_foreign_form_is_refused(stranger: httpx2.AsyncClient) -> None:
    data = {"csrf": "0" * 64, "email": EMAIL, "password": PASSWORD}
    response = await stranger.post("/dashboard/login", data=data)
    assert response.status_code == 403
    assert "roxels_operator" not in stranger.cookies


# Where to -----------------------------------------------------------------------------------------------------------


async def test_one_comes_to_where_one_wanted(office: Office, stranger: httpx2.AsyncClient) -> None:
    person = (await office.visit()).person
    asked = await stranger.get(f"/dashboard/people/{person.id}?cursor=x")
    page = await stranger.get(asked.headers["location"])
    assert f'name="next" value="/dashboard/people/{person.id}?cursor=x"' in page.text


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/",
        "//evil.example",
        "/dashboard//evil.example",
        "/dashboard/../v1",
        "javascript:alert(1)",
        "/dashboard/\\evil",
        "/dashboard/\n",
    ],
)
async def test_nobody_is_sent_elsewhere(stranger: httpx2.AsyncClient, wanted: str) -> None:
    page = await stranger.get("/dashboard/login")
    form = {"csrf": csrf(page), "email": EMAIL, "password": PASSWORD, "next": wanted}
    assert (await stranger.post("/dashboard/login", data=form)).headers["location"] == "/dashboard/"


async def test_each_environment_shows_its_own_people(office: Office, operator: httpx2.AsyncClient) -> None:
    person = (await office.visit("ada", "Ada Lovelace")).person
    page = await operator.get("/dashboard/")
    assert "Ada Lovelace" in page.text
    chosen = await operator.post("/dashboard/environment", data={"csrf": csrf(page), "environment": "live"})
    assert chosen.status_code == 303
    assert "Ada Lovelace" not in (await operator.get("/dashboard/")).text
    missing = await operator.get(f"/dashboard/people/{person.id}")
    assert missing.status_code == 404
    assert "You are looking at live" in Markup(missing.text).text


@pytest.mark.parametrize(
    ("wanted", "place"),
    [("/dashboard/deliveries", "/dashboard/deliveries"), ("https://evil.example/", "/dashboard/"), ("", "/dashboard/")],
)
async def test_the_other_environment_is_shown_at_the_same_place(
    operator: httpx2.AsyncClient, wanted: str, place: str
) -> None:
    data = {"csrf": csrf(await operator.get("/dashboard/")), "environment": "live", "next": wanted}
    answer = await operator.post("/dashboard/environment", data=data)
    assert (answer.status_code, answer.headers["location"]) == (303, place)


async def test_there_is_no_third_environment(operator: httpx2.AsyncClient) -> None:
    data = {"csrf": csrf(await operator.get("/dashboard/")), "environment": "staging"}
    assert (await operator.post("/dashboard/environment", data=data)).status_code == 400
    operator.cookies.set("roxels_environment", "staging", path="/dashboard")
    assert 'data-environment="test"' in (await operator.get("/dashboard/")).text
