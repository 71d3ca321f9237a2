"""When a goal's data is final enough to act on, and which goal comes next. Pure: (template, state) -> events.

    policy                  commits when
    auto                    all required fields stand; where none is required, when the agent leaves the goal with data
    require_all_required    all required fields stand
    human_confirm           the participant confirms (until proposing is built: never by itself)

A commit is made once per revision: nothing is committed again unless the data differs from what the last revision
said. A skipped required field leaves its goal open.
"""

from collections.abc import Callable, Iterable

from roxels.domain.conversation import Conversation, GoalState, fold
from roxels.domain.events import AnyEvent, Fact, GoalCommitted
from roxels.domain.fields import Field
from roxels.domain.templates import Goal, Template


def missing(goal: Goal, state: GoalState) -> list[Field]:
    """The required fields that have no value yet, skipped ones too, in the schema's order."""
    return [field for field in goal.fields if field.required and field.name not in state.data]


def unasked(goal: Goal, state: GoalState) -> list[Field]:
    """The fields that the agent may still ask for, in the schema's order: no value, not skipped, and answerable in
    words (an object is not)."""
    known = state.data.keys() | state.skipped
    return [field for field in goal.fields if field.name not in known and field.type != "object"]


def next_goal(template: Template, state: Conversation) -> Goal | None:
    """The first goal that still has something to ask, or None when the agent is done."""
    return next((goal for goal in template.goals if unasked(goal, state.goal(goal.id))), None)


def ready(goal: Goal, state: GoalState, *, left: bool) -> bool:
    """Whether a new revision is due. `left`: the agent has moved on from this goal."""
    if goal.commit_policy == "human_confirm" or not state.data or state.data == state.committed_data:
        return False
    if any(field.required for field in goal.fields):
        return not missing(goal, state)
    return goal.commit_policy == "auto" and left


def commits(template: Template, state: Conversation, *, proof: str, new_id: Callable[[], str]) -> list[AnyEvent]:
    """The commits that are due in this state, one per goal at most. `proof`: of the session whose words led here."""
    return [
        GoalCommitted(
            goal_id=goal.id,
            revision=state.goal(goal.id).revision + 1,
            commit_id=new_id(),
            data=state.goal(goal.id).data,
            proof=proof,
        )
        for goal in template.goals
        if ready(goal, state.goal(goal.id), left=_is_left(goal, template, state))
    ]


def after(state: Conversation, events: Iterable[AnyEvent]) -> Conversation:
    """The state as it will be when these events stand: for deciding what follows from them in the same transaction."""
    if state.last_activity_at is None:
        return state
    at = state.last_activity_at
    return fold(
        (Fact(seq=seq, at=at, session_id=None, event=event) for seq, event in enumerate(events, state.head + 1)), state
    )


def _is_left(goal: Goal, template: Template, state: Conversation) -> bool:
    upcoming = next_goal(template, state)
    return upcoming is None or upcoming.id != goal.id
