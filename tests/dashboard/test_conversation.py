"""A conversation's page: why each visit resumed or not, on which device, what was heard, whose it is, a fresh link."""

import re
from typing import get_args

import httpx2
import pytest

from roxels.actions import admit, author
from roxels.actions.admit import Exchange
from roxels.actions.open import open_again
from roxels.dashboard import words
from roxels.domain.events import AgentHeard, AgentSaid, AgentStarted, Request, SessionJoined
from roxels.domain.proof import Proof
from roxels.domain.resumption import Reason
from roxels.domain.templates import read
from roxels.storage import audit, sessions
from roxels.storage.pages import Span
from roxels.testing import FakeClock
from tests.dashboard import people
from tests.dashboard.office import TEMPLATE, Office, csrf, sign_in
from tests.dashboard.test_pages import shown

DAY = 86400


async def test_a_boundary_says_for_how_long_and_on_which_device(
    office: Office, operator: httpx2.AsyncClient, clock: FakeClock
) -> None:
    opened = await office.visit("ada", browser="b1")
    await people.talk(office, opened)
    for browser in ("b1", "b2", "b1", None):
        clock.advance(4 * DAY)
        await office.visit("ada", browser=browser)
    await sign_in(operator)
    page = await shown(operator, f"/dashboard/conversations/{opened.conversation_id}")
    assert re.findall(r"Left for 4 days, came back( on .+?)? (?:claimed|device) 2026", page.text) == [
        " on the same device",
        " on another device",
        " on a device of an earlier visit",
        "",
    ]
    assert page.text.count("Resumed: the conversation was still open, and recent enough.") == 4


async def test_a_visit_that_is_opened_for_somebody_is_told_from_their_coming(
    office: Office, operator: httpx2.AsyncClient, clock: FakeClock
) -> None:
    opened = await office.visit("ada", proof=Proof.verified, method="secret_key", browser="b1")
    await office.record(opened, SessionJoined())
    clock.advance(DAY)
    await people.verified(office, "ada")
    clock.advance(DAY)
    again = await office.store.write("test", open_again, opened.conversation_id, office.ids)
    await sign_in(operator)
    talk = f"/dashboard/conversations/{opened.conversation_id}"
    waiting = (await shown(operator, talk)).text
    assert "Left for 1 day; your server opened another visit verified" in waiting
    assert "After 1 day a fresh link was made verified" in waiting
    assert waiting.count("Somebody came in by it") == 1
    visit = await office.store.read_across(sessions.by_id, again.session_id)
    assert visit is not None
    asked = Exchange(visit=visit, origins=(), own_origin=office.origin, browser="b2", host=None)
    await office.store.write("test", admit.exchange, asked, office.ids)
    await office.record(again, SessionJoined())
    assert "Somebody came in by it on another device" in (await shown(operator, talk)).text


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        ("asked_new", "Not resumed: a fresh start was asked for."),
        ("ended", "Not resumed: the earlier one had ended."),
        ("window_over", "Not resumed: the earlier one was left more than 1 month ago"),
        ("resumption_off", "Not resumed: this template begins anew at every visit"),
        ("proof_needed", "Not resumed: this visit was claimed; the template asks for verified (history_requires)."),
    ],
)
async def test_why_it_did_not_resume_and_what_was_before(
    office: Office, operator: httpx2.AsyncClient, clock: FakeClock, reason: Reason, sentence: str
) -> None:
    embedded = {
        "resumption_off": {"resumption": False},
        "proof_needed": {"resumption": True, "history_requires": "verified"},
    }.get(reason, {"resumption": True})
    office.template_id = await office.make_template(TEMPLATE | {"settings": {"embedded": embedded}})
    first = await (people.verified(office, "ada") if reason == "proof_needed" else office.visit("ada"))
    await people.talk(office, first)
    if reason == "ended":
        await people.finish(office, first)
    clock.advance(40 * DAY if reason == "window_over" else DAY)
    second = await office.visit("ada", resume=reason != "asked_new")
    assert second.judged == reason
    await sign_in(operator)
    page = await shown(operator, f"/dashboard/conversations/{second.conversation_id}")
    assert sentence in page.text
    assert "Before this: an earlier conversation" in page.text
    assert f"/dashboard/conversations/{first.conversation_id}" in page.links
    assert "Before this" not in (await shown(operator, f"/dashboard/conversations/{first.conversation_id}")).text


async def test_a_trial_says_so_and_is_nobodys_earlier_conversation(
    office: Office, operator: httpx2.AsyncClient, clock: FakeClock
) -> None:
    await office.store.write("test", author.change, office.template_id, {"name": "A draft"}, publish=False)
    tried = await office.visit("ada", proof=Proof.verified, method="secret_key", version=2)
    clock.advance(DAY)
    hers = await people.verified(office, "ada")
    assert hers.reason == "new_person"
    await sign_in(operator)
    page = await shown(operator, f"/dashboard/conversations/{tried.conversation_id}")
    assert "Begun to try out version 2 of this template. No later visit goes on with it." in page.text
    assert "new: a version was tried out" in (await shown(operator, f"/dashboard/people/{tried.person.id}")).text
    page = await shown(operator, f"/dashboard/conversations/{hers.conversation_id}")
    assert "Begun: there was nothing earlier to go on with." in page.text
    assert "Before this" not in page.text


def test_every_reason_is_a_sentence_of_its_own() -> None:
    template = read("tpl_1", 1, TEMPLATE)
    sentences = [words.why(reason, "claimed", template) for reason in get_args(Reason)]
    assert len(set(sentences)) == len(sentences)
    assert all(sentence.endswith(".") for sentence in sentences)


async def test_the_owner_reads_the_truth_and_what_the_page_was_told(
    office: Office, operator: httpx2.AsyncClient
) -> None:
    await people.verified(office, "ada")
    claimed = await office.visit("ada")
    assert (claimed.reason, claimed.judged) == ("new_person", "proof_needed")
    page = await shown(operator, f"/dashboard/conversations/{claimed.conversation_id}")
    assert "what was said in verified ones never opens to less. The page was told only new_person ." in page.text


async def test_a_verified_visit_behind_unproven_ones_is_not_called_the_first(
    office: Office, operator: httpx2.AsyncClient, clock: FakeClock
) -> None:
    first = await people.verified(office, "bob")
    claimed = await office.visit("ada")
    clock.advance(60)
    verified = await people.verified(office, "ada")
    assert (verified.reason, verified.judged) == ("new_person", "new_person"), "the visit itself is told no more"
    page = await shown(operator, f"/dashboard/conversations/{verified.conversation_id}")
    assert "Before this: an earlier conversation" in page.text
    assert "Not resumed: what was said before is unproven." in page.text
    assert "nothing earlier" not in page.text
    assert page.text.count(words.UNPROVEN_BEFORE) == 1
    whose = (await shown(operator, f"/dashboard/people/{verified.person.id}")).text
    assert whose.count(words.UNPROVEN_BEFORE) == 1
    for begun in (first, claimed):
        page = await shown(operator, f"/dashboard/conversations/{begun.conversation_id}")
        assert "Begun: there was nothing earlier to go on with." in page.text
        assert words.REASONS["new_person"] in page.text


async def test_what_was_before_is_of_the_same_kind(
    office: Office, operator: httpx2.AsyncClient, clock: FakeClock
) -> None:
    hers = await people.verified(office, "ada")
    clock.advance(60)
    await office.visit("ada")
    clock.advance(60)
    newest = await office.visit("ada", proof=Proof.verified, method="secret_key", resume=False)
    page = await shown(operator, f"/dashboard/conversations/{newest.conversation_id}")
    assert f"/dashboard/conversations/{hers.conversation_id}" in page.links


async def test_what_was_not_heard_to_the_end_says_so(office: Office, operator: httpx2.AsyncClient) -> None:
    opened = await office.visit()
    await office.record(opened, SessionJoined(), *people.said("u1", "One two three."), *people.said("u2", "Four."))
    await office.record(opened, AgentHeard(utterance_id="u1", chars=7), AgentHeard(utterance_id="u2", chars=5))
    page = await shown(operator, f"/dashboard/conversations/{opened.conversation_id}")
    timeline = page.text.partition("Raw events")[0]
    assert "Heard as far as …One two" in timeline
    assert timeline.count("Heard as far as") == 1


async def test_captured_data_stands_with_its_sentence_and_the_agents_context_beside_it(
    office: Office, operator: httpx2.AsyncClient
) -> None:
    opened = await office.visit("ada", proof=Proof.verified, method="secret_key", context={"plan": "team"})
    await people.talk(office, opened)
    page = await shown(operator, f"/dashboard/conversations/{opened.conversation_id}")
    assert "team size * 12 said here twelve of us" in page.text
    assert "What the agent was told beforehand by your server" in page.text
    assert '"plan": "team"' in page.text
    (link,) = [link for link in page.links if link.startswith("/dashboard/deliveries/") and "/send" not in link]
    assert "Body" in (await shown(operator, link)).text


async def test_that_a_model_was_not_there_is_told(office: Office, operator: httpx2.AsyncClient) -> None:
    opened = await office.visit("ada", "Ada Lovelace")
    answer = AgentStarted(utterance_id="u1", plan="Hello!", request=Request(model="m", fault="timed_out"))
    await office.record(opened, SessionJoined(), answer, AgentSaid(utterance_id="u1", text="Hello!"))
    page = await shown(operator, f"/dashboard/conversations/{opened.conversation_id}")
    assert "The scripted speaker stands in for the model: it took too long" in page.text


async def test_a_fresh_link_is_told_once_and_noted(office: Office, operator: httpx2.AsyncClient) -> None:
    opened = await office.visit("ada")
    talk = f"/dashboard/conversations/{opened.conversation_id}"
    form = {"csrf": csrf(await operator.get(talk))}
    made = await operator.post(f"{talk}/link", data=form)
    assert made.status_code == 200
    assert made.headers["cache-control"] == "no-store"
    found = re.search(rf"{office.origin}/join/i/{opened.conversation_id}#(\w+)", made.text)
    assert found
    visit = await office.store.read_across(sessions.by_join_secret, opened.conversation_id, found.group(1))
    assert visit is not None
    assert visit.proof is Proof.claimed
    after = await operator.get(talk)
    assert found.group(1) not in after.text
    assert "a fresh link was made" in after.text
    assert "You made a fresh link into a conversation" in (await shown(operator, "/dashboard/audit")).text
    await operator.post(f"{talk}/end", data=form)
    ended = await shown(operator, talk)
    assert f"{talk}/link" not in ended.links
    assert (await operator.post(f"{talk}/link", data=form)).status_code == 409


async def test_a_transcript_is_read_by_no_way_without_a_line_in_the_audit_log(
    office: Office, operator: httpx2.AsyncClient, clock: FakeClock
) -> None:
    opened = await office.visit("ada")
    await people.talk(office, opened)
    await office.rooms.drain()  # a stream ends at once
    talk = f"/dashboard/conversations/{opened.conversation_id}"

    async def views() -> int:
        page = await office.store.read("test", audit.listed, audit.AuditFilter(action="transcript.viewed"), Span())
        return len(page.items)

    for number, way in enumerate(("", "/events", "/json", "/live?after=0", "/live?after=999"), 1):
        clock.advance(DAY / 24)
        assert (await operator.get(talk + way)).status_code == 200
        assert await views() == number, way
    clock.advance(DAY / 24)
    await operator.get(talk)
    await operator.get(f"{talk}/live?after=9")
    assert await views() == 6, "a page and its stream are one view"
