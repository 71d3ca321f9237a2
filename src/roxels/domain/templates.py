"""The design of a conversation: read from raw JSON that `domain.soundness` found to be sound.

What a customer wrote stays as it was written, beside the `Template` that is read from it here; so a newer key is never
lost by an older server. Goals may stand flat (`goals`) or in phases (`phases[].goals`), a schema may be JSON Schema
(`properties`) or a field map (`{name: type | {type, description ...}}`).

A goal for free words (`open`, `qualitative`, `context_dump`) or for one number (`quantitative`) needs no schema: it has
one field then, `answer` or `value`. A goal whose schema is a list has one field, `items`.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Literal, cast, get_args

import msgspec

from roxels.domain import invariants
from roxels.domain.fields import Field, FieldType
from roxels.domain.invariants import Invariant
from roxels.domain.placeholders import secret_named
from roxels.domain.proof import Proof

GoalType = Literal["open", "quantitative", "qualitative", "structured", "context_dump", "walkthrough"]
CommitPolicy = Literal["auto", "require_all_required", "human_confirm"]
Method = Literal["POST", "PUT", "PATCH", "GET", "DELETE"]
BodyEncoding = Literal["json", "form", "form-nested"]
CarryForward = Literal["offer", "prefill", "off"]
ExtractionMode = Literal["auto", "delta", "cumulative"]

#: Of how many of its `probing_areas` a goal asks, by the word for it.
DEPTHS = {"none": 0, "light": 1, "medium": 2, "deep": 1000}
#: The hosted product's type for an id that is looked up while one talks; here its words are kept as they were said.
REFERENCE = "resolved_reference"
#: The one field of a goal that says no schema; see above.
ANSWER, VALUE, ITEMS = "answer", "value", "items"

DEFAULT_WINDOW = timedelta(hours=720)
DEFAULT_PROOF_LIFE = timedelta(hours=24)


class Output(msgspec.Struct, frozen=True, kw_only=True):
    """A request that is made on a commit or at the end. `domain.rendering` says how placeholders in it are filled."""

    type: str = "webhook"
    url: str
    method: Method = "POST"
    headers: dict[str, str] = {}
    body_template: str | dict[str, Any] | list[Any] | None = None
    raw_payload: bool = False
    #: None where nothing was said: JSON, or what a form's `Content-Type` in the headers says.
    body_encoding: BodyEncoding | None = None
    #: JSON Schema of the body, for whoever reads the template.
    schema: dict[str, Any] = {}
    #: Told of every change of what is known, too, while the conversation goes on.
    streaming: bool = False
    #: On the template: the goal whose commit fires it; None: the end of the conversation.
    trigger_goal: str | None = None
    #: Context key by selector: what later outputs are told of this one's answer.
    response_capture: dict[str, str] = {}


class Phase(msgspec.Struct, frozen=True, kw_only=True):
    """Goals that belong together; its outputs fire when all of them are committed."""

    goal_ids: tuple[str, ...]
    outputs: tuple[Output, ...]
    #: What the agent is told while it is after one of these goals.
    instructions: str = ""


class Goal(msgspec.Struct, frozen=True, kw_only=True):
    """One thing the agent is after."""

    id: str
    type: GoalType = "structured"
    prompt: str = ""
    label: str = ""
    fields: tuple[Field, ...] = ()
    commit_policy: CommitPolicy = "auto"
    #: Rules between its values; a commit waits until none is broken.
    invariants: tuple[Invariant, ...] = ()
    #: What to ask more about once the fields are asked, as often as the depth says.
    probing_areas: tuple[str, ...] = ()
    #: Questions to open with.
    entry_points: tuple[str, ...] = ()
    #: `cumulative`: whoever follows live is told all values of the goal at each change, not only what changed.
    extraction_mode: ExtractionMode = "auto"
    #: Its schema is a list: `raw_payload` sends the bare list.
    is_list: bool = False
    outputs: tuple[Output, ...] = ()

    @property
    def takes_any_words(self) -> bool:
        """It has no schema, and its one field holds whatever is said."""
        return [field.name for field in self.fields] == [ANSWER] and self.type != "structured"

    def field(self, name: str) -> Field | None:
        """The field of that name, or None."""
        return next((field for field in self.fields if field.name == name), None)


class Resumption(msgspec.Struct, frozen=True):
    """Whether a person's next visit continues the last one, and for how long after its last activity."""

    enabled: bool = False
    window: timedelta = DEFAULT_WINDOW


class ModelWish(msgspec.Struct, frozen=True, kw_only=True):
    """`settings.model`: who speaks, and how the language model is asked. Empty: the operator's choice."""

    speaker: Literal["model", "scripted"] = "model"
    name: str = ""
    #: An endpoint of the template's own.
    url: str = ""
    #: The name of the secret that is its key.
    secret: str = ""
    temperature: float | None = None
    max_tokens: int | None = None


class Template(msgspec.Struct, frozen=True, kw_only=True, weakref=True):
    """One immutable version of a template."""

    id: str
    version: int
    name: str
    language: str = "en"
    tone: str = ""
    #: What a language model is told beside the goals.
    instructions: str = ""
    goals: tuple[Goal, ...] = ()
    phases: tuple[Phase, ...] = ()
    greeting: str = ""
    returning_greeting: str = ""
    max_session_minutes: float | None = None
    resumption: Resumption = Resumption()
    carry_forward: CarryForward = "offer"
    outputs: tuple[Output, ...] = ()
    notice: dict[str, Any] = {}
    launcher: dict[str, Any] = {}
    brand: dict[str, Any] = {}
    auto_close: bool = True
    model: ModelWish = ModelWish()
    #: The least proof that opens a person's past; see `domain.proof`.
    history_requires: Proof = Proof.claimed
    #: How long what an identity token proved lasts.
    proof_life: timedelta = DEFAULT_PROOF_LIFE

    def goal(self, goal_id: str) -> Goal | None:
        """The goal of that id, or None."""
        return next((goal for goal in self.goals if goal.id == goal_id), None)

    @property
    def resumable_for(self) -> timedelta | None:
        """How long after its last activity a conversation may be resumed; None where it may not."""
        return self.resumption.window if self.resumption.enabled else None


def read(template_id: str, version: int, raw: dict[str, Any]) -> Template:
    """The template in `raw`, which `soundness.faults` found to be sound."""
    settings = raw.get("settings") or {}
    embedded = settings.get("embedded") or {}
    return Template(
        id=template_id,
        version=version,
        name=raw["name"],
        language=str(settings.get("language") or raw.get("language") or "en"),
        tone=settings.get("tone") or "",
        instructions=settings.get("system_instructions") or "",
        goals=tuple(_goal(goal) for _, goal in goals_of(raw)),
        phases=tuple(_phase(phase) for phase in raw.get("phases") or []),
        greeting=settings.get("greeting") or "",
        returning_greeting=settings.get("returning_greeting") or "",
        max_session_minutes=settings.get("max_session_duration_minutes"),
        resumption=_resumption(embedded.get("resumption")),
        carry_forward=settings.get("carry_forward") or "offer",
        outputs=_outputs(settings.get("outputs")),
        notice=embedded.get("notice") or {},
        launcher=embedded.get("launcher") or {},
        brand=embedded.get("brand") or {},
        auto_close=embedded.get("auto_close") is not False,
        model=_model(settings.get("model")),
        history_requires=history_requires(raw),
        proof_life=timedelta(hours=embedded.get("proof_hours") or DEFAULT_PROOF_LIFE / timedelta(hours=1)),
    )


def history_requires(raw: dict[str, Any]) -> Proof:
    """The least proof that opens a person's past, as a sound template says it."""
    embedded = (raw.get("settings") or {}).get("embedded") or {}
    return Proof[embedded.get("history_requires") or Proof.claimed.name]


def goals_of(raw: dict[str, Any]) -> list[tuple[str, Any]]:
    """All goals with their paths, flat ones first; raw as they stand."""
    flat = [(f"goals[{index}]", goal) for index, goal in enumerate(raw.get("goals") or [])]
    phased = [
        (f"phases[{number}].goals[{index}]", goal)
        for number, phase in enumerate(raw.get("phases") or [])
        for index, goal in enumerate(phase.get("goals") or [])
    ]
    return flat + phased


def _goal(raw: dict[str, Any]) -> Goal:
    schema = raw.get("schema") or {}
    areas = tuple(raw.get("probing_areas") or ())
    return Goal(
        id=raw["id"],
        type=raw.get("type") or "structured",
        prompt=raw.get("prompt") or "",
        label=raw.get("label") or raw["id"].replace("_", " "),
        fields=fields_of(raw),
        commit_policy=raw.get("commit_policy") or "auto",
        invariants=tuple(invariants.read(rule) for rule in raw.get("invariants") or ()),
        probing_areas=areas[: depth_of(raw.get("follow_up_depth"))],
        entry_points=tuple(raw.get("entry_points") or ()),
        extraction_mode=raw.get("extraction_mode") or "auto",
        is_list=is_list_schema(schema),
        outputs=_outputs(raw.get("outputs")),
    )


def depth_of(raw: object) -> int:
    """How many areas a `follow_up_depth` asks about: a word of `DEPTHS`, or the number itself."""
    return raw if isinstance(raw, int) else DEPTHS[str(raw or "medium")]


def fields_of(goal: dict[str, Any]) -> tuple[Field, ...]:
    """The fields of a goal, as its schema names them or as its type implies them."""
    schema = goal.get("schema") or {}
    if is_list_schema(schema):
        return (_field(ITEMS, schema, required=True),)
    if schema:
        return _fields(schema)
    prompt = goal.get("prompt") or ""
    opening = next(iter(goal.get("entry_points") or ()), prompt if prompt.rstrip().endswith("?") else "")
    match goal.get("type"):
        case "open" | "qualitative" | "context_dump":
            return (Field(name=ANSWER, description=opening),)
        case "quantitative":
            return (Field(name=VALUE, type="number", description=opening, required=True),)
        case _:
            return ()


def _fields(schema: dict[str, Any]) -> tuple[Field, ...]:
    if is_json_schema(schema):
        required: Iterable[str] = schema.get("required") or ()
        properties = schema.get("properties") or {}
        return tuple(_field(name, spec, required=name in required) for name, spec in properties.items())
    return tuple(
        _field(name, spec, required=isinstance(spec, dict) and bool(spec.get("required_before_commit")), nonempty=True)
        for name, spec in schema.items()
    )


def _field(name: str, spec: Any, *, required: bool = False, nonempty: bool = False) -> Field:
    if not isinstance(spec, dict):
        spec = {"type": spec}
    kind = spec.get("type") or "string"
    items = spec.get("items") or spec.get("item_schema")
    if kind == "array of strings":
        items = {"type": "string"}
    elif not items and field_type(spec.get("item_type")):
        items = {"type": spec["item_type"]}
    enum = spec.get("enum") or spec.get("values")
    return Field(
        name=name,
        type=field_type(kind) or "string",
        description=spec.get("description") or spec.get("prompt") or "",
        required=required,
        nonempty=nonempty,
        enum=tuple(enum) if enum else None,
        format="phone" if spec.get("format") == "tel" else spec.get("format"),
        items=_field(name, items) if items else None,
        minimum=spec.get("minimum"),
        maximum=spec.get("maximum"),
        min_length=spec.get("minLength"),
        max_length=spec.get("maxLength"),
        pattern=spec.get("pattern"),
    )


def field_type(kind: object) -> FieldType | None:
    """The type of that name in either dialect, or None."""
    plain = {"enum": "string", "array of strings": "array", REFERENCE: "string"}.get(str(kind), kind)
    return cast(FieldType, plain) if plain in get_args(FieldType) else None


def _outputs(raw: object) -> tuple[Output, ...]:
    if not isinstance(raw, list):
        return ()
    return tuple(read_output(each["type"], each["config"]) for each in raw if each.get("type") == "webhook")


def read_output(kind: str, config: Mapping[str, Any]) -> Output:
    """The output in a `config` that `domain.output_rules` found to be sound."""
    return Output(
        type=kind,
        url=config["url"],
        method=config.get("method") or "POST",
        headers=dict(config.get("headers") or {}),
        body_template=config.get("body_template"),
        raw_payload=config.get("raw_payload") is True,
        body_encoding=config.get("body_encoding"),
        schema=dict(config.get("schema") or {}),
        streaming=config.get("streaming") is True,
        trigger_goal=config.get("trigger_goal"),
        response_capture=dict(config.get("response_capture") or {}),
    )


def _model(raw: object) -> ModelWish:
    """`"name"` is short for `{"name": "name"}`."""
    if isinstance(raw, str):
        return ModelWish(name=raw)
    if not isinstance(raw, dict):
        return ModelWish()
    return ModelWish(
        speaker=raw.get("speaker") or "model",
        name=raw.get("name") or "",
        url=raw.get("url") or "",
        secret=secret_named(raw.get("key")) or "",
        temperature=raw.get("temperature"),
        max_tokens=raw.get("max_tokens"),
    )


def _phase(raw: dict[str, Any]) -> Phase:
    return Phase(
        goal_ids=tuple(goal["id"] for goal in raw.get("goals") or []),
        outputs=_outputs(raw.get("outputs")),
        instructions=raw.get("body_instructions") or "",
    )


def _resumption(raw: object) -> Resumption:
    if isinstance(raw, dict):
        hours = raw.get("window_hours") or DEFAULT_WINDOW / timedelta(hours=1)
        return Resumption(enabled=raw.get("enabled") is not False, window=timedelta(hours=hours))
    return Resumption(enabled=raw is True)


def is_list_schema(schema: dict[str, Any]) -> bool:
    """Whether a schema describes a list as a whole: `{"type": "array", "items" or "item_schema": …}`.

    A field map may have fields of these names; then their values are schemas or types of their own.
    """
    return schema.get("type") == "array" and isinstance(schema.get("items") or schema.get("item_schema"), dict | str)


def is_json_schema(schema: dict[str, Any]) -> bool:
    """Whether a schema is JSON Schema; else it is a field map."""
    return "properties" in schema or schema.get("type") == "object"
