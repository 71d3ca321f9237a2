"""Every page says what is there: with nothing, with much, with names that are hard to draw."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import get_args

import httpx2
import pytest

from roxels.actions import finish, lifecycle
from roxels.actions import people as keeping
from roxels.dashboard.words import REASONS
from roxels.domain.events import AgentStarted, ConversationEnded, SessionJoined
from roxels.domain.lifecycle import EVENTS, Happened
from roxels.domain.proof import Proof
from roxels.domain.resumption import Reason
from roxels.storage import deliveries
from roxels.storage import lifecycle as outgoing
from roxels.storage.deliveries import DeliveryFilter
from roxels.storage.pages import Span
from roxels.testing import CountedIds, FakeClock
from tests.dashboard import people
from tests.dashboard.markup import Markup
from tests.dashboard.office import TEMPLATE, Office, csrf, sign_in

LONG = "Wolfeschlegelsteinhausenbergerdorff " * 7
ARABIC = "محمد بن موسى الخوارزمي"


@pytest.fixture
async def bare(tmp_path: Path) -> AsyncIterator[httpx2.AsyncClient]:
    """The browser of an operator of a server with nothing in it, not even a template."""
    office = Office(tmp_path / "bare", FakeClock(), CountedIds())
    await office.open(with_template=False)
    async with office.client() as client:
        await sign_in(client)
        yield client
    await office.close()


async def shown(client: httpx2.AsyncClient, address: str, status: int = 200) -> Markup:
    """A page, well formed, with the headers that keep it to itself."""
    response = await client.get(address)
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-frame-options"] == "DENY"
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'; script-src 'self'; style-src 'self';" in policy
    assert "unsafe" not in policy
    made = Markup(response.text)
    assert len(made.ids) == len(set(made.ids))
    assert not {attribute for _, attribute in made.parts if attribute == "style" or attribute.startswith("on")}
    return made


async def test_with_nothing_there_every_page_says_what_to_do_next(bare: httpx2.AsyncClient) -> None:
    everyone = await shown(bare, "/dashboard/")
    assert "Nobody has come yet" in everyone.text
    assert "/dashboard/embed" in everyone.links
    embed = await shown(bare, "/dashboard/embed")
    assert "No template in test yet" in embed.text
    assert "Nothing was erased yet" in (await shown(bare, "/dashboard/receipts")).text
    assert "Tell another address" in (await shown(bare, "/dashboard/settings")).text
    for place in ("keys", "webhook-secrets", "identity-secrets", "secrets"):
        assert "in test yet" in (await shown(bare, f"/dashboard/{place}")).text
    deliveries = await shown(bare, "/dashboard/deliveries")
    assert "Nothing was sent yet" in deliveries.text
    assert "/dashboard/templates" in deliveries.links
    assert "Nobody found" in (await shown(bare, "/dashboard/?q=ada")).text


async def test_a_server_without_operators_says_where_one_comes_from(tmp_path: Path) -> None:
    office = Office(tmp_path, FakeClock(), CountedIds())
    async with office.client() as client:
        assert "There is no operator on this server yet." in (await shown(client, "/dashboard/login")).text
    await office.close()


async def test_people_stand_by_their_latest_visit(
    office: Office, operator: httpx2.AsyncClient, clock: FakeClock
) -> None:
    await office.visit("ada", "Ada Lovelace")
    clock.advance(3600)
    await office.visit("bob", "Bob")
    clock.advance(4 * 86400)
    await office.visit(None)
    clock.advance(60)
    await people.verified(office, "ada")
    await sign_in(operator)
    page = await shown(operator, "/dashboard/")
    names = [page.text.index(name) for name in ("Ada Lovelace", "Anonymous visitor", "Bob")]
    assert names == sorted(names)
    assert "just now" in page.text
    assert "4 days ago" in page.text
    for proof in ("verified", "anonymous", "claimed"):
        assert proof in page.text


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("ada", True),
        ("ADA", True),
        ("lovel", True),
        ("Ada Lov", True),
        (" ada ", True),
        ("prod:u", True),
        ("ada@ex", True),
        ("elace", False),
        ("%", False),
        ("_", False),
        ("bob", False),
    ],
)
async def test_people_are_found_by_how_they_begin(
    office: Office, operator: httpx2.AsyncClient, words: str, found: bool
) -> None:
    person = (await office.visit("prod:user_1", "Ada Lovelace")).person
    await office.store.write("test", keeping.patch, person.id, {"email": "ada@example.com"})
    page = await operator.get("/dashboard/", params={"q": words})
    assert ("Ada Lovelace" in page.text) is found


async def test_letters_beyond_ascii_are_found_in_any_case(office: Office, operator: httpx2.AsyncClient) -> None:
    await office.visit("e", "Élodie Ångström")
    for words in ("élo", "ÉLO", "Élo", "ång"):
        assert "Élodie" in (await operator.get("/dashboard/", params={"q": words})).text


async def test_many_people_stand_on_several_pages(
    office: Office, operator: httpx2.AsyncClient, clock: FakeClock
) -> None:
    for number in range(120):
        await office.visit(f"user-{number:03}")
        clock.advance(1)
    address, seen = "/dashboard/", []
    while address:
        page = await shown(operator, address)
        seen += [text for text in page.texts if text.startswith("user-")]
        older = [link for link in page.links if link.startswith("?cursor=")]
        address = f"/dashboard/{older[0]}" if older else ""
    assert seen == [f"user-{number:03}" for number in reversed(range(120))]


async def test_a_broken_cursor_is_refused_kindly(operator: httpx2.AsyncClient) -> None:
    assert "cursor is not one of ours" in (await shown(operator, "/dashboard/?cursor=nonsense", 400)).text


async def test_a_person_stands_there_whole(office: Office, operator: httpx2.AsyncClient, clock: FakeClock) -> None:
    first = await people.verified(office, "ada", "Ada Lovelace")
    await people.talk(office, first)
    await people.finish(office, first)
    clock.advance(4 * 86400)
    second = await people.verified(office, "ada")
    await office.store.write(
        "test",
        keeping.patch,
        first.person.id,
        {"email": "ada@example.com", "phone": "+44 1", "metadata": {"tier": "gold"}, "org_context": {"seats": 40}},
    )
    await sign_in(operator)
    page = await shown(operator, f"/dashboard/people/{first.person.id}")
    for expected in (
        "Ada Lovelace from your server",
        "ada@example.com from your server",
        '"tier": "gold"',
        '"seats": 40',
        first.person.id,
        "Conversations 2",
        "completed",
        "not started",
        "new: the last one had ended",
        "new: a first conversation",
        "company Analytical Engines",
        "team size 12",
        "weave the punched cards",
        "Here first 4 days ago",
    ):
        assert expected in page.text, expected
    assert f"/dashboard/conversations/{first.conversation_id}#m-m1{first.session_id}" in page.links
    assert f"/dashboard/conversations/{second.conversation_id}" in page.links


async def test_a_name_says_that_a_browser_gave_it(office: Office, operator: httpx2.AsyncClient) -> None:
    person = (await office.visit("ada", "Ada")).person
    assert "Ada from a browser" in (await shown(operator, f"/dashboard/people/{person.id}")).text


async def test_an_anonymous_visitor_has_a_page(office: Office, operator: httpx2.AsyncClient) -> None:
    opened = await office.visit(None)
    await people.talk(office, opened)
    page = await shown(operator, f"/dashboard/people/{opened.person.id}")
    assert "each visit without one is a new visitor" in page.text
    await shown(operator, f"/dashboard/people/{opened.person.id}/erase")
    assert "Anonymous visitor" in (await shown(operator, f"/dashboard/conversations/{opened.conversation_id}")).text


async def test_a_conversation_stands_there_whole(
    office: Office, operator: httpx2.AsyncClient, clock: FakeClock
) -> None:
    opened = await office.visit("ada", "Ada Lovelace", context={"page": "/pricing"})
    await people.talk(office, opened)
    clock.advance(4 * 86400)
    await office.visit("ada")
    await sign_in(operator)
    page = await shown(operator, f"/dashboard/conversations/{opened.conversation_id}")
    for expected in (
        "First visit claimed 2026-03-02 09:00 Begun: there was nothing earlier to go on with.",
        "Left for 4 days, came back claimed 2026-03-06 09:00 Resumed: the conversation was still open",
        "Context from the page page",
        "We are Analytical Engines.",
        "Understood company: Analytical Engines",
        "interrupted here",
        "Committed Your team , revision 1",
        "Your team committed",
        "First steps open",
        "use case not yet",
        "on its way your team",
        "https://example.com/hook",
        "Not tried yet.",
        "Visits 2",
        "goal.committed",
        "Getting started version 1",
    ):
        assert expected in page.text, expected
    assert "#s-8" in page.links


async def test_an_answer_under_way_stands_as_far_as_it_was_said(office: Office, operator: httpx2.AsyncClient) -> None:
    opened = await office.visit()
    await office.record(opened, SessionJoined(), AgentStarted(utterance_id="utt_1", plan="Hello, you there"))
    await office.show(opened, "utt_1", 0, "Hello, ")
    page = await operator.get(f"/dashboard/conversations/{opened.conversation_id}")
    assert '<li class="words agent growing" id="m-utt_1"><p dir="auto">Hello, </p></li>' in page.text
    assert "Hello, you there" not in page.text.partition("Raw events")[0]


async def test_a_conversation_in_which_nothing_was_said(office: Office, operator: httpx2.AsyncClient) -> None:
    opened = await office.visit()
    page = await shown(operator, f"/dashboard/conversations/{opened.conversation_id}")
    assert "nobody has joined yet" in page.text
    assert "not joined" in page.text


async def test_an_operator_ends_a_conversation(office: Office, operator: httpx2.AsyncClient) -> None:
    opened = await office.visit()
    address = f"/dashboard/conversations/{opened.conversation_id}"
    page = await operator.get(address)
    assert (await operator.post(f"{address}/end", data={"csrf": csrf(page)})).headers["location"] == address
    after = await shown(operator, address)
    assert "completed" in after.text
    assert "Ended by your server, or an operator" in after.text
    assert f"{address}/end" not in after.links
    assert (await operator.post(f"{address}/end", data={"csrf": csrf(page)})).status_code == 303


async def test_what_is_told_of_a_conversation_stands_beside_its_outputs(
    office: Office, operator: httpx2.AsyncClient
) -> None:
    await office.store.write("test", lifecycle.create, "https://ops.example.com/told", EVENTS, office.ids)
    opened = await office.visit()
    await office.store.write("test", finish.end_conversation, opened.conversation_id, "api")
    page = await shown(operator, f"/dashboard/conversations/{opened.conversation_id}")
    assert "https://ops.example.com/told" in page.text
    assert "lifecycle event" in page.text


async def test_what_names_nobody_is_sent_again(office: Office, operator: httpx2.AsyncClient) -> None:
    await office.store.write("test", lifecycle.create, "https://ops.example.com/told", EVENTS, office.ids)
    told = Happened(id="evt_1", name="person.erased", at=office.clock.now(), told={"receipt_id": "rcpt_1"})
    await office.store.write("test", outgoing.tell, "test", told)
    form = {"csrf": csrf(await operator.get("/dashboard/"))}
    delivery_id = (await office.store.read("test", deliveries.listed, DeliveryFilter(), Span())).items[0].id
    sent = await operator.post(f"/dashboard/deliveries/{delivery_id}/send", data=form)
    assert (sent.status_code, sent.headers["location"]) == (303, f"/dashboard/deliveries/{delivery_id}")


async def test_a_delivery_is_sent_again(office: Office, operator: httpx2.AsyncClient) -> None:
    opened = await office.visit()
    await people.talk(office, opened)
    form = {"csrf": csrf(await operator.get("/dashboard/")), "from": "conversation"}
    sent = await operator.post("/dashboard/deliveries/del_1/send", data=form)
    assert sent.headers["location"] == f"/dashboard/conversations/{opened.conversation_id}#outputs"
    assert (await operator.post("/dashboard/deliveries/del_99/send", data=form)).status_code == 404


async def test_events_stand_page_by_page(office: Office, operator: httpx2.AsyncClient) -> None:
    opened = await office.visit()
    await people.talk(office, opened)
    for number in range(50):
        await office.record(
            opened, *people.said(f"utt_{number}", "Go on."), *people.heard(f"n{number}", "yes", "x", True)
        )
    address = f"/dashboard/conversations/{opened.conversation_id}/events"
    first = await shown(operator, address)
    assert "conversation.opened" in first.text
    assert "?after=200" in first.links
    second = await shown(operator, f"{address}?after=200")
    assert second.text.count('"seq": ') == 14
    assert not [link for link in second.links if link.startswith("?after")]
    assert "No more events." in (await shown(operator, f"{address}?after=99999")).text
    await shown(operator, f"{address}?after=nonsense")


async def test_the_json_is_what_the_api_shows(office: Office, operator: httpx2.AsyncClient) -> None:
    opened = await office.visit("ada", "Ada")
    await people.talk(office, opened)
    answer = await operator.get(f"/dashboard/conversations/{opened.conversation_id}/json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert body["data"]["your_team"] == {"company": "Analytical Engines", "team_size": 12}
    assert body["persons"][0]["external_id"] == "ada"


async def test_what_is_not_there_is_said_so(office: Office, operator: httpx2.AsyncClient) -> None:
    for address in ("people/x", "people/x/erase", "conversations/x", "conversations/x/live", "conversations/x/json",
                    "conversations/x/events", "conversations/x/erase", "receipts/x", "receipts/x/file", "deliveries/x",
                    "nowhere"):  # fmt: skip
        assert "Nothing here" in (await shown(operator, f"/dashboard/{address}", 404)).text
    form = {"csrf": csrf(await operator.get("/dashboard/"))}
    for address in (
        "people/x/erase",
        "conversations/x/erase",
        "conversations/x/end",
        "embed/x/revoke",
        "deliveries/x/send",
    ):
        assert (await operator.post(f"/dashboard/{address}", data=form)).status_code == 404, address


async def test_a_page_that_did_not_change_is_not_sent_again(office: Office, operator: httpx2.AsyncClient) -> None:
    person = (await office.visit()).person
    for address in ("/dashboard/", f"/dashboard/people/{person.id}"):
        first = await operator.get(address)
        same = await operator.get(address, headers={"if-none-match": first.headers["etag"]})
        assert (same.status_code, same.text) == (304, "")
    await office.visit("bob")
    assert (await operator.get("/dashboard/", headers={"if-none-match": first.headers["etag"]})).status_code == 200


@pytest.mark.parametrize(
    ("external_id", "name"),
    [
        ("x" * 255, LONG),
        ("prod:محمد", ARABIC),
        ("🦊", "👩‍👩‍👧 ﷽"),
        ("a/b?c#d&e=%20", "‮gnirts"),
        (" spaces ", "\u200b"),
    ],
)
async def test_names_that_are_hard_to_draw(
    office: Office, operator: httpx2.AsyncClient, external_id: str, name: str
) -> None:
    opened = await office.visit(external_id, name)
    await people.talk(office, opened, company=name)
    for address in (
        "/dashboard/",
        f"/dashboard/people/{opened.person.id}",
        f"/dashboard/people/{opened.person.id}/erase",
        f"/dashboard/conversations/{opened.conversation_id}",
        f"/dashboard/conversations/{opened.conversation_id}/erase",
    ):
        text = (await shown(operator, address)).text
        assert " ".join(name.split()) in text


# Embed --------------------------------------------------------------------------------------------------------------


async def test_a_key_is_made_shown_and_revoked(office: Office, operator: httpx2.AsyncClient) -> None:
    page = await operator.get("/dashboard/embed")
    form = {"csrf": csrf(page), "template_id": office.template_id, "allowed_domains": "app.example.com, *.example.org"}
    assert (await operator.post("/dashboard/embed", data=form)).status_code == 303
    made = await shown(operator, "/dashboard/embed")
    assert "rk_test_secret1 Copy app.example.com, *.example.org" in made.text
    assert "works on every site" not in made.text
    assert (await operator.post("/dashboard/embed", data=form | {"allowed_domains": ""})).status_code == 303
    assert "any site Revoke This key works on every site" in (await shown(operator, "/dashboard/embed")).text
    for snippet in (
        'data-template-key="rk_test_secret1"',
        'Roxels.init({ templateKey: "rk_test_secret1" });',
        f'"template_id": "{office.template_id}"',
        "Roxels.start({ sessionId",
    ):
        assert snippet in made.text, snippet
    for key_id in ("ek_1", "ek_2"):
        revoked = await operator.post(f"/dashboard/embed/{key_id}/revoke", data={"csrf": csrf(page)})
        assert revoked.status_code == 303
    after = await shown(operator, "/dashboard/embed")
    assert "revoked" in after.text
    assert "What to paste" not in after.text


async def test_the_keys_of_many_templates_stand_on_several_pages(office: Office, operator: httpx2.AsyncClient) -> None:
    made = [office.template_id, *[await office.make_template(TEMPLATE) for _ in range(110)]]
    address, seen = "/dashboard/embed", list[str]()
    while address:
        page = await shown(operator, address)
        seen += [text for text in page.texts if text in made]
        older = [link for link in page.links if link.startswith("?cursor=")]
        address = f"/dashboard/embed{older[0]}" if older else ""
    assert sorted(seen) == sorted(made)


async def test_a_domain_that_is_none_is_refused_beside_its_field(office: Office, operator: httpx2.AsyncClient) -> None:
    page = await operator.get("/dashboard/embed")
    form = {"csrf": csrf(page), "template_id": office.template_id, "allowed_domains": "https://app.example.com/path"}
    refused = await operator.post("/dashboard/embed", data=form)
    assert refused.status_code == 400
    assert 'value="https://app.example.com/path"' in refused.text
    assert 'aria-invalid="true" aria-describedby="fault-allowed_domains"' in refused.text
    assert 'id="fault-allowed_domains" role="alert"' in refused.text
    told = Markup(refused.text).text
    assert "“Domains that may use it”, number 1, must be a host such as" in told
    assert "allowed_domains" not in told


async def test_a_refused_key_says_so_where_its_template_is_on_another_page(
    office: Office, operator: httpx2.AsyncClient, clock: FakeClock
) -> None:
    for _ in range(30):
        clock.advance(1)
        await office.make_template(TEMPLATE)
    page = await operator.get("/dashboard/embed")
    assert f">{office.template_id}<" not in page.text
    form = {"csrf": csrf(page), "template_id": office.template_id, "allowed_domains": "not a domain!"}
    refused = await operator.post("/dashboard/embed", data=form)
    assert refused.status_code == 400
    assert refused.text.count('role="alert"') == 1


async def test_a_live_key_needs_a_domain(office: Office, operator: httpx2.AsyncClient) -> None:
    template_id = await office.make_template(TEMPLATE, "live")
    operator.cookies.set("roxels_environment", "live", path="/dashboard")
    page = await operator.get("/dashboard/embed")
    form = {"csrf": csrf(page), "template_id": template_id, "allowed_domains": ""}
    refused = await operator.post("/dashboard/embed", data=form)
    assert refused.status_code == 400
    assert "A live key needs at least one domain that may use it, e.g." in Markup(refused.text).text
    assert 'aria-describedby="fault-allowed_domains"' in refused.text


# Files --------------------------------------------------------------------------------------------------------------


async def test_files_are_kept_for_good_under_the_name_of_their_contents(stranger: httpx2.AsyncClient) -> None:
    page = Markup((await stranger.get("/dashboard/login")).text)
    files = [link for link in page.links if "/static/" in link]
    assert {file.rpartition(".")[2] for file in files} == {"css", "js", "svg"}
    for file in files:
        response = await stranger.get(file)
        assert response.status_code == 200
        assert "immutable" in response.headers["cache-control"]
        assert response.headers["x-content-type-options"] == "nosniff"
    for missing in ("/dashboard/static/old/dashboard.css", files[0].rpartition("/")[0] + "/../pages.py"):
        assert (await stranger.get(missing)).status_code in (303, 404)


async def test_the_dashboard_has_one_address(stranger: httpx2.AsyncClient) -> None:
    assert (await stranger.get("/dashboard")).headers["location"] == "/dashboard/"


async def test_a_visit_with_device_or_unknown_words_is_shown(office: Office, operator: httpx2.AsyncClient) -> None:
    opened = await office.visit("ada", proof=Proof.device)
    await office.record(opened, SessionJoined(), ConversationEnded(ended_by="abandoned"))
    page = await shown(operator, f"/dashboard/conversations/{opened.conversation_id}")
    assert "device" in page.text
    assert "Ended by time: nobody came back" in page.text


def test_every_reason_has_its_words() -> None:
    assert set(REASONS) == set(get_args(Reason))


async def test_the_operator_reads_the_whole_reason(office: Office, operator: httpx2.AsyncClient) -> None:
    strict = {"embedded": {"resumption": True, "history_requires": "device"}}
    office.template_id = await office.make_template(TEMPLATE | {"settings": strict})
    for judged in ("new_person", "proof_needed"):
        opened = await office.visit("ada")
        assert (opened.reason, opened.judged) == ("proof_needed", judged), "the visitor learns nothing of her"
        for address in (f"conversations/{opened.conversation_id}", f"people/{opened.person.id}"):
            page = await shown(operator, f"/dashboard/{address}")
            assert REASONS[judged] in page.text
        assert (REASONS["proof_needed"] in page.text) == (judged == "proof_needed")


async def test_an_id_of_ours_leads_straight_to_what_has_it(office: Office, operator: httpx2.AsyncClient) -> None:
    """Webhooks, the audit log and an anonymous person have no other name."""
    opened = await office.visit(None)
    for found_id, place in ((opened.person.id, "people"), (opened.conversation_id, "conversations")):
        answer = await operator.get("/dashboard/", params={"q": f" {found_id} "}, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/dashboard/{place}/{found_id}")
    for stranger in ("person_0000", "iv_0000", "del_0000", "person_", "iv"):
        assert "nothing has that id" in (await shown(operator, f"/dashboard/?q={stranger}")).text
    await operator.post(
        "/dashboard/environment", data={"csrf": csrf(await operator.get("/dashboard/")), "environment": "live"}
    )
    assert "nothing has that id" in (await shown(operator, f"/dashboard/?q={opened.person.id}")).text
