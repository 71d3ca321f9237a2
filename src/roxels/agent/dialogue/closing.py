"""What an answer ends with: the open question, the next one, or a goodbye."""

from roxels.agent.dialogue.asking import ask_for, ask_plainly, introduced, plainly, wish, worded
from roxels.agent.dialogue.draft import Draft
from roxels.agent.dialogue.places import places, value_at
from roxels.agent.dialogue.questions import asks_already, called, capital, goal_named, lowered
from roxels.agent.dialogue.spoken import lasting, listed
from roxels.domain import goals
from roxels.domain.events import Ask, GoalActivated, GoalBlocked, GoalProposed
from roxels.domain.goals import Area, Mending, OpenField, Proposal
from roxels.domain.invariants import broken
from roxels.domain.templates import Goal

#: After a question was put so often, the way round it is mentioned.
PATIENT_FOR = 2


def move_on(draft: Draft) -> None:
    """Choose what to ask next and turn to its goal, without a word yet; no question where nothing is left."""
    upcoming = goals.next_step(draft.template, draft.state)
    match upcoming:
        case OpenField():
            _turn_to(draft, upcoming.goal)
            draft.ask = draft.unasked = ask_for(draft, upcoming)
        case Goal():
            _turn_to(draft, upcoming)
            draft.ask = draft.unasked = Ask(kind="field", goal_id=upcoming.id)
        case Area(goal, area):
            _turn_to(draft, goal)
            draft.ask = draft.unasked = Ask(kind="probe", goal_id=goal.id, value=area)
        case Mending(goal, field, rule) as step:
            _turn_to(draft, goal)
            draft.keep(GoalBlocked(goal_id=goal.id, fields=list(rule.fields)))
            draft.introduction = wish(draft, step)
            draft.ask = draft.unasked = ask_plainly(OpenField(goal, field))
        case Proposal(goal):
            _turn_to(draft, goal)
            draft.keep(GoalProposed(goal_id=goal.id, data=draft.state.goal(goal.id).data))
            draft.ask = draft.unasked = Ask(kind="propose", goal_id=goal.id)
        case None:
            draft.ask = None


def go_on(draft: Draft) -> None:
    """Ask what is open; with nothing open turn to the next field; with nothing left say goodbye."""
    if draft.ends is not None:
        draft.ask = None
        return
    if draft.scene.time_is_up:
        _time_is_up(draft)
        return
    if draft.ask is None or _is_outdated(draft, draft.ask):
        move_on(draft)
    if draft.ask is None:
        _nothing_left(draft)
    elif draft.ask is draft.unasked:
        _ask_first(draft, draft.ask)
    elif not draft.quiet:
        _ask_again(draft, draft.ask)


def _is_outdated(draft: Draft, ask: Ask) -> bool:
    """Whether it asks for a yes to what no longer stands."""
    return ask.kind == "propose" and not draft.state.goal(ask.goal_id).is_proposed


def _turn_to(draft: Draft, goal: Goal) -> None:
    """Make this the active goal; it is introduced before the question is put."""
    if draft.state.active != goal.id:
        draft.keep(GoalActivated(goal_id=goal.id))
        draft.introduction = introduced(draft, goal)


def _ask_first(draft: Draft, ask: Ask) -> None:
    """Put a question for the first time, behind the introduction of its goal; once where one says the other."""
    asked = worded(draft, ask)
    draft.tell(draft.introduction)
    if not asks_already(draft.introduction, asked):
        draft.tell(asked)


def _ask_again(draft: Draft, ask: Ask) -> None:
    """Put the open question; in other words where the last ones did not help."""
    if not draft.again or ask.kind != "field" or draft.place is None:
        draft.tell(worded(draft, ask))
        return
    draft.say(draft.book.again, question=lowered(plainly(draft, draft.place.field)))
    if _times_asked(draft) >= PATIENT_FOR:
        draft.say(draft.book.skip_too)


def _times_asked(draft: Draft) -> int:
    """In how many of our last answers in a row this question stood."""
    if draft.place is None:
        return 0
    asked = plainly(draft, draft.place.field).lower()
    times = 0
    for message in reversed(draft.state.transcript):
        if message.role == "agent":
            if asked not in message.text.lower():
                break
            times += 1
    return times


def _nothing_left(draft: Draft) -> None:
    """All is known. Who was not asked anything, because memory knew it all, is asked whether it still holds."""
    if draft.is_opening and draft.events:
        draft.say(draft.book.all_prefilled)
        draft.ask = Ask(kind="stop")
        draft.tell(worded(draft, draft.ask))
    else:
        _finish(draft)


def _finish(draft: Draft) -> None:
    """Thank, sum up, and be done."""
    draft.say_named(draft.book.done, draft.book.done_name)
    known = [place for place in places(draft.template) if value_at(place, draft.state) is not None]
    if known:
        lines = [f"- {capital(called(place.field))}: {draft.spoken(place)}" for place in known]
        draft.tell("\n".join([draft.phrase(draft.book.sum_up), *lines]))
    missing = [field for goal in draft.template.goals for field in goals.missing(goal, draft.state.goal(goal.id))]
    if missing:
        labels = listed([called(field) for field in missing], draft.book.both)
        draft.tell(draft.phrase(draft.book.still_open, labels=labels))
    for goal in draft.template.goals:
        stands = draft.state.goal(goal.id)
        if broken(goal.invariants, stands.data):
            draft.say(draft.book.does_not_fit, goal=goal_named(goal))
        elif stands.is_proposed:
            draft.say(draft.book.unconfirmed, goal=goal_named(goal))
    draft.ask, draft.ends = None, "agent"


def _time_is_up(draft: Draft) -> None:
    """The visit's time is over. Whom nobody named cannot come back: nothing would tell that it is the same person."""
    draft.say_named(draft.book.time_is_up, draft.book.time_is_up_name)
    window = draft.template.resumable_for if draft.scene.external_id is not None else None
    draft.ask = None
    if window is None:
        draft.say(draft.book.no_coming_back)
        draft.ends = "time"
    else:
        draft.say(draft.book.come_back, time=lasting(window, draft.book))
