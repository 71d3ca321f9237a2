"""Where a question stands: a field in its goal, and the order in which fields are asked (that of `properties`)."""

from roxels.domain.conversation import Conversation
from roxels.domain.events import Ask
from roxels.domain.goals import OpenField
from roxels.domain.templates import Goal, Template


def places(template: Template) -> list[OpenField]:
    """All fields that can be asked for, in order; what no words answer is filled by others."""
    return [place for goal in template.goals for place in places_in(goal)]


def places_in(goal: Goal) -> list[OpenField]:
    """Those of one goal."""
    return [OpenField(goal, field) for field in goal.fields if field.is_answerable]


def is_open(place: OpenField, state: Conversation) -> bool:
    """Whether it may still be asked: no value yet, and not skipped."""
    goal = state.goal(place.goal.id)
    return place.field.name not in goal.data and place.field.name not in goal.skipped


def open_places(template: Template, state: Conversation) -> list[OpenField]:
    """What is still to be asked, in order."""
    return [place for place in places(template) if is_open(place, state)]


def place_of(template: Template, ask: Ask | None) -> OpenField | None:
    """The place that a question is about."""
    if ask is None:
        return None
    return next(
        (place for place in places(template) if place.goal.id == ask.goal_id and place.field.name == ask.field), None
    )


def before(template: Template, state: Conversation, place: OpenField | None) -> OpenField | None:
    """The nearest place before this one that was dealt with; before the end, where `place` is None."""
    every = places(template)
    earlier = every[: every.index(place)] if place in every else every
    return next((one for one in reversed(earlier) if not is_open(one, state)), None)


def named(template: Template, state: Conversation, field: str) -> OpenField | None:
    """The field of this name: where several goals have one, that which has a value."""
    same = [place for place in places(template) if place.field.name == field]
    valued = [place for place in same if field in state.goal(place.goal.id).data]
    return next(iter(valued or same), None)


def value_at(place: OpenField, state: Conversation) -> object:
    """What stands there now, or None."""
    return state.goal(place.goal.id).data.get(place.field.name)
