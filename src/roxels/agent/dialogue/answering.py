"""What an answer changes: the asked field takes its value, or is confirmed, skipped, waited for, asked again."""

import re
from itertools import islice
from typing import Any, assert_never

import msgspec

from roxels.agent.dialogue.asking import ask_plainly, expectation
from roxels.agent.dialogue.draft import Draft
from roxels.agent.dialogue.phrases import Variants
from roxels.agent.dialogue.places import open_places, places_in, value_at
from roxels.agent.dialogue.questions import called
from roxels.agent.dialogue.spoken import SHORT
from roxels.domain.conversation import Message
from roxels.domain.events import Ask, GoalConfirmed
from roxels.domain.fields import Field
from roxels.domain.goals import OpenField
from roxels.domain.templates import Goal
from roxels.understanding import Declined, Reading, Unclear, Understood, glean, hesitation, understand

#: A confirmed guess stands in one of so many messages before the yes.
LOOK_BACK = 5
#: "No, it's Acme now": what stands before and after the new value.
_NO_BUT = re.compile(
    r"^\s*(?:no|nope|nah|not any ?more|not quite|actually)\b[\s,.:;!–—-]*"
    r"(?:(?:actually|rather|now)\b[\s,]*)*"
    r"(?:(?:it['’]s|it is|that['’]s|we['’]re|we are|i meant|i mean|make (?:it|that))\s+(?:now\s+|called\s+)*)?",
    re.IGNORECASE,
)
#: What follows a no without being a new value: "no, that changed".
_ONLY_NO = re.compile(
    r"\b(?:changed?|different|wrong|outdated|(?:not|n['’]t) (?:right|true|correct)|any ?more)\b", re.IGNORECASE
)
#: "Yes, that's still right": a yes with more around it.
_YES_AND = re.compile(r"\s*(?:yes|yeah|yep|yup|sure|correct|right|exactly|true|still|that['’]s right)\b", re.IGNORECASE)


def answer(draft: Draft, message: Message) -> None:
    """Words that are no command: whatever was asked, they answer it."""
    _back_from_stopping(draft)
    ask, place = draft.ask, draft.place
    goal = draft.template.goal(ask.goal_id) if ask else None
    if ask is None:
        _volunteered(draft, message)
    elif goal is not None and ask.kind == "probe":
        _told_more(draft, goal, message)
    elif goal is not None and ask.kind == "propose":
        _about_proposal(draft, goal, message)
    elif place is None:
        draft.say(draft.book.thanks)
        draft.ask = None
    elif ask.kind == "field":
        _take_and_glean(draft, place, message)
    else:
        _instead(draft, place, message)


def yes(draft: Draft, message: Message) -> None:
    """A yes: to a guess, to what was remembered, to stopping; else an answer as any other."""
    ask, place = draft.ask, draft.place
    if ask is not None and ask.kind == "stop":
        draft.stop()
    elif ask is not None and place is not None and ask.kind == "confirm":
        draft.capture(place, ask.value, *_source_of(draft, place, ask.value, message))
        _say_got(draft, place)
        draft.ask = None
    elif ask is not None and place is not None and ask.kind == "offer":
        draft.carry_forward(place, ask.value)
        draft.say(draft.book.remembered)
        draft.ask = None
    elif ask is not None and ask.kind == "propose":
        if draft.state.goal(ask.goal_id).is_proposed:
            draft.keep(GoalConfirmed(goal_id=ask.goal_id, said_id=message.id))
            draft.say(draft.book.confirmed)
        draft.ask = None
    else:
        answer(draft, message)


def no(draft: Draft, message: Message) -> None:
    """A no: what was guessed or remembered is asked anew; else an answer as any other."""
    ask, place = draft.ask, draft.place
    if ask is not None and ask.kind == "stop":
        _go_on_after_all(draft)
    elif ask is not None and place is not None and ask.kind in ("confirm", "offer"):
        draft.say(draft.book.no_then)
        draft.ask = ask_plainly(place)
    elif ask is not None and ask.kind == "propose":
        draft.say(draft.book.what_to_change, field=_example_in(draft, ask))
        draft.quiet = True
    elif ask is not None and ask.kind == "probe":
        draft.say(draft.book.thanks)
        draft.ask = None
    else:
        answer(draft, message)


def skip(draft: Draft) -> None:
    """Leave the asked field out and go on; a value that stood before stays."""
    _back_from_stopping(draft)
    place = draft.place
    if place is None:
        is_proposal = draft.ask is not None and draft.ask.kind == "propose"
        draft.say(
            draft.book.left_open if is_proposal else draft.book.thanks if draft.ask else draft.book.nothing_to_skip
        )
    elif value_at(place, draft.state) is not None:
        draft.say(draft.book.kept, value=draft.spoken(place))
    else:
        draft.leave_out(place)
        draft.say(draft.book.left_open if place.field.required else draft.book.skipped)
    draft.ask = None


def take(draft: Draft, place: OpenField, reading: Reading, message: Message) -> None:
    """Let a reading of the message count for the asked field."""
    match reading:
        case Understood(sure=True):
            draft.capture(place, reading.value, message, message.text[slice(*reading.span)])
            _say_got(draft, place)
            draft.ask = None
        case Understood():
            draft.ask = Ask(kind="confirm", goal_id=place.goal.id, field=place.field.name, value=reading.value)
        case Declined():
            skip(draft)
        case Unclear():
            _ask_differently(draft, place, reading, message)
        case _:
            assert_never(reading)


def _take_and_glean(draft: Draft, place: OpenField, message: Message) -> None:
    """The asked field first, then whatever else the sentence says of the others."""
    reading = understand(place.field, message.text, draft.moment)
    found = [] if _takes_all(place.field) else _gleaned(draft, message)
    more = [(other, one) for other, one in found if other != place]
    if isinstance(reading, Unclear):
        reading = next((one for other, one in found if other == place), reading)
    if isinstance(reading, Understood) and reading.span != (0, len(message.text)):
        start, end = reading.span
        more = [(other, one) for other, one in more if one.span[1] <= start or end <= one.span[0]]
    if not more:
        take(draft, place, reading, message)
    elif isinstance(reading, Unclear):
        _capture_all(draft, more, message, draft.book.got_late)
    else:
        take(draft, place, reading, message)
        _capture_all(draft, more, message, draft.book.got_more)


def _takes_all(field: Field) -> bool:
    """A free string, and a list of them, is answered by the whole message."""
    return field.is_free or field.type == "array"


def _gleaned(draft: Draft, message: Message) -> list[tuple[OpenField, Understood]]:
    """What the message says of the fields that are open, by place; of two fields with one name the first."""
    candidates = open_places(draft.template, draft.state)
    if draft.place is not None and draft.place not in candidates:
        candidates.insert(0, draft.place)
    found = glean([place.field for place in candidates], message.text, draft.moment)
    by_name = {place.field.name: place for place in reversed(candidates)}
    return [(by_name[name], one) for name, one in found.items() if one.sure]


def _capture_all(draft: Draft, found: list[tuple[OpenField, Understood]], message: Message, said: Variants) -> None:
    for place, one in found:
        draft.capture(place, one.value, message, message.text[slice(*one.span)])
    draft.say(said, pairs=", ".join(draft.pair(place) for place, _ in found))


def _told_more(draft: Draft, goal: Goal, message: Message) -> None:
    """More about an area: kept beside what was said before where the goal holds any words, and in the log anyway."""
    place = next(iter(places_in(goal)), None)
    if goal.takes_any_words and place is not None:
        before = value_at(place, draft.state)
        draft.capture(place, f"{before}\n{message.text}" if before else message.text, message, message.text)
    draft.say(draft.book.thanks)
    draft.ask = None


def _about_proposal(draft: Draft, goal: Goal, message: Message) -> None:
    """Neither yes nor no to what was read out: a new value for something in it, or nothing that can be told."""
    said_no = _NO_BUT.match(message.text)
    found = glean([place.field for place in places_in(goal)], message.text, draft.moment)
    changed = [
        (place, found[place.field.name])
        for place in places_in(goal)
        if place.field.name in found
        and found[place.field.name].sure
        and found[place.field.name].value != value_at(place, draft.state)
    ]
    if changed:
        _capture_all(draft, changed, message, draft.book.got_late)
    elif said_no:
        no(draft, message)
    elif _YES_AND.match(message.text):
        yes(draft, message)
    elif hesitation(message.text):
        draft.say(draft.book.patience)
        draft.quiet = True
    else:
        draft.say(draft.book.unclear)


def _example_in(draft: Draft, ask: Ask) -> str:
    goal = draft.template.goal(ask.goal_id)
    return next((called(place.field) for place in places_in(goal)), draft.example) if goal else draft.example


def _volunteered(draft: Draft, message: Message) -> None:
    """Nothing was asked: take what can be told, and go on to what comes next."""
    if found := _gleaned(draft, message):
        _capture_all(draft, found, message, draft.book.got_late)


def _instead(draft: Draft, place: OpenField, message: Message) -> None:
    """Neither a plain yes nor a plain no to a guess or an offer: mostly a new value, given straight away."""
    said_no = _NO_BUT.match(message.text)
    start = said_no.end() if said_no else 0
    rest = message.text[start:]
    if said_no and (not rest.strip() or _ONLY_NO.search(rest)):
        no(draft, message)
        return
    reading = understand(place.field, rest, draft.moment)
    if _YES_AND.match(message.text) and (_takes_all(place.field) or not isinstance(reading, Understood)):
        yes(draft, message)
    elif isinstance(reading, Understood):
        start, end = reading.span[0] + start, reading.span[1] + start
        take(draft, place, Understood(reading.value, (start, end), reading.sure), message)
    elif said_no:
        no(draft, message)
    else:
        take(draft, place, reading, message)


def _source_of(draft: Draft, place: OpenField, value: Any, confirmed: Message) -> tuple[Message, str | None]:
    """The words that a confirmed guess came from: the latest of the participant's that still read so."""
    earlier = (one for one in reversed(draft.state.transcript) if one.role == "user" and one.seq < confirmed.seq)
    for message in islice(earlier, LOOK_BACK):
        reading = understand(place.field, message.text, draft.moment)
        if isinstance(reading, Understood) and reading.value == value:
            return message, message.text[slice(*reading.span)]
    return confirmed, None


def _ask_differently(draft: Draft, place: OpenField, reading: Unclear, message: Message) -> None:
    """Not understood: wait where the person only gains time, else say what is needed and ask in other words."""
    if hesitation(message.text):
        draft.say(draft.book.patience)
        draft.quiet = True
        return
    draft.say(draft.book.unclear)
    if reading.hint and not place.field.enum:
        draft.tell(reading.hint)
    elif not place.field.is_free:
        draft.tell(expectation(draft, place.field))
    draft.again = True


def _say_got(draft: Draft, place: OpenField) -> None:
    """Say back what was understood; long answers are only thanked for."""
    value = draft.spoken(place)
    if len(value) > SHORT or draft.is_sentence(place, value_at(place, draft.state)):
        draft.say(draft.book.got_words)
    else:
        draft.say(draft.book.got, value=value)


def _back_from_stopping(draft: Draft) -> None:
    """Whoever goes on talking does not want to stop: the question from before is open again."""
    ask = draft.ask
    if ask is None or ask.kind != "stop":
        return
    draft.ask = None
    if ask.goal_id:
        draft.ask = msgspec.structs.replace(ask, kind="field" if ask.value is None else "offer")


def _go_on_after_all(draft: Draft) -> None:
    _back_from_stopping(draft)
    if draft.ask is None and draft.nothing_left:
        draft.say(draft.book.tell_changes, field=draft.example)
        draft.ask, draft.quiet = Ask(kind="stop"), True
    else:
        draft.say(draft.book.go_on)
