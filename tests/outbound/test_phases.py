"""Outputs of phases and of the template's goals: fired by the commit that makes them whole, each time, in order."""

import json
from typing import Any

from roxels.domain.events import GoalCommitted
from tests.outbound.conftest import Office, Talk, webhooks_to
from tests.outbound.sink import Got, sinking
from tests.outbound.test_worker import once


def template(url: str) -> dict[str, Any]:
    """Two phases; the first has two goals."""
    return {
        "name": "Phases",
        "phases": [
            {
                "goals": [
                    {"id": "g1", "outputs": webhooks_to([{"url": f"{url}/g1", "method": "PUT"}])},
                    {"id": "g2"},
                ],
                "outputs": webhooks_to(
                    [
                        {"url": f"{url}/phase", "method": "PATCH"},
                        {"url": f"{url}/phase/{{{{data.company}}}}/{{{{data.size}}}}", "method": "DELETE"},
                    ]
                ),
            },
            {"goals": [{"id": "g3"}], "outputs": webhooks_to([{"url": f"{url}/second"}])},
        ],
        "settings": {
            "outputs": webhooks_to(
                [{"url": f"{url}/of-g2", "trigger_goal": "g2"}, {"url": f"{url}/end", "method": "GET"}]
            )
        },
    }


async def commit(talk: Talk, goal_id: str, revision: int = 1, **data: Any) -> str:
    """A commit of this goal; says its id."""
    made = GoalCommitted(
        goal_id=goal_id, revision=revision, commit_id=talk.office.ids.new("commit"), data=data, proof="claimed"
    )
    await talk.keep(made)
    return made.commit_id


def lines(got: list[Got]) -> list[str]:
    """What arrived."""
    return [f"{each.method} {each.path}" for each in got]


async def test_a_phase_is_told_when_it_is_whole_and_again_when_it_changes(office: Office) -> None:
    async with sinking() as sink:
        talk = await office.talk_about(template(sink.url), "ada")
        await commit(talk, "g1", company="Acme")
        await once(office)
        assert lines(sink.got) == ["PUT /g1"]
        second = await commit(talk, "g2", size=7)
        await once(office)
        assert lines(sink.got[1:]) == ["POST /of-g2", "PATCH /phase", "DELETE /phase/Acme/7"]
        assert {got.headers["idempotency-key"] for got in sink.got[1:]} == {second}
        assert sink.got[1].data == {"size": 7}
        assert sink.got[2].data == sink.got[3].data == {"g1": {"company": "Acme"}, "g2": {"size": 7}}
        assert json.loads(sink.got[2].body)["goal_id"] == "g2"
        third = await commit(talk, "g1", 2, company="Acme/Co")
        await once(office)
        assert lines(sink.got[4:]) == ["PUT /g1", "PATCH /phase", "DELETE /phase/Acme%2FCo/7"]
        assert {got.headers["idempotency-key"] for got in sink.got[4:]} == {third}
        await talk.end()
        await once(office)
    assert lines(sink.got[7:]) == ["GET /end"]
    assert sink.got[7].body == b""
    assert len({got.headers["webhook-id"] for got in sink.got}) == 8


async def test_goals_committed_at_once_make_their_phase_whole_once(office: Office) -> None:
    async with sinking() as sink:
        talk = await office.talk_about(template(sink.url), "ada")
        both = [
            GoalCommitted(goal_id=goal_id, revision=1, commit_id=f"commit_{goal_id}", data=data, proof="claimed")
            for goal_id, data in (("g1", {"company": "Acme"}), ("g2", {"size": 7}))
        ]
        await talk.keep(*both)
        await once(office)
    assert lines(sink.got) == ["PUT /g1", "POST /of-g2", "PATCH /phase", "DELETE /phase/Acme/7"]
