"""Questions back: why, what, who; and what was told before. Short and honest, then the open question again."""

import re

from roxels.agent.dialogue.asking import expectation
from roxels.agent.dialogue.draft import Draft
from roxels.agent.dialogue.places import places, value_at
from roxels.agent.dialogue.questions import goal_named, in_words, remark
from roxels.agent.dialogue.spoken import quoted, shortened, when
from roxels.domain.conversation import Message
from roxels.domain.events import Ask
from roxels.domain.goals import OpenField
from roxels.domain.memory import Line, Memory, words_of
from roxels.understanding import Answer, Change, Understood, intent, understand

#: So many sentences are quoted at most, each cut at so many code points.
QUOTES = 2
CANDIDATES = 20
QUOTED = 200
#: An answer with a question mark behind it has so many words at most.
GUESS_WORDS = 6

_ASKING = re.compile(
    r"(?:what|why|how|who|whom|whose|which|when|where|can|could|do|does|did|is|are|was|were|should|would|will|may|am|have"
    r"|has|help)\b"
)


def reply(draft: Draft, message: Message) -> None:
    """Answer a question of the participant, as far as the template says anything about it."""
    words = " ".join(message.text.lower().replace("’", "'").split())
    book, place = draft.book, draft.place
    if place is not None and (guess := _answer_in(draft, place, words, message)) is not None:
        draft.ask = Ask(kind="confirm", goal_id=place.goal.id, field=place.field.name, value=guess.value)
        return
    if _speaks_of(words, book.asks_who):
        draft.say(book.who)
    elif place is not None and _speaks_of(words, book.asks_why):
        _say_why(draft, place)
    elif place is not None and _speaks_of(words, book.asks_what):
        _say_what(draft, place)
    else:
        draft.say(book.cannot_answer)


def recall(draft: Draft, message: Message, about: str) -> None:
    """Quote what the participant said about something, here or before, with when; say so where nothing is found."""
    told = _told(draft, about)
    quoted = _said(draft, message, about)
    for sentence in (*told, *quoted):
        draft.tell(sentence)
    if not told and not quoted:
        draft.say(draft.book.recall_nothing, about=f"“{shortened(about, QUOTED)}”")


def _answer_in(draft: Draft, place: OpenField, words: str, message: Message) -> Understood | None:
    """ "Next Friday, maybe?" is an answer that wants to be confirmed; nothing that begins like a question is."""
    if place.field.is_free or _ASKING.match(words) or len(words.split()) > GUESS_WORDS:
        return None
    reading = understand(place.field, message.text, draft.moment)
    return reading if isinstance(reading, Understood) else None


def _speaks_of(words: str, cues: tuple[str, ...]) -> bool:
    return any(cue in words for cue in cues)


def _say_why(draft: Draft, place: OpenField) -> None:
    draft.say(draft.book.why, goal=goal_named(place.goal))
    draft.tell(remark(place.field))
    draft.say(draft.book.why_required if place.field.required else draft.book.why_optional)


def _say_what(draft: Draft, place: OpenField) -> None:
    """What can be answered. Choices are not told here: they stand in the question that follows."""
    draft.say(draft.book.gladly)
    draft.tell(remark(place.field))
    if not place.field.enum:
        draft.tell(expectation(draft, place.field))


def _told(draft: Draft, about: str) -> list[str]:
    """Captured values whose field is what the question is about: what stands now, else what is remembered.

    "What do you know about me?" names no field: it is about all of them.
    """
    wanted, sentences = words_of(about), []
    for place in places(draft.template):
        if wanted and not wanted & words_of(in_words(place.field.name)):
            continue
        known = draft.scene.memory.value_of(place.field.name)
        if value_at(place, draft.state) is not None:
            sentences.append(draft.phrase(draft.book.recall_known_here, **draft.about(place)))
        elif known is not None:
            then = when(known.at, draft.scene.now, draft.book, draft.moment.zone)
            sentences.append(draft.phrase(draft.book.recall_known, when=then, **draft.about(place, known.value)))
    return sentences


def _said(draft: Draft, message: Message, about: str) -> list[str]:
    """The participant's own sentences: those of this conversation and of the remembered ones, the best first."""
    fields = [place.field for place in places(draft.template)]
    here = [
        Line(text=one.text, conversation_id="", message_id=one.id, at=one.at)
        for one in draft.state.transcript
        if one.role == "user" and one.id != message.id
    ]
    found = Memory(lines=(*draft.scene.memory.lines, *here)).recall(about, CANDIDATES)
    telling = [line for line in found if isinstance(intent(line.text, fields), Answer | Change)]
    return [
        draft.phrase(draft.book.recall_said, when=_when(draft, line), words=quoted(line.text, QUOTED))
        for line in telling[:QUOTES]
    ]


def _when(draft: Draft, line: Line) -> str:
    if not line.conversation_id:
        return draft.book.just_now
    return when(line.at, draft.scene.now, draft.book, draft.moment.zone)
