"""An answer in the making: what it will change, what it will say, and what it will ask."""

import re
from typing import Any

from roxels.agent.dialogue.phrases import Variants, book_of
from roxels.agent.dialogue.places import place_of, places, value_at
from roxels.agent.dialogue.questions import called
from roxels.agent.dialogue.spoken import spoken
from roxels.agent.ports import Scene
from roxels.domain import goals
from roxels.domain.context import PLACEHOLDER, merged, render
from roxels.domain.conversation import Message
from roxels.domain.events import AnyEvent, Ask, FieldCaptured, FieldSkipped
from roxels.domain.fields import Field
from roxels.domain.goals import OpenField
from roxels.domain.life import EndedBy
from roxels.domain.memory import Remembered
from roxels.understanding import Moment, fault

#: A name has so many words at most; what is longer is a sentence.
NAME_WORDS = 4


class Draft:
    """Collects events and sentences. `state` is the conversation as it will be once the events stand.

    `ask` is what the answer will wait for; None until something is chosen, and at the end where nothing is left.
    """

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.template = scene.template
        self.book = book_of(scene.template.language)
        self.moment = Moment(now=scene.now, timezone=scene.timezone, locale=scene.locale)
        self.state = scene.state
        self.events: list[AnyEvent] = []
        self.sentences: list[str] = []
        self.ask: Ask | None = _still_meant(scene)
        #: The question that was chosen in this answer and has not been put yet.
        self.unasked: Ask | None = None
        #: What is said before it, where it begins a goal.
        self.introduction = ""
        self.ends: EndedBy | None = None
        #: Messages that took effect in this answer.
        self.heard = 0
        #: The question stays open, but need not be said again.
        self.quiet = False
        #: The question was not answered: it is asked in other words.
        self.again = False
        #: How many answers were given before this one.
        self.turn = sum(message.role == "agent" for message in scene.state.transcript)

    @property
    def name(self) -> str | None:
        """What the person is called."""
        return self.scene.person_name or self.state.person_name

    @property
    def place(self) -> OpenField | None:
        """What the open question is about."""
        return place_of(self.template, self.ask)

    @property
    def example(self) -> str:
        """A field to name where one shows how to change an answer."""
        return next((called(place.field) for place in places(self.template)), self.book.answer)

    @property
    def is_opening(self) -> bool:
        """Whether nothing was said by the agent yet."""
        return self.turn == 0

    @property
    def text(self) -> str:
        """All sentences; a list stands on lines of its own."""
        text = ""
        for sentence in self.sentences:
            joint = "\n" if "\n" in sentence or "\n" in text else " "
            text = f"{text}{joint}{sentence}" if text else sentence
        return text

    @property
    def nothing_left(self) -> bool:
        """Whether there is nothing more to ask."""
        return goals.next_step(self.template, self.state) is None

    def keep(self, event: AnyEvent) -> None:
        """Count this from now on."""
        self.events.append(event)
        self.state = goals.after(self.state, [event])

    def capture(self, place: OpenField, value: Any, source: Message, quote: str | None) -> None:
        """Count a value that the person said."""
        self.keep(
            FieldCaptured(
                goal_id=place.goal.id, field=place.field.name, value=value, by="said", said_id=source.id, quote=quote
            )
        )

    def carry_forward(self, place: OpenField, value: Any) -> None:
        """Count a value that was captured in an earlier conversation."""
        self.keep(FieldCaptured(goal_id=place.goal.id, field=place.field.name, value=value, by="remembered"))

    def leave_out(self, place: OpenField) -> None:
        """Do not ask for this again."""
        self.keep(FieldSkipped(goal_id=place.goal.id, field=place.field.name))

    def stop(self) -> None:
        """The participant wants to end; where nothing is left the agent ends, with its summary."""
        if self.nothing_left:
            self.ask = None
        else:
            self.say_named(self.book.stopped, self.book.stopped_name)
            self.ends = "participant"

    def say(self, variants: Variants, **values: object) -> None:
        """Add a sentence of the book."""
        self.tell(self.phrase(variants, **values))

    def say_named(self, variants: Variants, with_name: Variants) -> None:
        """Add a sentence of the book, with the person's name where it is known."""
        if self.name:
            self.say(with_name, name=self.name)
        else:
            self.say(variants)

    def tell(self, text: str) -> None:
        """Add a text as it stands."""
        if text.strip():
            self.sentences.append(text.strip())

    def phrase(self, variants: Variants, **values: object) -> str:
        """This turn's variant, filled in; a value's own mark at its end replaces the sentence's full stop."""
        text = variants[self.turn % len(variants)]
        for name, value in values.items():
            if str(value).endswith(("!", "?", "…")):
                text = text.replace(f"{{{name}}}.", f"{{{name}}}")
        return text.format(**values)

    def spoken(self, place: OpenField, value: Any = None) -> str:
        """A value as it is said; by default the one that stands."""
        value = value_at(place, self.state) if value is None else value
        return spoken(place.field, value, self.book, self.moment.zone)

    def about(self, place: OpenField, value: Any = None) -> dict[str, str]:
        """What a sentence about a field and its value is filled with."""
        label = called(place.field)
        many = place.field.type == "array" and label.endswith("s")
        return {
            "field": label,
            "label": (self.book.your_of if " of " in label else self.book.your).format(field=label),
            "verb": self.book.is_many if many else self.book.is_one,
            "value": self._named(place, value),
        }

    def is_sentence(self, place: OpenField, value: Any) -> bool:
        """Whether the value is a sentence of the person's own: it is quoted, not woven into ours."""
        return place.field.is_free and len(str(value).split()) > NAME_WORDS

    def pair(self, place: OpenField) -> str:
        """`team size 25`: a field and its value in a list of several."""
        return f"{called(place.field)} {self._named(place, None)}"

    def remembered(self, place: OpenField) -> Remembered | None:
        """What an earlier conversation captured for this field, if it may be used and still fits."""
        if self.template.carry_forward == "off":
            return None
        known = self.scene.memory.value_of(place.field.name)
        if known is None or fault(place.field, known.value) is not None or _has_passed(place.field, known, self.moment):
            return None
        return known

    def rendered(self, text: str) -> str:
        """A text of the template with its placeholders filled in; what an empty one leaves behind is tidied up."""
        if not PLACEHOLDER.search(text):
            return text.strip()
        filled = re.sub(r"[ \t]{2,}", " ", render(text, self._placeholders()))
        return re.sub(r" ([,.!?;:])", r"\1", filled).strip()

    def _named(self, place: OpenField, value: Any) -> str:
        value = value_at(place, self.state) if value is None else value
        words = self.spoken(place, value)
        return f"“{words}”" if self.is_sentence(place, value) else words

    def _placeholders(self) -> dict[str, Any]:
        attributes = self.scene.memory.attributes
        person = {"name": self.name, "external_id": self.scene.external_id, "org_context": attributes}
        context = merged(self.state.server_context, self.state.browser_context, self.scene.external_id)
        return {"context": context, "person": person, "name": self.name, "external_id": self.scene.external_id}


def _has_passed(field: Field, known: Remembered, moment: Moment) -> bool:
    """Whether it was a day ahead of them then, and lies behind them now: that plan is over."""
    if field.format not in ("date", "date-time"):
        return False
    then, now = known.at.astimezone(moment.zone).date().isoformat(), moment.here.date().isoformat()
    return then <= str(known.value)[:10] < now


def _still_meant(scene: Scene) -> Ask | None:
    """The open question, where the template knows what it is about."""
    ask = scene.state.asked
    if ask is None or not ask.field or place_of(scene.template, ask):
        return ask
    return None
