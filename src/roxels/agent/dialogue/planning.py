"""The whole of one answer, decided before its first word."""

import msgspec

from roxels.agent.dialogue.closing import go_on, move_on
from roxels.agent.dialogue.draft import Draft
from roxels.agent.dialogue.greeting import greet
from roxels.agent.dialogue.hearing import hear
from roxels.agent.ports import Scene
from roxels.domain.conversation import Message
from roxels.domain.events import AnyEvent, Ask
from roxels.domain.life import EndedBy


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What will count, what will be said, what that waits for, and whether it is the end."""

    events: tuple[AnyEvent, ...]
    text: str
    asks: Ask | None
    ends: EndedBy | None


def plan(scene: Scene) -> Plan:
    """The answer to this scene. Depends on nothing else: the same scene always gives the same plan."""
    draft = Draft(scene)
    greet(draft)
    for message in _unanswered(scene):
        if draft.ends is not None:
            break
        if draft.ask is None and draft.heard:
            move_on(draft)
        hear(draft, message)
    if scene.silence:
        draft.say(draft.book.nudge)
    go_on(draft)
    return Plan(events=tuple(draft.events), text=draft.text, asks=draft.ask, ends=draft.ends)


def _unanswered(scene: Scene) -> list[Message]:
    """The participant's messages since the agent's last one. Several at once count as if each had been answered."""
    messages: list[Message] = []
    for message in reversed(scene.state.transcript):
        if message.role == "agent":
            break
        messages.append(message)
    return messages[::-1]
