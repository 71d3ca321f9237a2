"""What a conversation came to, in words and as a list: made once, when it has ended. Pure and plain; no model."""

import json
from typing import Any

from roxels.domain.conversation import Conversation
from roxels.domain.templates import Goal, Template


def summary(template: Template, state: Conversation) -> str:
    """A few readable sentences: what was captured per goal, and what stayed open."""
    told = [sentence for goal in template.goals if (sentence := _of_goal(goal, state))]
    still_open = [goal.label for goal in template.goals if not state.goal(goal.id).revision]
    if still_open:
        told.append(f"Still open: {', '.join(still_open)}.")
    return " ".join(told)


def findings(template: Template, state: Conversation) -> list[dict[str, Any]]:
    """One entry per goal that has data: `{goal_id, data, revision, commit_id}`."""
    return [
        {
            "goal_id": goal.id,
            "data": state.goal(goal.id).data,
            "revision": state.goal(goal.id).revision,
            "commit_id": state.goal(goal.id).commit_id,
        }
        for goal in template.goals
        if state.goal(goal.id).data
    ]


def _of_goal(goal: Goal, state: Conversation) -> str:
    data = state.goal(goal.id).data
    known = [
        f"{field.name.replace('_', ' ')}: {_shown(data[field.name])}" for field in goal.fields if field.name in data
    ]
    return f"{goal.label.capitalize()} ({'; '.join(known)})." if known else ""


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
