"""A conversation in memory: a list of facts, folded for real, with the scripted speaker and `agent.turn` as they are.

    talk = Talk(TEMPLATE); talk.join(); talk.say("Acme"); talk.text → the last answer

Nothing is faked but time, ids and the store: facts are kept in a list, in the order in which a room would keep them.
"""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from roxels.agent.dialogue.planning import plan
from roxels.agent.ports import Scene
from roxels.agent.speakers.scripted import ScriptedSpeaker
from roxels.agent.turn import Piece, Together, settled, turn
from roxels.domain import conversation, soundness, templates
from roxels.domain.conversation import Conversation, fold
from roxels.domain.events import (
    AgentSaid,
    AgentStarted,
    AnyEvent,
    Ask,
    ContextAdded,
    ConversationOpened,
    Fact,
    FieldCaptured,
    GoalCommitted,
    PersonSaid,
    SessionJoined,
    SessionStarted,
)
from roxels.domain.memory import NOTHING, Memory, remember
from roxels.testing import CountedIds, FakeClock

#: A Wednesday afternoon.
NOW = datetime(2026, 3, 11, 15, 0, tzinfo=UTC)


class Talk:
    """One conversation and its log."""

    def __init__(
        self,
        raw: dict[str, Any],
        *,
        name: str | None = None,
        external_id: str | None = "ada",
        memory: Memory = NOTHING,
        context: dict[str, Any] | None = None,
        timezone: str = "UTC",
        locale: str = "en",
        now: datetime = NOW,
    ) -> None:
        assert soundness.faults(raw) == []
        self.template = templates.read("tpl_1", 1, raw)
        self.facts: list[Fact] = []
        self.now = now
        self.speaker = ScriptedSpeaker(FakeClock(), cps=0)
        self.ids = CountedIds()
        #: What the last run of the speaker said.
        self.rest = ""
        self._given: dict[str, Any] = {
            "external_id": external_id,
            "person_name": name,
            "memory": memory,
            "timezone": timezone,
            "locale": locale,
        }
        self.keep([ConversationOpened(template_id="tpl_1", template_version=1)])
        if context:
            self.keep([ContextAdded(context=context, source="server")])
        self.keep([SessionStarted(proof="claimed", reason="new_person", method="external_id")])

    @property
    def state(self) -> Conversation:
        return fold(self.facts)

    @property
    def text(self) -> str:
        """The agent's last words."""
        return next(message.text for message in reversed(self.state.transcript) if message.role == "agent")

    @property
    def asked(self) -> Ask | None:
        return self.state.asked

    @property
    def data(self) -> dict[str, dict[str, Any]]:
        return {goal_id: goal.data for goal_id, goal in self.state.goals.items() if goal.data}

    @property
    def captures(self) -> list[FieldCaptured]:
        return [fact.event for fact in self.facts if isinstance(fact.event, FieldCaptured)]

    @property
    def commits(self) -> list[GoalCommitted]:
        return [fact.event for fact in self.facts if isinstance(fact.event, GoalCommitted)]

    def scene(self, **changes: Any) -> Scene:
        """What the speaker is given now."""
        scene = Scene(
            environment="test",
            template=self.template,
            state=self.state,
            session_id="sess_1",
            now=self.now,
            **self._given,
        )
        return msgspec.structs.replace(scene, **changes)

    def keep(self, events: Iterable[AnyEvent]) -> None:
        for event in events:
            self.facts.append(Fact(seq=len(self.facts) + 1, at=self.now, session_id="sess_1", event=event))

    def join(self, after: timedelta = timedelta()) -> str:
        """Come (back); the agent speaks if it owes a word."""
        self.now += after
        self.keep([SessionJoined()])
        return self.answer() if self.state.owes_reply else ""

    def hear(self, text: str) -> None:
        """The participant's words reach the log; nobody answers yet."""
        assert self.state.is_open, self.script()
        self.now += timedelta(seconds=5)
        message = PersonSaid(id=self.ids.new("msg"), text=text)
        self.keep(conversation.hear(self.state, message, said_so_far=""))

    def say(self, *texts: str) -> str:
        """Say one thing after the other; returns the last answer."""
        for text in texts:
            self.hear(text)
            self.answer()
        return self.text

    def answer(self, **changes: Any) -> str:
        asyncio.run(self._answer(self.scene(**changes)))
        return self.text

    def begin(self) -> AgentStarted:
        """Keep only the start of an answer, as a process does that dies right after."""
        answer = plan(self.scene())
        started = AgentStarted(utterance_id=self.ids.new("utt"), plan=answer.text, asks=answer.asks, ends=answer.ends)
        self.keep([*settled(self.scene(), list(answer.events), self.ids), started])
        return started

    def script(self) -> str:
        """The transcript as one reads it."""
        return "\n".join(f"{message.role:>5}: {message.text}" for message in self.state.transcript)

    async def _answer(self, scene: Scene) -> None:
        said, self.rest = scene.said_so_far, ""
        async for step in turn(scene, self.speaker, self.ids):
            match step:
                case Together():
                    self.keep(step.events)
                case Piece():
                    assert step.start == len(said)
                    said += step.text
                    self.rest += step.text
        last = self.facts[-1].event
        closing = last if isinstance(last, AgentSaid) else self.facts[-2].event
        assert isinstance(closing, AgentSaid)
        assert closing.text == said


def template(*fields: dict[str, Any], required: bool = True, **settings: Any) -> dict[str, Any]:
    """A template with one goal of these fields; each `{"name": ..., ...schema}`."""
    properties = {field["name"]: {key: value for key, value in field.items() if key != "name"} for field in fields}
    schema = {"type": "object", "properties": properties, "required": list(properties) if required else []}
    return {"name": "Test", "goals": [{"id": "g1", "schema": schema}], "settings": settings}


def remembered(*talks: Talk) -> Memory:
    """What these conversations come to, oldest first."""
    return remember([(f"iv_{number}", talk.state) for number, talk in enumerate(talks, 1)])
