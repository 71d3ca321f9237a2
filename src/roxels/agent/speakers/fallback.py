"""A model where it answers, the scripted speaker where it does not; never silence.

    no model is set, or none is wanted  scripted
    an answer with a plan goes on       scripted: its rest is known
    the model's service is out          scripted, until the service may be tried again; `agent.started` says why
    it goes out within an answer, or    the scripted speaker closes what was said, and asks on
    is not set any more

An outage is told once in the log, and so is its end. Until then each try waits twice as long as the one before. An
endpoint that a template names is out for itself.
"""

import logging
from collections.abc import AsyncIterator
from contextlib import aclosing

import msgspec

from roxels.agent.dialogue.planning import plan
from roxels.agent.ports import Ending, Facts, Opening, Scene, Speaker, SpeakerStep, Words
from roxels.agent.speakers.engine import ModelFault
from roxels.agent.speakers.model import ModelSpeaker
from roxels.domain import goals
from roxels.domain.clock import Clock
from roxels.domain.events import AgentSaid, AgentStarted, AnyEvent, Request

logger = logging.getLogger(__name__)

#: Seconds before a service that was out is tried again: the first time, and at most.
FIRST_REST, LONGEST_REST = 15.0, 300.0


class _Outage(msgspec.Struct, frozen=True):
    """An endpoint does not answer: in one word why, how long it is left alone, and until when (monotonic seconds)."""

    fault: str
    rest: float
    until: float


class FallbackSpeaker:
    """Chooses who speaks, turn by turn."""

    def __init__(self, model: ModelSpeaker, scripted: Speaker, clock: Clock) -> None:
        self._model = model
        self._scripted = scripted
        self._clock = clock
        #: By the address that the template names; the operator's own under the empty one.
        self._outages: dict[str, _Outage] = {}

    async def speak(self, scene: Scene) -> AsyncIterator[SpeakerStep]:
        """Answer the scene, or go on with the answer that it has begun."""
        unfinished, serves = scene.state.unfinished, self._model.serves(scene)
        is_planned = unfinished is not None and unfinished.plan is not None
        if is_planned or (unfinished is None and not serves):
            async for step in self._scripted.speak(scene):
                yield step
            return
        done = _Done(scene)
        if not serves:
            for closing in done.closed():
                yield closing
            return
        place = scene.template.model.url
        fault = self._resting(place)
        if not fault:
            try:
                async with aclosing(self._model.speak(scene)) as steps:
                    async for step in steps:
                        done.note(step)
                        yield step
            except ModelFault as raised:
                fault = raised.word
                self._failed(place, raised)
            else:
                self._answered(place)
                return
        async for step in self._instead(scene, done, fault):
            yield step

    async def _instead(self, scene: Scene, done: "_Done", fault: str) -> AsyncIterator[SpeakerStep]:
        if done.is_open:
            for step in done.closed():
                yield step
            return
        request = Request(model=self._model.name_for(scene), fault=fault)
        async for step in self._scripted.speak(scene):
            yield msgspec.structs.replace(step, request=request) if isinstance(step, Opening) else step

    def _resting(self, place: str) -> str:
        """Why this endpoint is left alone now; empty where it is not."""
        outage = self._outages.get(place)
        return outage.fault if outage is not None and self._clock.monotonic() < outage.until else ""

    def _failed(self, place: str, fault: ModelFault) -> None:
        fields = {"action": "model_down", "fault": fault.word}
        if not fault.is_outage:
            logger.info("The language model left a turn unanswered; the scripted speaker took it.", extra=fields)
            return
        before = self._outages.get(place)
        if before is None:
            logger.warning("The language model is out; the scripted speaker speaks until it is back.", extra=fields)
        rest = FIRST_REST if before is None else min(2 * before.rest, LONGEST_REST)
        self._outages[place] = _Outage(fault.word, rest, self._clock.monotonic() + rest)

    def _answered(self, place: str) -> None:
        if self._outages.pop(place, None) is not None:
            logger.warning("The language model is back.", extra={"action": "model_back"})


class _Done:
    """What the model did of a turn before it failed."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._events: list[AnyEvent] = []
        self._said = scene.said_so_far
        unfinished = scene.state.unfinished
        self._ends = unfinished.ends if unfinished else None
        self.is_open = unfinished is not None

    def note(self, step: SpeakerStep) -> None:
        match step:
            case Facts():
                self._events += step.events
            case Opening():
                self.is_open, self._ends = True, step.ends
                self._events.append(AgentStarted(utterance_id="", asks=step.asks, request=step.request))
            case Words():
                self._said += step.text
            case Ending():
                self._ends = step.ends
            case _:
                pass

    def closed(self) -> list[SpeakerStep]:
        """What closes the answer: the open question, behind what was said. Nothing of it is heard or kept twice, for
        the participant's words count as answered."""
        said = self._said.rstrip()
        if said.endswith(("?", "？")) or (self._ends is not None and said.endswith((".", "!"))):
            return []
        state = goals.after(self._scene.state, [*self._events, AgentSaid(utterance_id="", text=said or "…")])
        answer = plan(msgspec.structs.replace(self._scene, state=state, said_so_far=""))
        steps: list[SpeakerStep] = [Facts(answer.events)] if answer.events else []
        steps.append(Words(_mark(self._said) + answer.text))
        return [*steps, Ending(answer.ends)] if answer.ends is not None else steps


def _mark(said: str) -> str:
    """What stands between words that broke off and a new sentence."""
    if not said.strip():
        return ""
    if said.rstrip().endswith((".", "!", ":", "…")):
        return "" if said[-1:].isspace() else " "
    return "… "
