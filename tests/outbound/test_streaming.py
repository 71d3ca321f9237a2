"""`streaming` outputs: told of every change of what is known, in order, each once, before the commit."""

import json
from typing import Any

import pytest

from roxels import webhooks
from roxels.domain import soundness
from tests.outbound.conftest import Office
from tests.outbound.sink import Answer, sinking
from tests.outbound.test_worker import are_settled, once


async def test_each_change_is_told_in_order_under_a_key_of_its_own(office: Office) -> None:
    async with sinking() as sink:
        outputs: list[dict[str, Any]] = [
            {
                "url": f"{sink.url}/live?of={{{{external_id}}}}",
                "streaming": True,
                "headers": {"X-Plan": "{{context.plan}}"},
            },
            {"url": f"{sink.url}/only-commits"},
        ]
        talk = await office.talk_on("ada", outputs)
        await talk.capture(company="Acme")
        await talk.capture(company="Acme Ltd", size=7)
        commit_id = await talk.commit("Acme Ltd")
        await once(office)
    told = [got for got in sink.got if got.path.startswith("/live")]
    first, second, commit = (json.loads(got.body) for got in told)
    assert [first["data"], second["data"]] == [{"company": "Acme"}, {"company": "Acme Ltd", "size": 7}]
    assert [first["event"], second["event"], commit.get("event")] == ["understanding", "understanding", None]
    assert [first["changed"], second["changed"]] == [["company"], ["company", "size"]]
    assert first["seq"] < second["seq"] == talk.state.head - 1
    for got, body in zip(told[:2], (first, second), strict=True):
        assert got.headers["idempotency-key"] == body["event_id"] != commit_id
        assert (got.path, got.headers["x-plan"], got.method) == ("/live?of=ada", "pro", "POST")
        assert (body["external_id"], body["identity"], body["goal_id"]) == ("ada", {"proof": "claimed"}, "g1")
        assert body["context"]["external_id"] == "ada"
    assert commit["commit_id"] == commit_id
    assert len({got.headers["webhook-id"] for got in sink.got}) == 4
    assert [got.path for got in sink.got if not got.path.startswith("/live")] == ["/only-commits"]


async def test_a_receiver_reads_it_and_takes_it_for_no_commit(office: Office) -> None:
    _, secret = await office.new_secret()
    async with sinking() as sink:
        talk = await office.talk_on(None, [{"url": sink.url, "streaming": True}])
        await talk.capture(company="Acme")
        await once(office)
    (got,) = sink.got
    message = webhooks.verify(got.headers, got.body, secret, now=office.clock.now())
    event = message.event()
    assert event is not None
    assert (event.name, event.id, event.external_id) == ("understanding", message.key, None)
    assert event.body["data"] == {"company": "Acme"}
    with pytest.raises(webhooks.NotACommit):
        message.commit()


async def test_what_is_written_for_commits_is_for_commits(office: Office) -> None:
    config: dict[str, Any] = {
        "method": "GET",
        "streaming": True,
        "body_encoding": "form",
        "headers": {"Content-Type": "application/x-www-form-urlencoded"},
    }
    async with sinking() as sink:
        talk = await office.talk_on(
            "ada",
            [config | {"url": f"{sink.url}/{{{{data.company}}}}"}],
            at_end=[{"url": f"{sink.url}/end", "streaming": True}],
        )
        await talk.capture(company="a/b")
        await talk.end()
        await once(office)
    live, at_end, end = sink.got
    assert (live.method, live.path, live.headers["content-type"]) == ("POST", "/a%2Fb", "application/json")
    assert (at_end.path, json.loads(at_end.body)["event"]) == ("/end", "understanding")
    assert (end.path, json.loads(end.body)["ended_by"]) == ("/end", "api")


async def test_a_failing_receiver_gets_the_same_bytes_again_and_the_next_ones_wait(office: Office) -> None:
    answers = iter([503, 503])
    async with sinking(lambda _got, _n: Answer(status=next(answers, 200))) as sink:
        talk = await office.talk_on("ada", [{"url": sink.url, "streaming": True}])
        await talk.capture(company="A")
        await talk.capture(company="B")
        await talk.commit("B")
        worker = office.worker()
        await office.until(worker, are_settled, time_passes=True)
    bodies = [got.body for got in sink.got]
    assert bodies[0] == bodies[1] == bodies[2]
    assert [json.loads(body)["data"]["company"] for body in bodies[2:]] == ["A", "B", "B"]
    assert await office.statuses() == {"delivered"}


def test_two_shapes_at_one_address_are_warned_of() -> None:
    def rules(**config: Any) -> list[str]:
        output = {"type": "webhook", "config": {"url": "https://example.com", **config}}
        goal = {"id": "g1", "schema": {"company": "string"}, "outputs": [output]}
        raw = {"name": "n", "goals": [goal]}
        assert soundness.faults(raw) == []
        return [each["rule"] for each in soundness.warnings(raw)]

    assert rules(streaming=True) == []
    assert rules(streaming=True, body_template={"a": "{{data.company}}"}) == ["streaming"]
    assert rules(streaming=True, raw_payload=True) == ["raw_payload", "streaming"]
