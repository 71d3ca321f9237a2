"""What a message changes, and what is said to it.

    answer        → answering    a value, a refusal, a hesitation, a yes or no to what was offered
    command       → here         change, back, skip, stop, repeat
    question back → replying     why, what, who, "what did I tell you about …"

Whatever comes, a question stays open afterwards or the next one is asked; that is `closing`'s.
"""

import re
from typing import assert_never

from roxels.agent.dialogue.answering import answer, no, skip, take, yes
from roxels.agent.dialogue.asking import ask_plainly
from roxels.agent.dialogue.draft import Draft
from roxels.agent.dialogue.places import before, named, places, value_at
from roxels.agent.dialogue.replying import recall, reply
from roxels.domain.conversation import Message
from roxels.domain.events import Ask
from roxels.domain.goals import OpenField
from roxels.understanding import (
    Answer,
    Back,
    Change,
    No,
    Question,
    Recall,
    Repeat,
    Skip,
    StartOver,
    Stop,
    Understood,
    Yes,
    intent,
    understand,
)

_IT = re.compile(r"\b(?:change|correct|update|fix|edit)\s+(?:it|that|this)\b", re.IGNORECASE)


def hear(draft: Draft, message: Message) -> None:
    """Let one message of the participant take effect."""
    draft.heard += 1
    draft.quiet = draft.again = False
    meant = intent(message.text, [place.field for place in places(draft.template)])
    match meant:
        case Yes():
            yes(draft, message)
        case No():
            no(draft, message)
        case Answer():
            answer(draft, message)
        case Change():
            _change(draft, message, meant)
        case Back():
            _go_back(draft)
        case Skip():
            skip(draft)
        case Stop():
            _ask_to_stop(draft)
        case Repeat():
            draft.say(draft.book.here_again)
        case StartOver():
            draft.say(draft.book.start_over)
        case Question():
            reply(draft, message)
        case Recall():
            recall(draft, message, meant.about)
        case _:
            assert_never(meant)


def _change(draft: Draft, message: Message, wish: Change) -> None:
    """Correct a field, whether its goal was committed or not; what was open stays open."""
    place = _meant(draft, message, wish)
    if place is None:
        draft.say(draft.book.change_what, field=draft.example)
        return
    if not wish.words:
        draft.say(draft.book.what_instead, **draft.about(place))
        draft.ask, draft.quiet = ask_plainly(place), True
        return
    reading = understand(place.field, wish.words, draft.moment)
    if isinstance(reading, Understood) and reading.sure:
        _correct(draft, place, reading, wish.words, message)
    else:
        draft.ask = ask_plainly(place)
        take(draft, place, reading, message)


def _correct(draft: Draft, place: OpenField, reading: Understood, words: str, message: Message) -> None:
    was_asked = draft.place == place
    if value_at(place, draft.state) == reading.value:
        draft.say(draft.book.unchanged, **draft.about(place))
    else:
        draft.capture(place, reading.value, message, words[slice(*reading.span)])
        draft.say(draft.book.changed, **draft.about(place))
    if was_asked:
        draft.ask = None


def _meant(draft: Draft, message: Message, wish: Change) -> OpenField | None:
    """The field to change. "Change it" means what is being confirmed, else the answer before."""
    if wish.field is not None:
        return named(draft.template, draft.state, wish.field)
    if not _IT.search(message.text):
        return None
    if draft.ask is not None and draft.ask.kind in ("confirm", "offer"):
        return draft.place
    return before(draft.template, draft.state, draft.place)


def _go_back(draft: Draft) -> None:
    """Ask for the field before once more; an answer replaces what stands."""
    place = before(draft.template, draft.state, draft.place)
    if place is None:
        draft.say(draft.book.nothing_before)
        return
    draft.say(draft.book.back)
    draft.ask = ask_plainly(place)


def _ask_to_stop(draft: Draft) -> None:
    """Ask whether to end; said twice it is a yes. The open question rides along for a no."""
    ask = draft.ask
    if draft.nothing_left or (ask is not None and ask.kind == "stop"):
        draft.stop()
        return
    offered = ask.value if ask is not None and ask.kind == "offer" else None
    draft.ask = Ask(kind="stop", goal_id=ask.goal_id if ask else "", field=ask.field if ask else "", value=offered)
