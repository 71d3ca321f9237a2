"""When a goal's data is final enough to act on, and what is still to be done for it. Pure: (template, state) -> events.

    policy                  commits when
    auto                    all required fields stand; where none is required, when the agent leaves the goal with data
    require_all_required    all required fields stand
    human_confirm           the participant said yes to exactly this data, which was proposed (read out) before

    and never while a rule of the goal (`domain.invariants`) is broken.

A commit is made once per revision: nothing is committed again unless the data differs from what the last revision
said. A skipped required field leaves its goal open.

What there is to do for a goal, in this order (`Step`): ask for its fields, or say its prompt where it has none; ask
more about its areas; ask about a broken rule; propose it. The last two once per state of its data, so that nobody is
asked in a circle. Goals come in their order.
"""

from collections.abc import Callable, Iterable

import msgspec

from roxels.domain.conversation import Conversation, GoalState, fold
from roxels.domain.events import AnyEvent, Fact, GoalCommitted
from roxels.domain.fields import Field
from roxels.domain.invariants import BrokenRule, broken
from roxels.domain.templates import Goal, Template


class OpenField(msgspec.Struct, frozen=True):
    """A field in its goal: to be asked for."""

    goal: Goal
    field: Field


class Area(msgspec.Struct, frozen=True):
    """Something that more is to be asked about."""

    goal: Goal
    area: str


class Mending(msgspec.Struct, frozen=True):
    """A field to be asked for again, since its value breaks a rule."""

    goal: Goal
    field: Field
    broken: BrokenRule


class Proposal(msgspec.Struct, frozen=True):
    """A goal whose data is to be read out for a yes."""

    goal: Goal


#: What comes next. A goal by itself has only its prompt: it is said once, and any words answer it.
Step = OpenField | Goal | Area | Mending | Proposal


def missing(goal: Goal, state: GoalState) -> list[Field]:
    """The required fields that have no value yet, skipped ones too, in the schema's order."""
    return [field for field in goal.fields if field.required and _is_empty(field, state)]


def unasked(goal: Goal, state: GoalState) -> list[Field]:
    """The fields that the agent may still ask for in words, in the schema's order: no value, and not skipped."""
    known = state.data.keys() | state.skipped
    return [field for field in goal.fields if field.name not in known and field.is_answerable]


def unprobed(goal: Goal, state: GoalState) -> list[str]:
    """The areas that the agent has not asked about yet. Nobody who said nothing at all is asked for more of it."""
    return [area for area in goal.probing_areas if area not in state.probed] if state.data or not goal.fields else []


def to_mend(goal: Goal, state: GoalState) -> Mending | None:
    """The broken rule that the participant is to be asked about now, or None."""
    if not state.data or missing(goal, state) or state.data == state.blocked_data:
        return None
    for rule in broken(goal.invariants, state.data):
        field = goal.field(rule.fields[0])
        if field is not None and field.is_answerable:
            return Mending(goal, field, rule)
    return None


def to_propose(goal: Goal, state: GoalState) -> bool:
    """Whether the goal's data is whole and is to be read out for a yes."""
    if goal.commit_policy != "human_confirm" or not state.data or missing(goal, state):
        return False
    is_news = state.data not in (state.committed_data, state.proposed_data)
    return is_news and not broken(goal.invariants, state.data)


def next_step(template: Template, state: Conversation) -> Step | None:
    """The next step of the first goal for which there is one, or None when the agent is done."""
    steps = (step_in(goal, state) for goal in template.goals)
    return next((step for step in steps if step is not None), None)


def step_in(goal: Goal, state: Conversation) -> Step | None:
    """What is still to be done for this goal."""
    stands = state.goal(goal.id)
    if fields := unasked(goal, stands):
        return OpenField(goal, fields[0])
    if not goal.fields and goal.prompt.strip() and goal.id not in state.goals:
        return goal
    if areas := unprobed(goal, stands):
        return Area(goal, areas[0])
    return to_mend(goal, stands) or (Proposal(goal) if to_propose(goal, stands) else None)


def goal_of(step: Step) -> Goal:
    """The goal that a step is for."""
    return step if isinstance(step, Goal) else step.goal


def ready(goal: Goal, state: GoalState, *, left: bool) -> bool:
    """Whether a new revision is due. `left`: the agent has moved on from this goal."""
    if not state.data or state.data == state.committed_data or broken(goal.invariants, state.data):
        return False
    if goal.commit_policy == "human_confirm":
        return state.data == state.confirmed_data
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
        if state.goal(goal.id).data and ready(goal, state.goal(goal.id), left=_is_left(goal, template, state))
    ]


def after(state: Conversation, events: Iterable[AnyEvent]) -> Conversation:
    """The state as it will be when these events stand: for deciding what follows from them in the same transaction."""
    if state.last_activity_at is None:
        return state
    at = state.last_activity_at
    return fold(
        (Fact(seq=seq, at=at, session_id=None, event=event) for seq, event in enumerate(events, state.head + 1)), state
    )


def _is_empty(field: Field, state: GoalState) -> bool:
    if field.name not in state.data:
        return True
    return field.nonempty and state.data[field.name] in (None, "", [])


def _is_left(goal: Goal, template: Template, state: Conversation) -> bool:
    upcoming = next_step(template, state)
    return upcoming is None or goal_of(upcoming).id != goal.id
