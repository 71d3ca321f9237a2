"""What is said first: to a stranger, to somebody who was here before, to somebody who was away."""

import re
from datetime import timedelta

from roxels.agent.dialogue.draft import Draft
from roxels.agent.dialogue.phrases import Variants
from roxels.agent.dialogue.places import open_places, places
from roxels.agent.dialogue.spoken import lasting, quoted
from roxels.domain.memory import Line, words_of
from roxels.understanding import Answer, intent

#: Being away for less is not worth a word.
WORTH_A_WORD = timedelta(days=1)
#: A sentence worth quoting has this many telling words at least, and is cut at so many code points.
TELLING_WORDS = 3
QUOTED = 140

_SALUTATION = re.compile(
    r"(?:hi|hello|hey|welcome|greetings|good (?:morning|afternoon|evening|day)|hallo|guten \w+|willkommen|bonjour|salut"
    r"|bienvenue|hola|bienvenid\w+|ciao|benvenut\w+|olá|bem-vind\w+)\b",
    re.IGNORECASE,
)


def greet(draft: Draft) -> None:
    """Say hello where none was said yet, or where the person was away for long; in most turns nothing."""
    if draft.is_opening:
        _open(draft)
    elif draft.state.returned_after is not None:
        _welcome_back(draft, draft.state.returned_after)


def _open(draft: Draft) -> None:
    if draft.scene.memory.conversations:
        own = draft.rendered(draft.template.returning_greeting)
        if own:
            _tell_named(draft, own, draft.book.good_to_see)
        else:
            draft.say_named(draft.book.welcome_back, draft.book.welcome_back_name)
        _quote(draft)
        if draft.template.carry_forward == "prefill":
            _prefill(draft)
        return
    own = draft.rendered(draft.template.greeting)
    if own:
        _tell_named(draft, own, draft.book.nice_to_meet)
    else:
        draft.say_named(draft.book.hello, draft.book.hello_name)
        draft.say(draft.book.begin)


def _welcome_back(draft: Draft, away: timedelta) -> None:
    own = draft.rendered(draft.template.returning_greeting)
    if own:
        _tell_named(draft, own, draft.book.good_to_see)
    else:
        draft.say_named(draft.book.welcome_back, draft.book.welcome_back_name)
    if away >= WORTH_A_WORD:
        draft.say(draft.book.away, time=lasting(away, draft.book))
    else:
        draft.say(draft.book.going_on)


def _tell_named(draft: Draft, text: str, afterwards: Variants) -> None:
    """The customer's greeting as it was written, with the person's name beside it where it does not speak it."""
    name = draft.name
    if not name or re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE):
        draft.tell(text)
    elif _SALUTATION.match(text):
        draft.tell(text)
        draft.say(afterwards, name=name)
    else:
        draft.say(draft.book.hello_name, name=name)
        draft.tell(text)


def _quote(draft: Draft) -> None:
    """One thing from last time: a sentence of theirs, else something that was captured and will not be offered."""
    line = _worth_quoting(draft)
    if line is not None:
        draft.say(draft.book.quote_last, words=quoted(line.text, QUOTED))
    elif draft.template.carry_forward == "off":
        for place in places(draft.template):
            known = draft.scene.memory.value_of(place.field.name)
            if known and known.conversation_id == _newest(draft):
                draft.say(draft.book.told_last, **draft.about(place, known.value))
                return


def _worth_quoting(draft: Draft) -> Line | None:
    """The most telling sentence of the last conversation."""
    fields = [place.field for place in places(draft.template)]
    upcoming = next(iter(open_places(draft.template, draft.state)), None)
    offered = draft.remembered(upcoming) if upcoming else None
    lines = [
        line
        for line in draft.scene.memory.lines
        if line.conversation_id == _newest(draft)
        and len(words_of(line.text)) >= TELLING_WORDS
        and "@" not in line.text
        and not (offered and line.text == offered.value)
        and isinstance(intent(line.text, fields), Answer)
    ]
    return max(lines, key=lambda line: len(words_of(line.text)), default=None)


def _newest(draft: Draft) -> str | None:
    """The last conversation of which anything is known."""
    memory = draft.scene.memory
    known = [(line.at, line.conversation_id) for line in memory.lines]
    known += [(fact.at, fact.conversation_id) for fact in memory.facts]
    return max(known, default=(None, None))[1]


def _prefill(draft: Draft) -> None:
    """Take over at once what is remembered, and say so."""
    taken = []
    for place in open_places(draft.template, draft.state):
        known = draft.remembered(place)
        if known:
            draft.carry_forward(place, known.value)
            taken.append(draft.pair(place))
    if taken:
        draft.say(draft.book.prefilled, pairs=", ".join(taken))
