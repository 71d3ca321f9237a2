"""The facts of a conversation: one closed union. A conversation is a list of these; all else is a fold of it.

Adding an event means adding a struct here, an arm to the fold (`domain.conversation`) and a row to what a participant
may see (`wire.protocol`); type checking and the tests name each place that was forgotten.
"""

from datetime import datetime
from typing import Any, Literal

import msgspec

from roxels.domain.life import EndedBy
from roxels.domain.proof import Method

#: What the agent's question waits for.
AskKind = Literal["field", "confirm", "offer", "probe", "propose", "stop"]
ContextSource = Literal["server", "browser"]


class Ask(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the next words are expected to answer.

    `field`: a value for this field. `confirm`: yes or no to `value` for it. `offer`: yes or no to the remembered
    `value`. `probe`: more words about the area in `value`. `propose`: yes or no to all data of the goal, as it was read
    out. `stop`: yes or no to ending here.
    """

    kind: AskKind
    goal_id: str = ""
    field: str = ""
    value: Any = None


class Request(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a language model was asked for an answer, in so far as the facts before it do not say it already.

    The prompt itself is a function of the log up to here, the template's version and the memory; it is not written down
    a second time, because it holds what erasing another conversation must remove.
    """

    model: str
    #: SHA-256 of the messages, to tell whether a rebuilt prompt is the same.
    prompt: str = ""
    #: What memory was searched for.
    recalled: tuple[str, ...] = ()
    #: Why the scripted speaker answers instead, one word; empty where the model answers.
    fault: str = ""


# The collector passes facts by (`gc=False`): there are many, they live long, and no value leads back to its holder.


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", gc=False):
    """Something that happened."""


class ConversationOpened(Event, frozen=True, kw_only=True, tag="conversation.opened"):
    """The conversation began, on this version of this template, for good."""

    template_id: str
    template_version: int
    #: To try that version out: no later visit goes on with it.
    trial: bool = False


class SessionStarted(Event, frozen=True, kw_only=True, tag="session.started"):
    """A visit was opened: how sure we are who it is, and why it continues or begins this conversation.

    `reason` is what the visitor is told; `judged` the whole truth, where that differs: it says whether somebody of this
    name talked here before, which a mere claim may not learn.
    """

    proof: str
    reason: str
    method: Method
    device: bool = False
    judged: str | None = None


class SessionJoined(Event, frozen=True, kw_only=True, tag="session.joined"):
    """Somebody is there: the first hello of this session."""


class SessionEnded(Event, frozen=True, kw_only=True, tag="session.ended"):
    """A visit is over, and how: `left`, `hung_up`, `time`, `revoked`."""

    cause: Literal["left", "hung_up", "time", "revoked"]


class ContextAdded(Event, frozen=True, kw_only=True, tag="context.added"):
    """Context was given; new keys merge over the old. A participant never sees what a server gave."""

    context: dict[str, Any]
    source: ContextSource


class PersonNamed(Event, frozen=True, kw_only=True, tag="person.named"):
    """What the participant is called from here on."""

    name: str


class PersonSaid(Event, frozen=True, kw_only=True, tag="person.said"):
    """The participant's words. `id` is the client's own, so that resending says it once."""

    id: str
    text: str


class AgentStarted(Event, frozen=True, kw_only=True, tag="agent.started"):
    """An answer begins. What was planned is kept before a word of it is shown.

    `plan` is the scripted speaker's whole text, None where the words come from a model (see `AgentPlanned`); `request`
    what that was asked. `asks` is what the answer will wait for; `ends` says that the agent is done when it has been
    said.
    """

    utterance_id: str
    speaker: str = "scripted"
    plan: str | None = None
    asks: Ask | None = None
    ends: EndedBy | None = None
    request: Request | None = None
    #: It breaks a silence.
    nudge: bool = False


class AgentPlanned(Event, frozen=True, kw_only=True, tag="agent.planned"):
    """A model wrote the rest of an answer when nobody was there any more. It waits, as a plan does, for whoever comes
    back. `plan` is the whole text, with what was shown of it already."""

    utterance_id: str
    plan: str
    ends: EndedBy | None = None


class AgentSaid(Event, frozen=True, kw_only=True, tag="agent.said"):
    """An answer is over: all that was shown of it. `interrupted` where the participant spoke into it."""

    utterance_id: str
    text: str
    interrupted: bool = False


class AgentHeard(Event, frozen=True, kw_only=True, tag="agent.heard"):
    """So many code points of an answer reached the participant."""

    utterance_id: str
    chars: int


class FieldCaptured(Event, frozen=True, kw_only=True, tag="field.captured"):
    """A value counts. `said_id` names the words it came from, `quote` the part of them; none for a correction made in
    place (`by: corrected`) or something carried forward from memory (`by: remembered`)."""

    goal_id: str
    field: str
    value: Any
    by: Literal["said", "corrected", "remembered"] = "said"
    said_id: str | None = None
    quote: str | None = None


class FieldSkipped(Event, frozen=True, kw_only=True, tag="field.skipped"):
    """The participant would rather not answer; it is not asked again in this conversation."""

    goal_id: str
    field: str


class GoalActivated(Event, frozen=True, kw_only=True, tag="goal.activated"):
    """The agent turned to this goal."""

    goal_id: str


class GoalProposed(Event, frozen=True, kw_only=True, tag="goal.proposed"):
    """The goal's data was read out, and waits for the participant's yes (`commit_policy: human_confirm`)."""

    goal_id: str
    data: dict[str, Any]


class GoalConfirmed(Event, frozen=True, kw_only=True, tag="goal.confirmed"):
    """The participant said yes to what was proposed; `said_id` names the words."""

    goal_id: str
    said_id: str


class GoalBlocked(Event, frozen=True, kw_only=True, tag="goal.blocked"):
    """The goal's data breaks rules of the template, so nothing is committed; the agent asks about `fields`, once."""

    goal_id: str
    fields: list[str]


class GoalCommitted(Event, frozen=True, kw_only=True, tag="goal.committed"):
    """The goal's data is final enough to act on. Exactly one per (conversation, goal, revision)."""

    goal_id: str
    revision: int
    commit_id: str
    data: dict[str, Any]
    proof: str


class ConversationAdopted(Event, frozen=True, kw_only=True, tag="conversation.adopted"):
    """The conversation belongs to another person from here on, or is vouched for; `proof` is on what grounds.

    Who that is stands in the conversation's row and never here, so that forgetting her leaves nothing behind.
    """

    proof: str


class AdoptionUndone(Event, frozen=True, kw_only=True, tag="conversation.returned"):
    """The whole conversation belongs to its first person again."""


class MemoryForgotten(Event, frozen=True, kw_only=True, tag="memory.forgotten"):
    """A line of memory was deleted: the words of a message and what was captured from them, or the value of a field."""

    said_id: str = ""
    goal_id: str = ""
    field: str = ""


class ConversationEnded(Event, frozen=True, kw_only=True, tag="conversation.ended"):
    """Nothing more is said; summary, findings and end-of-session outputs are owed."""

    ended_by: EndedBy


class ConversationExpired(Event, frozen=True, kw_only=True, tag="conversation.expired"):
    """Nobody ever came."""


class ConversationCompleted(Event, frozen=True, kw_only=True, tag="conversation.completed"):
    """Summary and findings stand."""

    summary: str
    findings: list[dict[str, Any]] = []


class ConversationFailed(Event, frozen=True, kw_only=True, tag="conversation.failed"):
    """Summary and findings could not be made; `reason` is a fixed sentence."""

    reason: str


AnyEvent = (
    ConversationOpened
    | SessionStarted
    | SessionJoined
    | SessionEnded
    | ContextAdded
    | PersonNamed
    | PersonSaid
    | AgentStarted
    | AgentPlanned
    | AgentSaid
    | AgentHeard
    | FieldCaptured
    | FieldSkipped
    | GoalActivated
    | GoalProposed
    | GoalConfirmed
    | GoalBlocked
    | GoalCommitted
    | ConversationAdopted
    | AdoptionUndone
    | MemoryForgotten
    | ConversationEnded
    | ConversationExpired
    | ConversationCompleted
    | ConversationFailed
)


class Fact(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An event in its place: `seq` counts from 1 without gaps, `at` is aware UTC, `session_id` whose doing it was."""

    seq: int
    at: datetime
    session_id: str | None
    event: AnyEvent


_decoder: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)
_encoder = msgspec.json.Encoder()


def encode(event: AnyEvent) -> bytes:
    """The event as JSON, its name under `type`."""
    return _encoder.encode(event)


def decode(body: bytes | str) -> AnyEvent:
    """The event that `encode` wrote."""
    return _decoder.decode(body)


def name_of(event: AnyEvent) -> str:
    """The event's name on the wire, e.g. `person.said`."""
    return str(type(event).__struct_config__.tag)
