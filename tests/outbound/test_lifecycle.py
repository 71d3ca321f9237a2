"""Lifecycle events on their way: signed and tried again like any delivery, behind what happened before them."""

import json

import pytest
from sqlalchemy import update

from roxels import webhooks
from roxels.actions import finish
from roxels.actions import lifecycle as keeping
from roxels.domain.lifecycle import EVENTS
from roxels.storage.schema import deliveries
from roxels.storage.transaction import AcrossWriting, Writing
from tests.outbound.conftest import Office
from tests.outbound.sink import Answer, sinking
from tests.outbound.test_outputs import chain, spoil
from tests.outbound.test_worker import are_settled, once


async def test_it_arrives_signed_behind_the_commit_and_again_until_it_is_had(office: Office) -> None:
    _, secret = await office.new_secret()
    answers = iter([200, 503])
    async with sinking(lambda _got, _n: Answer(status=next(answers, 200))) as sink:
        await office.store.write("test", keeping.create, f"{sink.url}/life", EVENTS, office.ids)
        talk = await office.talk("ada", [f"{sink.url}/commit"])
        await talk.commit()
        await talk.end()
        worker = office.worker()
        await office.until(worker, are_settled, time_passes=True)
    assert [got.path for got in sink.got] == ["/commit", "/life", "/life"]
    first, second = sink.got[1:]
    assert (first.body, first.headers["webhook-id"]) == (second.body, second.headers["webhook-id"])
    message = webhooks.verify(second.headers, second.body, secret, now=office.clock.now())
    event = message.event()
    assert event is not None
    assert (event.name, event.external_id, event.id) == ("conversation.completed", "ada", message.key)
    assert event.body["interview_id"] == talk.opened.conversation_id


async def test_what_was_given_up_is_told_by_the_worker(office: Office) -> None:
    async with sinking(lambda got, _n: Answer(status=404 if got.path == "/commit" else 200)) as sink:
        await office.store.write("test", keeping.create, f"{sink.url}/life", ["delivery.failed"], office.ids)
        talk = await office.talk("ada", [f"{sink.url}/commit"])
        commit_id = await talk.commit("Lovelace")
        await once(office)
    commit, news = sink.got
    told = json.loads(news.body)
    assert (told["event"], told["commit_id"], told["status_code"]) == ("delivery.failed", commit_id, 404)
    assert told["delivery_id"] == commit.headers["webhook-id"]
    assert (told["destination"], told["attempts"]) == (sink.url, 1)
    assert b"Lovelace" not in news.body
    assert b"Lovelace" in commit.body


@pytest.mark.parametrize("is_awaited", [False, True], ids=["in already", "awaited"])
async def test_what_could_not_be_made_is_told_too(office: Office, is_awaited: bool) -> None:
    """No request can be made of it: when the answer is in, or at the commit where it is in already."""

    def spoil_answer(tx: AcrossWriting) -> None:
        tx.run(update(deliveries).where(deliveries.c.captured.is_not(None)).values(captured="7"))

    async with sinking(lambda _got, _n: Answer(text='{"data": {"ids": [1, "t7"]}}')) as sink:
        await office.store.write("test", keeping.create, f"{sink.url}/life", ["delivery.failed"], office.ids)
        ticket, note = chain(sink.url)
        if is_awaited:
            talk = await office.talk_on("ada", [ticket, note])
            await talk.commit("Lovelace")
            await office.store.write_across(spoil, "note")
        else:
            talk = await office.talk_on("ada", [ticket], at_end=[note])
            await talk.commit("Lovelace")
            await once(office)
            await office.store.write_across(spoil_answer)
            await talk.end()
        await once(office)
    (news,) = (json.loads(got.body) for got in sink.got if got.path == "/life")
    (lost,) = (row for row in await office.rows() if row.status == "failed")
    assert (news["delivery_id"], news["commit_id"]) == (lost.id, lost.commit_id)
    assert (news["error"], news["status_code"], news["attempts"]) == ("unmade", None, 1)
    assert (news["destination"], news["external_id"]) == (sink.url, "ada")
    assert b"Lovelace" not in next(got.body for got in sink.got if got.path == "/life")


async def test_what_happens_and_that_it_is_told_are_one_transaction(office: Office) -> None:
    """Planted: the transaction of the end breaks after all its work. Neither the end nor the news stands."""
    await office.store.write("test", keeping.create, "https://ops.example.com", EVENTS, office.ids)
    talk = await office.talk("ada", [])

    class Broken(Exception):
        pass

    def end(tx: Writing) -> None:
        finish.end_conversation(tx, talk.opened.conversation_id, "api")
        raise Broken

    with pytest.raises(Broken):
        await office.store.write("test", end)
    assert await office.rows() == []
    await talk.end()
    assert [row.type for row in await office.rows()] == ["lifecycle"]
