"""Every question in words: for a field, for a yes or no to a guess or a memory, for an end."""

from roxels.agent.dialogue.draft import Draft
from roxels.agent.dialogue.places import place_of, places_in, value_at
from roxels.agent.dialogue.questions import called, capital, introduction, is_question, question, remark
from roxels.agent.dialogue.spoken import listed, spoken
from roxels.domain import goals
from roxels.domain.events import Ask
from roxels.domain.fields import Field
from roxels.domain.goals import Mending, OpenField
from roxels.domain.invariants import REQUIRED
from roxels.domain.templates import Goal

#: So many choices are read out; of more, the first few.
CHOICES_READ = 8
CHOICES_SHOWN = 4


def ask_for(draft: Draft, place: OpenField) -> Ask:
    """The question for a field: what is remembered is offered, all else is asked."""
    known = draft.remembered(place)
    if known and draft.template.carry_forward == "offer":
        return Ask(kind="offer", goal_id=place.goal.id, field=place.field.name, value=known.value)
    return ask_plainly(place)


def ask_plainly(place: OpenField) -> Ask:
    """The question for a field, whatever is remembered."""
    return Ask(kind="field", goal_id=place.goal.id, field=place.field.name)


def worded(draft: Draft, ask: Ask) -> str:
    """The question as it is said."""
    place = place_of(draft.template, ask)
    if ask.kind == "stop":
        is_more = goals.next_step(draft.template, draft.state) is not None
        return draft.phrase(draft.book.ask_stop if is_more else draft.book.ask_done)
    if place is None:
        goal = draft.template.goal(ask.goal_id)
        return _of_goal(draft, ask, goal) if goal else ""
    if ask.kind == "confirm":
        return draft.phrase(draft.book.confirm, value=draft.spoken(place, ask.value))
    if ask.kind == "offer":
        return _offered(draft, place, ask)
    return _with_choices(draft, place.field, _in_full(draft, place.field))


def introduced(draft: Draft, goal: Goal) -> str:
    """What a goal is about, in the words of its prompt."""
    text, is_aim = introduction(draft.rendered(goal.prompt))
    return draft.phrase(draft.book.aim, aim=text) if is_aim else text


def wish(draft: Draft, step: Mending) -> str:
    """Why a value is asked for again, in the customer's words where there are any."""
    if step.broken.message:
        return draft.rendered(step.broken.message)
    wanted = step.broken.wanted.get(step.field.name, REQUIRED)
    if wanted == REQUIRED:
        return draft.phrase(draft.book.needs_too, field=called(step.field))
    value = spoken(step.field, wanted, draft.book, draft.moment.zone)
    return draft.phrase(draft.book.should_be, field=called(step.field), value=value)


def plainly(draft: Draft, field: Field) -> str:
    """The bare question for a field."""
    if not field.description and draft.state.active:
        goal = draft.template.goal(draft.state.active)
        if goal is not None and goal.takes_any_words:
            return draft.phrase(draft.book.own_words)
    return draft.rendered(question(field, english=draft.template.language.lower().startswith("en")))


def expectation(draft: Draft, field: Field) -> str:
    """What can be answered, in a sentence."""
    if field.enum:
        return _choices(draft, field)
    book = draft.book
    by_format = {
        "date": book.expect_date,
        "date-time": book.expect_date_time,
        "time": book.expect_time,
        "email": book.expect_email,
        "phone": book.expect_phone,
        "uri": book.expect_uri,
    }
    by_type = {
        "boolean": book.expect_boolean,
        "integer": book.expect_integer,
        "number": book.expect_number,
        "array": book.expect_array,
    }
    return draft.phrase(by_format.get(field.format or "") or by_type.get(field.type) or book.expect_words)


def _of_goal(draft: Draft, ask: Ask, goal: Goal) -> str:
    """A question that is about a goal as a whole, or about something beside its fields."""
    match ask.kind:
        case "probe":
            area = draft.rendered(str(ask.value))
            return area if area.endswith("?") else draft.phrase(draft.book.probe, area=area)
        case "propose":
            known = [place for place in places_in(goal) if value_at(place, draft.state) is not None]
            lines = [f"- {capital(called(place.field))}: {draft.spoken(place)}" for place in known]
            return "\n".join([draft.phrase(draft.book.propose), *lines, draft.phrase(draft.book.propose_right)])
        case _:
            return introduced(draft, goal)


def _in_full(draft: Draft, field: Field) -> str:
    """The question and what its author says beside it; behind a mere name that is a note, and not read out."""
    asked = plainly(draft, field)
    return f"{asked} {draft.rendered(remark(field))}".strip() if is_question(field) else asked


def _with_choices(draft: Draft, field: Field, asked: str) -> str:
    options = _options(field)
    if not options or all(option.lower() in asked.lower() for option in options):
        return asked
    return f"{asked} {_choices(draft, field)}"


def _choices(draft: Draft, field: Field) -> str:
    options = _options(field)
    if len(options) <= CHOICES_READ:
        return draft.phrase(draft.book.choose, options=listed(options, draft.book.either))
    return draft.phrase(draft.book.choose_such_as, options=listed(options[:CHOICES_SHOWN], draft.book.either))


def _options(field: Field) -> list[str]:
    choices = field.enum or (field.items.enum if field.items else None) or ()
    return [str(choice).replace("_", " ") for choice in choices]


def _offered(draft: Draft, place: OpenField, ask: Ask) -> str:
    known = draft.remembered(place)
    latest = max(draft.scene.memory.facts, key=lambda fact: fact.at, default=None)
    is_last_time = known and latest and known.conversation_id == latest.conversation_id
    when = draft.book.last_time if is_last_time else draft.book.earlier
    if isinstance(ask.value, bool):
        value, asked = draft.spoken(place, ask.value), plainly(draft, place.field)
        return draft.phrase(draft.book.offer_boolean, when=when, question=asked, value=value)
    if draft.is_sentence(place, ask.value):
        about = {**draft.about(place, ask.value), "value": draft.spoken(place, ask.value)}
        return draft.phrase(draft.book.offer_words, when=when, **about)
    return draft.phrase(draft.book.offer, when=when, **draft.about(place, ask.value))
