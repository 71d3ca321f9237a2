"""What a language model may do, and what comes of it. Pure: (call, scene) -> facts and an answer for the model.

    capture   a value of a field: it passes through `understanding` like anyone's; a misfit is answered with why
    skip      the participant would rather not answer
    turn_to   another goal
    confirm   the participant said yes to what was read out of a goal
    recall    search what the participant said in earlier conversations
    finish    nothing is left, or the participant wants to stop

The list depends on the template alone. Whatever anybody says, there is no other tool, no other goal and no other field;
a call that names one is answered, and nothing happens. Going on after a cut (`is_going_on`), a field that has a value
keeps it: what the first half of the answer did is not done again. Only what the words that are being answered say, and
the first half had not come to, is taken.
"""

import json
from typing import Any

import msgspec

from roxels.agent.ports import Scene
from roxels.domain import goals
from roxels.domain.conversation import Message, Source
from roxels.domain.events import AnyEvent, FieldCaptured, FieldSkipped, GoalActivated, GoalConfirmed
from roxels.domain.fields import Field
from roxels.domain.invariants import broken
from roxels.domain.life import EndedBy
from roxels.domain.templates import Goal, Template
from roxels.domain.texts import mended
from roxels.understanding import Moment, Understood, fault, understand

#: Longer arguments are not looked at.
LONGEST_ARGUMENTS = 20_000


class Call(msgspec.Struct, frozen=True):
    """A tool call as the model wrote it; `arguments` may be anything."""

    id: str
    name: str
    arguments: str


class ToolResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a call comes to. `answer` goes back to the model; `is_done`: it need not react to it."""

    answer: str
    events: tuple[AnyEvent, ...] = ()
    ends: EndedBy | None = None
    recalled: str | None = None
    is_done: bool = False


def specs(template: Template) -> list[dict[str, Any]]:
    """The tools in the form of the chat completions API."""
    goal_ids = [goal.id for goal in template.goals]
    names = sorted({field.name for goal in template.goals for field in goal.fields})
    place = {"goal_id": {"type": "string", "enum": goal_ids}, "field": {"type": "string", "enum": names}}
    value = {"description": "The value in the form of the field: text, number, true or false, or a list."}
    quote = {"type": "string", "description": "The participant's own words that it comes from."}
    tools = []
    if names:
        tools = [
            _spec("capture", "Keep a value that the participant gave.", place | {"value": value, "quote": quote}, 3),
            _spec("skip", "The participant would rather not answer this.", place, 2),
        ]
    confirmed = [goal.id for goal in template.goals if goal.commit_policy == "human_confirm"]
    if confirmed:
        about_goal = {"goal_id": {"type": "string", "enum": confirmed}}
        tools.append(_spec("confirm", "The participant said yes to what you read out of this goal.", about_goal, 1))
    ends = {"by": {"type": "string", "enum": ["agent", "participant"], "description": "Who wants to end."}}
    about = {"about": {"type": "string", "description": "A few words to look for."}}
    return [
        *tools,
        _spec("turn_to", "Turn to another goal.", {"goal_id": place["goal_id"]}, 1),
        _spec("recall", "Search what the participant said in earlier conversations.", about, 1),
        _spec("finish", "End the conversation after this message.", ends, 1),
    ]


def carry_out(call: Call, scene: Scene, *, is_going_on: bool = False) -> ToolResult:
    """Do what the model asks for, where it may."""
    arguments = _arguments(call)
    if isinstance(arguments, str):
        return ToolResult(answer=arguments)
    match call.name:
        case "capture" | "skip":
            return _about_field(call.name, arguments, scene, is_going_on)
        case "turn_to":
            return _turn_to(arguments, scene)
        case "confirm":
            return _confirm(arguments, scene)
        case "recall":
            return _recall(arguments, scene)
        case "finish":
            return _finish(arguments, scene)
        case _:
            return ToolResult(answer="There is no such tool.")


def read_value(field: Field, value: Any, scene: Scene) -> Any:
    """The value that counts for this field; a `Misfit` says what is wrong with it."""
    if fault(field, value) is None:
        return value
    if isinstance(value, str | int | float):
        reading = understand(field, str(value), Moment(scene.now, scene.timezone, scene.locale))
        if isinstance(reading, Understood) and reading.sure:
            return reading.value
    return Misfit(fault(field, value) or "It does not fit.")


class Misfit(msgspec.Struct, frozen=True):
    """Why a value does not count, in one sentence that never repeats it."""

    why: str


def _spec(name: str, description: str, properties: dict[str, Any], required: int) -> dict[str, Any]:
    parameters = {"type": "object", "properties": properties, "required": list(properties)[:required]}
    return {"type": "function", "function": {"name": name, "description": description, "parameters": parameters}}


def _arguments(call: Call) -> dict[str, Any] | str:
    try:
        arguments = mended(json.loads(call.arguments[:LONGEST_ARGUMENTS] or "{}"))
    except (ValueError, RecursionError):
        return "The arguments are not JSON; call again with an object."
    return arguments if isinstance(arguments, dict) else "The arguments must be one JSON object."


def _about_field(name: str, arguments: dict[str, Any], scene: Scene, is_going_on: bool) -> ToolResult:
    goal, field = _place(arguments, scene.template)
    if goal is None or field is None:
        return ToolResult(answer="There is no such field in that goal; nothing was kept.")
    state = scene.state.goal(goal.id)
    is_known = field.name in state.data or field.name in state.skipped
    if is_going_on and is_known and not _is_news(state.sources.get(field.name), arguments, scene):
        return ToolResult(answer="This was kept already.", is_done=True)
    if name == "skip":
        if field.name in state.skipped:
            return ToolResult(answer="It was skipped already.", is_done=True)
        return ToolResult(
            answer="Skipped; it will not be asked again.",
            events=(FieldSkipped(goal_id=goal.id, field=field.name),),
            is_done=True,
        )
    return _capture(goal, field, arguments, scene)


def _is_news(source: Source | None, arguments: dict[str, Any], scene: Scene) -> bool:
    """Whether a call quotes the words that are being answered, and nothing of them was kept for this field yet."""
    words = scene.state.last_words
    return words is not None and _quoted(arguments, words) and (source is None or source.said_id != words.id)


def _quoted(arguments: dict[str, Any], words: Message) -> bool:
    quote = arguments.get("quote")
    return isinstance(quote, str) and bool(quote) and quote in words.text


def _capture(goal: Goal, field: Field, arguments: dict[str, Any], scene: Scene) -> ToolResult:
    value = read_value(field, arguments.get("value"), scene)
    if isinstance(value, Misfit):
        return ToolResult(answer=f"Not kept. {value.why} Ask the participant.")
    if scene.state.goal(goal.id).data.get(field.name) == value:
        return ToolResult(answer="This was kept already.", is_done=True)
    words = scene.state.last_words
    remembered = scene.memory.value_of(field.name)
    if words is None and (remembered is None or remembered.value != value):
        return ToolResult(answer="Not kept: the participant has not said anything yet.")
    is_quote = words is not None and _quoted(arguments, words)
    captured = FieldCaptured(
        goal_id=goal.id,
        field=field.name,
        value=value,
        by="remembered" if words is None else "said",
        said_id=words.id if words else None,
        quote=str(arguments["quote"]) if is_quote else None,
    )
    kept = f"Kept as {json.dumps(value, ensure_ascii=False)}."
    problem = _problem(goal, scene.state.goal(goal.id).data | {field.name: value})
    return ToolResult(answer=f"{kept} {problem}".strip(), events=(captured,), is_done=not problem)


def _problem(goal: Goal, data: dict[str, Any]) -> str:
    """What the model is to ask about, where these values break a rule; it may already be whole but for that."""
    rule = next(iter(broken(goal.invariants, data)), None)
    if rule is None or any(field.required and field.name not in data for field in goal.fields):
        return ""
    return f"But it does not go together: {rule.message or ', '.join(rule.fields)}. Ask the participant about it."


def _confirm(arguments: dict[str, Any], scene: Scene) -> ToolResult:
    """A yes counts for what was read out before the words that say it, and only while that is what stands."""
    goal = scene.template.goal(str(arguments.get("goal_id")))
    words = scene.state.last_words
    if goal is None or goal.commit_policy != "human_confirm":
        return ToolResult(answer="There is nothing to confirm in that goal.")
    stands = scene.state.goal(goal.id)
    if not stands.is_proposed or words is None or words.seq < stands.proposed_seq:
        return ToolResult(answer="Not confirmed: read out what stands there, ask whether it is right, and wait.")
    return ToolResult(answer="Confirmed.", events=(GoalConfirmed(goal_id=goal.id, said_id=words.id),), is_done=True)


def _place(arguments: dict[str, Any], template: Template) -> tuple[Goal | None, Field | None]:
    """The field that is meant; a model that names no goal, or a wrong one, means the only goal that has it."""
    name = str(arguments.get("field"))
    goal = template.goal(str(arguments.get("goal_id")))
    if goal is None or goal.field(name) is None:
        having = [each for each in template.goals if each.field(name) is not None]
        goal = having[0] if len(having) == 1 else None
    return goal, goal.field(name) if goal else None


def _turn_to(arguments: dict[str, Any], scene: Scene) -> ToolResult:
    goal = scene.template.goal(str(arguments.get("goal_id")))
    if goal is None:
        return ToolResult(answer="There is no such goal.")
    events = (GoalActivated(goal_id=goal.id),) if scene.state.active != goal.id else ()
    return ToolResult(answer="Turned to it.", events=events, is_done=True)


def _recall(arguments: dict[str, Any], scene: Scene) -> ToolResult:
    about = str(arguments.get("about") or "")[:200]
    return ToolResult(answer=recalled(about, scene), recalled=about)


def recalled(about: str, scene: Scene) -> str:
    """What memory holds about something, as data for the model."""
    facts = [fact for fact in scene.memory.facts if fact.field.replace("_", " ") in about.casefold()]
    found = {
        "facts": [{"field": fact.field, "value": fact.value, "on": f"{fact.at:%Y-%m-%d}"} for fact in facts[:5]],
        "the participant's words": [
            {"said": line.text[:500], "on": f"{line.at:%Y-%m-%d}"} for line in scene.memory.recall(about, 5)
        ],
    }
    return json.dumps(found, ensure_ascii=False, default=str).replace("<", "\\u003c")


def _finish(arguments: dict[str, Any], scene: Scene) -> ToolResult:
    ends: EndedBy = "participant" if arguments.get("by") == "participant" else "agent"
    if ends == "agent":
        still_open = [
            f"{goal.id} / {field.name}"
            for goal in scene.template.goals
            for field in goals.unasked(goal, scene.state.goal(goal.id))
            if field.required
        ]
        to_read = [goal.id for goal in scene.template.goals if goals.to_propose(goal, scene.state.goal(goal.id))]
        if to_read and not still_open:
            return ToolResult(
                answer=f"Not yet. Read out {to_read[0]}, ask whether it is right, and wait for the answer."
            )
        if still_open:
            return ToolResult(answer=f"Not yet. Ask for, or skip: {', '.join(still_open[:5])}.")
    return ToolResult(answer="It ends after this message. Say goodbye.", ends=ends, is_done=True)
