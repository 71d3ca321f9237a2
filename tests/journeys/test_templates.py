"""The table of templates: each file holds a template, what a participant says, and what is committed by it.

    {about, template, context?, says: [words],
     commits: [{goal_id, revision, data}], status: {goal_id: status}, ended_by}

Each is played with the scripted speaker, and its template survives the way through the API unchanged (`tests/api`).
"""

import json
from pathlib import Path
from typing import Any

import pytest

from roxels.domain import soundness
from tests.agent.talk import Talk

FILES = sorted((Path(__file__).parent / "templates").glob("*.json"))


def test_there_are_enough_of_them() -> None:
    assert len(FILES) >= 12


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_what_is_committed(file: Path) -> None:
    case: dict[str, Any] = json.loads(file.read_text())
    talk = Talk(case["template"], context=case.get("context"))
    talk.join()
    talk.say(*case["says"])
    commits = [{"goal_id": one.goal_id, "revision": one.revision, "data": one.data} for one in talk.commits]
    assert commits == case["commits"], talk.script()
    assert {goal.id: talk.state.goal_status(goal.id) for goal in talk.template.goals} == case["status"]
    assert talk.state.ended_by == case["ended_by"]
    assert soundness.warnings(case["template"]) == []
