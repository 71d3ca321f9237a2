"""Outputs on their way: whom they name, what they wait for, what they hide, and who is asked less often."""

import json
import logging
from typing import Any

import pytest
from sqlalchemy import update

from roxels.domain.outputs import DEEPEST, captured
from roxels.outbound.attempt import Outcome
from roxels.outbound.circuits import Circuits
from roxels.storage import outbox
from roxels.storage.freezing import UNMADE
from roxels.storage.schema import deliveries
from roxels.storage.transaction import AcrossWriting, Rows
from tests.outbound.conftest import Office
from tests.outbound.sink import Answer, Got, always, sinking
from tests.outbound.test_worker import are_settled, once


async def test_the_end_owes_once_under_a_commit_id_of_its_own(office: Office) -> None:
    async with sinking() as sink:
        talk = await office.talk_on("ada", [{"url": f"{sink.url}/goal"}], at_end=[{"url": f"{sink.url}/end"}])
        commit_id = await talk.commit("Acme")
        await talk.end()
        await talk.end()
        await once(office)
    goal, end = (json.loads(got.body) for got in sink.got)
    assert [got.path for got in sink.got] == ["/goal", "/end"]
    assert end["commit_id"] == sink.got[1].headers["idempotency-key"] != commit_id == goal["commit_id"]
    assert (end["goal_id"], end["external_id"], end["ended_by"]) == (None, "ada", "api")
    assert end["commit_id"].startswith("commit_")


async def test_identity_stands_everywhere_and_is_always_ours(office: Office) -> None:
    shape = {
        "who": "{{external_id}}",
        "context": "{{context.external_id}}",
        "person": "{{person_id}}",
        "proof": "{{identity.proof}}",
        "commit": "{{commit_id}}",
        "conversation": "{{interview.id}}",
        "goal": "{{goal.id}}",
        "field": "{{context.company}}",
        "plan": "{{context.plan}}",
    }
    async with sinking() as sink:
        config = {"url": f"{sink.url}/{{{{external_id}}}}", "method": "PUT", "headers": {"X-Who": "{{external_id}}"}}
        ada = await office.talk_on("ada/../bob", [config | {"body_template": shape}, {"url": sink.url}])
        nobody = await office.talk_on(None, [{"url": sink.url, "body_template": shape}, {"url": sink.url}])
        commit_id = await ada.commit("Acme")
        await nobody.commit()
        await once(office)
    by_person: dict[str, list[Any]] = {}
    for got in sink.got:
        body = json.loads(got.body)
        by_person.setdefault(body.get("person") or body["person_id"], []).append((got, body))
    (got, own), (_, default) = by_person[ada.opened.person.id]
    assert (got.path, got.headers["x-who"]) == ("/ada%2F..%2Fbob", "ada/../bob")
    assert own == {
        "who": "ada/../bob",
        "context": "ada/../bob",
        "person": ada.opened.person.id,
        "proof": "claimed",
        "commit": commit_id,
        "conversation": ada.opened.conversation_id,
        "goal": "g1",
        "field": "Acme",
        "plan": "pro",
    }
    assert (default["external_id"], default["context"]["external_id"]) == ("ada/../bob", "ada/../bob")
    assert default["identity"] == {"proof": "claimed"}
    assert default["context_from_browser"] == sorted(set(default["context"]) - {"external_id"})
    (_, own), (_, default) = by_person[nobody.opened.person.id]
    assert (own["who"], own["context"], own["proof"]) == (None, None, "anonymous")
    assert (default["external_id"], default["person_id"]) == (None, nobody.opened.person.id)


async def test_a_secret_is_sent_and_stands_nowhere_else(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    config = {"headers": {"Authorization": "Bearer {{secret:crm}}"}, "body_template": {"k": "{{secret:crm}}"}}
    async with sinking(lambda got, _n: Answer(status=200, echo=True)) as sink:
        talk = await office.talk_on("ada", [config | {"url": f"{sink.url}/?k={{{{secret:crm}}}}"}])
        await talk.commit()
        await once(office)
        assert [attempt.error for attempt in await office.tries()] == ["secret"]
        await office.keep_secret("crm", 'hush"hush')
        office.clock.advance(2)
        await once(office)
    (got,) = sink.got
    assert got.headers["authorization"] == 'Bearer hush"hush'
    assert json.loads(got.body) == {"k": 'hush"hush'}
    assert got.path == "/?k=hush%22hush"
    ours = [vars(record) for record in caplog.records if record.name.startswith("roxels")]
    kept = f"{await office.rows()} {await office.tries()} {ours}"
    assert "hush" not in kept
    assert "[secret]" in kept
    assert await office.statuses() == {"delivered"}


def chain(url: str) -> list[dict[str, Any]]:
    return [
        {"url": f"{url}/ticket", "response_capture": {"ticket": "data.ids[1]", "external_id_": "data"}},
        {"url": f"{url}/note/{{{{context.ticket}}}}", "body_template": {"ticket": "{{context.ticket}}"}},
    ]


async def test_a_later_one_waits_for_an_answer_and_is_frozen_with_it(office: Office) -> None:
    def answering(got: Got, n: int) -> Answer:
        return Answer(status=503 if n == 1 else 200, text='{"data": {"ids": [1, "t/7"]}}')

    async with sinking(answering) as sink, sinking(answering) as other:
        configs = chain(sink.url)
        configs[1]["url"] = configs[1]["url"].replace(sink.url, other.url)
        talk = await office.talk_on("ada", configs)
        await talk.commit()
        await once(office)
        first, second = await office.rows()
        assert (second.status, second.body, second.tries) == ("waiting", "", 0)
        assert not await office.store.write("test", outbox.send_again, second.id)
        worker = office.worker()
        await office.until(worker, are_settled, time_passes=True)
        await worker.stop(5)
        assert [got.path for got in sink.got] == ["/ticket", "/ticket"]
        assert {got.path for got in other.got} == {"/note/t%2F7"}
        assert {got.body for got in other.got} == {b'{"ticket":"t/7"}'}
        await talk.commit("again")
        worker = office.worker()
        await office.until(worker, are_settled, time_passes=True)
    assert await office.statuses() == {"delivered"}
    assert first.commit_id == second.commit_id


async def test_where_the_answer_never_comes_the_later_one_goes_without_it(office: Office) -> None:
    async with sinking(lambda got, _n: Answer(status=404 if "ticket" in got.path else 200)) as sink:
        await (await office.talk_on("ada", chain(sink.url))).commit()
        await once(office)
    assert [got.path for got in sink.got] == ["/ticket", "/note/"]
    assert json.loads(sink.got[1].body) == {"ticket": None}
    _, second = await office.rows()
    assert json.loads(second.request)["unknown"] == ["context.ticket"]


def test_a_receiver_in_trouble_is_asked_once_in_thirty_seconds() -> None:
    circuits = Circuits()
    down = Outcome(status_code=503, duration_ms=1)
    for _ in range(4):
        circuits.note("https://a:443", down, 100.0)
    assert circuits.limits(100.0) == {}
    circuits.note("https://a:443", Outcome(error="connect", duration_ms=1), 100.0)
    circuits.note("https://b:443", Outcome(error="unsigned", duration_ms=0), 100.0)
    assert (circuits.limits(129.0), circuits.limits(130.0)) == ({"https://a:443": 0}, {"https://a:443": 1})
    circuits.note("https://a:443", down, 130.0)
    assert circuits.limits(131.0) == {"https://a:443": 0}
    circuits.note("https://a:443", Outcome(status_code=204, duration_ms=1), 160.0)
    assert circuits.limits(160.0) == {}


async def test_what_waits_for_a_receiver_in_trouble_loses_no_attempt_and_holds_nobody_up(office: Office) -> None:
    async with sinking(always(503)) as down, sinking() as sink:
        for n in range(8):
            await (await office.talk(f"person {n}", [down.url])).commit()
        worker = office.worker()
        await office.until(worker, lambda rows: sum(row.tries for row in rows) == 8)
        for n in range(8, 12):
            await (await office.talk(f"person {n}", [down.url, sink.url])).commit()
        worker.wake()
        await sink.until(4)
        assert len(down.got) == 8
        assert [row.tries for row in await office.rows() if row.destination == down.url] == [0] * 4 + [1] * 8 or (
            sum(row.tries for row in await office.rows() if row.destination == down.url) == 8
        )
        office.clock.advance(31)
        await office.until(worker, lambda _rows: len(down.got) >= 9)
        await worker.stop(5)
    assert len(down.got) == 9, "one probe"


async def test_all_that_failed_at_one_receiver_is_sent_again_together(office: Office) -> None:
    async with sinking(lambda _got, n: Answer(status=404 if n <= 3 else 200)) as sink:
        for n in range(3):
            await (await office.talk(f"person {n}", [f"{sink.url}/{n}"])).commit()
        await once(office)
        assert await office.statuses() == {"failed"}
        assert await office.store.write("live", outbox.send_all_again, sink.url) == 0
        assert await office.store.write("test", outbox.send_all_again, sink.url) == 3
        await once(office)
    assert await office.statuses() == {"delivered"}


def nested(levels: int) -> str:
    """An answer whose ticket is a list in a list in a list."""
    return f'{{"data": {{"ids": [1, {"[" * levels}{"]" * levels}]}}}}'


@pytest.mark.parametrize(
    "text",
    [nested(900), '{"data": {"ids": [1, "a\\u0000b"]}}', '{"data": {"ids": [1, {"a\\u0000": 1}]}}', "[" * 50_000],
    ids=["deep", "nul", "nul in a key", "no JSON"],
)
async def test_what_no_request_can_be_made_of_is_not_captured(office: Office, text: str) -> None:
    def answering(got: Got, _n: int) -> Answer:
        return Answer(text=text if got.path == "/ticket" else "noted")

    async with sinking(answering) as sink:
        await (await office.talk_on("eve", chain(sink.url))).commit()
        await (await office.talk("ada", [f"{sink.url}/hook"])).commit()
        await once(office)
    first, second = (row for row in await office.rows() if "hook" not in row.url)
    assert await office.statuses() == {"delivered"}
    assert json.loads(second.body) == {"ticket": None}
    assert "ticket" not in json.loads(first.captured or "{}")


def test_what_is_captured_nests_at_most_fifty_levels() -> None:
    for levels, is_kept in ((DEEPEST, True), (DEEPEST + 1, False)):
        found = captured({"ticket": "data.ids[1]", "n": "data.ids[0]"}, nested(levels))
        assert ("ticket" in found, found["n"]) == (is_kept, 1)
    assert captured({"all": "$"}, '"\ud800"') == {}
    assert captured(
        {"id": "id", "big": "big", "odd": "odd"}, '{"id": 7, "note": "\\ud800", "big": 1e999, "odd": NaN}'
    ) == {"id": 7}


async def test_one_that_cannot_be_made_has_failed_and_spoils_nothing(office: Office) -> None:
    async with sinking(lambda _got, _n: Answer(text='{"data": {"ids": [1, "t7"]}}')) as sink:
        last = {"url": f"{sink.url}/last", "body_template": {"n": "{{context.number}} {{context.ticket}}"}}
        configs = chain(sink.url)
        configs[1]["response_capture"] = {"number": "data.ids[0]"}
        await (await office.talk_on("eve", [*configs, last])).commit()
        await (await office.talk("ada", [f"{sink.url}/hook"])).commit()
        await office.store.write_across(spoil, "note")
        await once(office)
        by_url = {row.url.rpartition("/")[2]: row for row in await office.rows()}
        assert {name: row.status for name, row in by_url.items() if "context" not in name} == {
            "ticket": "delivered",
            "last": "delivered",
            "hook": "delivered",
        }
        (spoiled,) = (row for row in await office.rows() if row.status == "failed")
        assert not await office.store.write("test", outbox.send_again, spoiled.id)
        assert await office.store.write("test", outbox.send_all_again, sink.url) == 0
    assert json.loads(by_url["last"].body) == {"n": " t7"}
    (attempt,) = (each for each in await office.tries() if each.delivery_id == spoiled.id)
    assert (attempt.error, attempt.status_code, spoiled.tries) == (UNMADE, None, 1)


async def test_what_stands_behind_one_that_cannot_be_made_goes_on_at_once(office: Office) -> None:
    def answering(_got: Got, n: int) -> Answer:
        return Answer(status=503 if n == 1 else 200, text='{"data": {"ids": [1, "t7"]}}')

    async with sinking(answering) as sink, sinking() as other:
        ticket, note = chain(sink.url)
        note["url"] = note["url"].replace(sink.url, other.url)
        await (await office.talk_on("ada", [ticket, note, {"url": f"{other.url}/plain"}])).commit()
        await once(office)
        assert other.got == [], "it stands behind the note"
        await office.store.write_across(spoil, "note")
        office.clock.advance(2)
        await once(office)
        assert [got.path for got in other.got] == ["/plain"]


def spoil(tx: AcrossWriting, name: str) -> None:
    """The recipe of that delivery can no longer be read."""
    tx.run(update(deliveries).where(deliveries.c.url.contains(name)).values(recipe='{"output": 7}'))


def has_got(rows: list[Rows], path: str) -> bool:
    """Whether what leads to that path was delivered."""
    return any(row.url.endswith(f"/{path}") and row.status == "delivered" for row in rows)


@pytest.mark.parametrize("spoiled", ["NEW.response_excerpt = 'poison'", "NEW.response_excerpt IN ('poison', '')"])
async def test_one_that_cannot_be_settled_spoils_nobody_else(office: Office, spoiled: str) -> None:
    def answering(got: Got, _n: int) -> Answer:
        return Answer(text="poison" if got.path == "/poison" else "noted")

    refuse = f"CREATE TRIGGER refuse BEFORE INSERT ON attempts WHEN {spoiled} BEGIN SELECT RAISE(ABORT, 'no'); END"
    await office.store.write_across(lambda tx: tx.connection.exec_driver_sql(refuse).close())
    async with sinking(answering) as sink:
        for path in ("poison", "good"):
            await (await office.talk(path, [f"{sink.url}/{path}"])).commit()
        worker = office.worker()
        await sink.until(2)
        await office.until(worker, lambda rows: has_got(rows, "good"))
        await (await office.talk("later", [f"{sink.url}/later"])).commit()
        await office.until(worker, lambda rows: has_got(rows, "later"))
        await worker.stop(5)
    by_path = {row.url.rpartition("/")[2]: row for row in await office.rows()}
    is_kept = "IN" not in spoiled
    assert (by_path["good"].status, by_path["later"].status) == ("delivered", "delivered")
    assert (by_path["poison"].status == "delivered") is is_kept
    assert (by_path["poison"].claimed_by is None) is is_kept, "else its claim runs out"


async def test_what_was_sent_again_in_one_line_goes_without_a_pause(office: Office) -> None:
    async with sinking(lambda _got, n: Answer(status=404 if n <= 6 else 200)) as sink:
        talk = await office.talk("ada", [sink.url])
        for n in range(6):
            await talk.commit(f"company {n}")
        worker = office.worker()
        await office.until(worker, lambda rows: {row.status for row in rows} == {"failed"})
        began = office.clock.now()
        assert await office.store.write("test", outbox.send_all_again, sink.url) == 6
        await talk.commit("the newest")
        await office.until(worker, are_settled, time_passes=True)
        await worker.stop(5)
    assert await office.statuses() == {"delivered"}
    assert office.clock.now() == began, "none waited for its claim to run out"
    assert [got.data["company"] for got in sink.got[6:]] == [*(f"company {n}" for n in range(6)), "the newest"]


async def test_what_was_captured_stays_when_it_is_sent_again_and_answered_without(office: Office) -> None:
    texts = {1: '{"data": {"ids": [1, "t7"]}}', 2: "noted", 3: '{"data": {"ids": [1, "t8"]}}'}
    async with sinking(lambda _got, n: Answer(text=texts.get(n, "noted"))) as sink:
        first = chain(sink.url)[0] | {"response_capture": {"ticket": "data.ids[1]"}}
        last = {"url": f"{sink.url}/last", "body_template": {"ticket": "{{context.ticket}}"}}
        talk = await office.talk_on("ada", [first], at_end=[last])
        await talk.commit()
        await once(office)
        row = await office.row()
        for ticket in ("t7", "t8"):
            assert await office.store.write("test", outbox.send_again, row.id)
            await once(office)
            assert json.loads((await office.row()).captured) == {"ticket": ticket}
        await talk.end()
        await once(office)
    assert json.loads(sink.got[-1].body) == {"ticket": "t8"}
