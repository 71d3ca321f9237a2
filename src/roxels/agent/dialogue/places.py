"""Where a question stands: a field in its goal, and the order in which fields are asked (that of `properties`)."""

import msgspec

from roxels.domain.conversation import Conversation
from roxels.domain.events import Ask
from roxels.domain.fields import Field
from roxels.domain.templates import Goal, Template


class Place(msgspec.Struct, frozen=True):
    """A field in its goal."""

    goal: Goal
    field: Field


def places(template: Template) -> list[Place]:
    """All fields that can be asked for, in order. An object has no words that answer it: it is filled by others."""
    return [Place(goal, field) for goal in template.goals for field in goal.fields if field.type != "object"]


def is_open(place: Place, state: Conversation) -> bool:
    """Whether it may still be asked: no value yet, and not skipped."""
    goal = state.goal(place.goal.id)
    return place.field.name not in goal.data and place.field.name not in goal.skipped


def open_places(template: Template, state: Conversation) -> list[Place]:
    """What is still to be asked, in order."""
    return [place for place in places(template) if is_open(place, state)]


def place_of(template: Template, ask: Ask | None) -> Place | None:
    """The place that a question is about."""
    if ask is None:
        return None
    return next(
        (place for place in places(template) if place.goal.id == ask.goal_id and place.field.name == ask.field), None
    )


def before(template: Template, state: Conversation, place: Place | None) -> Place | None:
    """The nearest place before this one that was dealt with; before the end, where `place` is None."""
    every = places(template)
    earlier = every[: every.index(place)] if place in every else every
    return next((one for one in reversed(earlier) if not is_open(one, state)), None)


def named(template: Template, state: Conversation, field: str) -> Place | None:
    """The field of this name: where several goals have one, that which has a value."""
    same = [place for place in places(template) if place.field.name == field]
    valued = [place for place in same if field in state.goal(place.goal.id).data]
    return next(iter(valued or same), None)


def value_at(place: Place, state: Conversation) -> object:
    """What stands there now, or None."""
    return state.goal(place.goal.id).data.get(place.field.name)


def next_up(template: Template, state: Conversation) -> Place | Goal | None:
    """What comes next: an open field, or a goal without fields that was not brought up yet; None at the end.

    Such a goal has only its prompt: it is said once, and any words answer it.
    """
    still_open = open_places(template, state)
    for goal in template.goals:
        place = next((place for place in still_open if place.goal.id == goal.id), None)
        if place is not None:
            return place
        if not goal.fields and goal.prompt.strip() and goal.id not in state.goals:
            return goal
    return None
