"""The design of a conversation: read from raw JSON, every fault named with its path, unknown keys kept and warned of.

What a customer wrote stays as it was written, beside the `Template` that is read from it here; so a newer key is never
lost by an older server. Goals may stand flat (`goals`) or in phases (`phases[].goals`), a schema may be JSON Schema
(`properties`) or a field map (`{name: type | {type, description ...}}`).
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any, Literal, cast, get_args

import msgspec

from roxels.domain.fields import Field, FieldType

GoalType = Literal["open", "quantitative", "qualitative", "structured", "context_dump", "walkthrough"]
CommitPolicy = Literal["auto", "require_all_required", "human_confirm"]
CarryForward = Literal["offer", "prefill", "off"]

DEFAULT_WINDOW = timedelta(hours=720)

KNOWN_TOP = frozenset("name description language goals phases settings status learnings".split())
KNOWN_GOAL = frozenset(
    "id type prompt label schema commit_policy invariants extraction_mode probing_areas entry_points follow_up_depth "
    "outputs".split()
)
KNOWN_SETTINGS = frozenset(
    "greeting returning_greeting language tone voice max_session_duration_minutes allow_screen_share "
    "suggest_screen_sharing multi_session system_instructions outputs speaker_skills speaker_skillsets advisors "
    "data_sources integration_shape embedded carry_forward model".split()
)


class Fault(msgspec.Struct, frozen=True):
    """What is wrong with a template, and where."""

    path: str
    message: str


class Output(msgspec.Struct, frozen=True):
    """What is delivered on a commit: for now a webhook at `url` (placeholders allowed in its path and query)."""

    type: str
    url: str
    trigger_goal: str | None = None


class Goal(msgspec.Struct, frozen=True, kw_only=True):
    """One thing the agent is after."""

    id: str
    type: GoalType = "structured"
    prompt: str = ""
    label: str = ""
    fields: tuple[Field, ...] = ()
    commit_policy: CommitPolicy = "auto"
    outputs: tuple[Output, ...] = ()

    def field(self, name: str) -> Field | None:
        """The field of that name, or None."""
        return next((field for field in self.fields if field.name == name), None)


class Resumption(msgspec.Struct, frozen=True):
    """Whether a person's next visit continues the last one, and for how long after its last activity."""

    enabled: bool = False
    window: timedelta = DEFAULT_WINDOW


class Template(msgspec.Struct, frozen=True, kw_only=True):
    """One immutable version of a template."""

    id: str
    version: int
    name: str
    language: str = "en"
    goals: tuple[Goal, ...] = ()
    greeting: str = ""
    returning_greeting: str = ""
    max_session_minutes: float | None = None
    resumption: Resumption = Resumption()
    carry_forward: CarryForward = "offer"
    outputs: tuple[Output, ...] = ()
    notice: dict[str, Any] = {}
    launcher: dict[str, Any] = {}
    auto_close: bool = True

    def goal(self, goal_id: str) -> Goal | None:
        """The goal of that id, or None."""
        return next((goal for goal in self.goals if goal.id == goal_id), None)

    @property
    def resumable_for(self) -> timedelta | None:
        """How long after its last activity a conversation may be resumed; None where it may not."""
        return self.resumption.window if self.resumption.enabled else None


def read(template_id: str, version: int, raw: dict[str, Any]) -> Template:
    """The template in `raw`, which `faults` found to be sound."""
    settings = raw.get("settings") or {}
    embedded = settings.get("embedded") or {}
    return Template(
        id=template_id,
        version=version,
        name=raw["name"],
        language=str(settings.get("language") or raw.get("language") or "en"),
        goals=tuple(_goal(goal) for _, goal in _goals(raw)),
        greeting=settings.get("greeting") or "",
        returning_greeting=settings.get("returning_greeting") or "",
        max_session_minutes=settings.get("max_session_duration_minutes"),
        resumption=_resumption(embedded.get("resumption")),
        carry_forward=settings.get("carry_forward") or "offer",
        outputs=_outputs(settings.get("outputs")),
        notice=embedded.get("notice") or {},
        launcher=embedded.get("launcher") or {},
        auto_close=embedded.get("auto_close", True),
    )


def faults(raw: object) -> list[Fault]:
    """All that keeps `raw` from being a template, all at once."""
    if not isinstance(raw, dict):
        return [Fault("", "must be an object with at least `name` and `goals`")]
    return list(_faults(raw))


def warnings(raw: dict[str, Any]) -> list[dict[str, str]]:
    """What is kept but not acted upon: `[{rule, message, field}]`."""
    settings = raw.get("settings") or {}
    unknown = [(key, key) for key in raw if key not in KNOWN_TOP]
    unknown += [(f"settings.{key}", key) for key in settings if key not in KNOWN_SETTINGS]
    unknown += [(f"{path}.{key}", key) for path, goal in _goals(raw) for key in goal if key not in KNOWN_GOAL]
    return [
        {"rule": "unknown_key", "field": path, "message": f"`{key}` is kept as written but means nothing here."}
        for path, key in unknown
    ]


def _faults(raw: dict[str, Any]) -> Iterator[Fault]:
    if not isinstance(raw.get("name"), str) or not raw["name"].strip():
        yield Fault("name", "must be a non-empty string")
    settings = raw.get("settings", {})
    if not isinstance(settings, dict):
        yield Fault("settings", "must be an object")
        settings = {}
    yield from _faults_of_settings(settings)
    for key in ("goals", "phases"):
        if not isinstance(raw.get(key, []), list):
            yield Fault(key, "must be a list")
            return
    for index, phase in enumerate(raw.get("phases", [])):
        if not isinstance(phase, dict) or not isinstance(phase.get("goals", []), list):
            yield Fault(f"phases[{index}]", "must be an object whose `goals` is a list")
            return
    yield from _faults_of_goals(raw)


def _faults_of_settings(settings: dict[str, Any]) -> Iterator[Fault]:
    for key in ("greeting", "returning_greeting", "language"):
        if not isinstance(settings.get(key, ""), str):
            yield Fault(f"settings.{key}", "must be a string")
    minutes = settings.get("max_session_duration_minutes")
    if minutes is not None and not (_is_number(minutes) and minutes > 0):
        yield Fault("settings.max_session_duration_minutes", "must be a number of minutes above 0")
    if settings.get("carry_forward", "offer") not in get_args(CarryForward):
        yield Fault("settings.carry_forward", "must be one of offer, prefill, off")
    embedded = settings.get("embedded", {})
    if not isinstance(embedded, dict):
        yield Fault("settings.embedded", "must be an object")
        return
    resumption = embedded.get("resumption", False)
    if not isinstance(resumption, bool | dict):
        yield Fault("settings.embedded.resumption", 'must be true, false or {"enabled": true, "window_hours": 720}')
    elif isinstance(resumption, dict):
        hours = resumption.get("window_hours", 720)
        if not (_is_number(hours) and hours > 0):
            yield Fault("settings.embedded.resumption.window_hours", "must be a number of hours above 0")
        if not isinstance(resumption.get("enabled", False), bool):
            yield Fault("settings.embedded.resumption.enabled", "must be true or false")
    yield from _faults_of_outputs(settings.get("outputs", []), "settings.outputs")


def _faults_of_goals(raw: dict[str, Any]) -> Iterator[Fault]:
    seen: set[str] = set()
    for path, goal in _goals(raw):
        if not isinstance(goal, dict):
            yield Fault(path, "must be an object")
            continue
        goal_id = goal.get("id")
        if not isinstance(goal_id, str) or not goal_id:
            yield Fault(f"{path}.id", "must be a non-empty string")
        elif goal_id in seen:
            yield Fault(f"{path}.id", "stands twice; every goal needs an id of its own")
        else:
            seen.add(goal_id)
        if goal.get("type", "structured") not in get_args(GoalType):
            yield Fault(f"{path}.type", f"must be one of {', '.join(get_args(GoalType))}")
        if goal.get("commit_policy", "auto") not in get_args(CommitPolicy):
            yield Fault(f"{path}.commit_policy", f"must be one of {', '.join(get_args(CommitPolicy))}")
        if not isinstance(goal.get("prompt", ""), str):
            yield Fault(f"{path}.prompt", "must be a string")
        yield from _faults_of_schema(goal.get("schema", {}), f"{path}.schema")
        yield from _faults_of_outputs(goal.get("outputs", []), f"{path}.outputs")
    if not seen:
        yield Fault("goals", "must hold at least one goal, here or in `phases[].goals`")


def _faults_of_schema(schema: object, path: str) -> Iterator[Fault]:
    if not isinstance(schema, dict):
        yield Fault(path, "must be an object")
        return
    properties = schema.get("properties", {}) if _is_json_schema(schema) else schema
    where = f"{path}.properties" if _is_json_schema(schema) else path
    if not isinstance(properties, dict):
        yield Fault(where, "must be an object of field: schema")
        return
    for name, spec in properties.items():
        kind = spec.get("type", "string") if isinstance(spec, dict) else spec
        if _field_type(kind) is None:
            yield Fault(f"{where}.{name}.type", f"must be one of {', '.join(get_args(FieldType))}")
    required = schema.get("required", []) if _is_json_schema(schema) else []
    if not isinstance(required, list):
        yield Fault(f"{path}.required", "must be a list of field names")
    else:
        for name in required:
            if name not in properties:
                yield Fault(f"{path}.required", f"names `{name}`, which is not among the properties")


def _faults_of_outputs(outputs: object, path: str) -> Iterator[Fault]:
    if not isinstance(outputs, list):
        yield Fault(path, "must be a list")
        return
    for index, output in enumerate(outputs):
        config = output.get("config") if isinstance(output, dict) else None
        if not isinstance(config, dict):
            yield Fault(f"{path}[{index}]", "must be an object with `type` and `config`")
        elif output.get("type") == "webhook" and not str(config.get("url", "")).startswith(("http://", "https://")):
            yield Fault(f"{path}[{index}].config.url", "must be an http or https address")


def _goals(raw: dict[str, Any]) -> list[tuple[str, Any]]:
    flat = [(f"goals[{index}]", goal) for index, goal in enumerate(raw.get("goals") or [])]
    phased = [
        (f"phases[{number}].goals[{index}]", goal)
        for number, phase in enumerate(raw.get("phases") or [])
        for index, goal in enumerate(phase.get("goals") or [])
    ]
    return flat + phased


def _goal(raw: dict[str, Any]) -> Goal:
    return Goal(
        id=raw["id"],
        type=raw.get("type", "structured"),
        prompt=raw.get("prompt", ""),
        label=raw.get("label") or raw["id"].replace("_", " "),
        fields=_fields(raw.get("schema") or {}),
        commit_policy=raw.get("commit_policy", "auto"),
        outputs=_outputs(raw.get("outputs")),
    )


def _fields(schema: dict[str, Any]) -> tuple[Field, ...]:
    if _is_json_schema(schema):
        required: Iterable[str] = schema.get("required") or ()
        return tuple(_field(name, spec, name in required) for name, spec in (schema.get("properties") or {}).items())
    return tuple(
        _field(name, spec, isinstance(spec, dict) and bool(spec.get("required_before_commit")))
        for name, spec in schema.items()
    )


def _field(name: str, spec: Any, required: bool) -> Field:
    if not isinstance(spec, dict):
        spec = {"type": spec}
    kind = spec.get("type", "string")
    items = spec.get("items") or spec.get("item_schema")
    if kind == "array of strings":
        items = {"type": "string"}
    enum = spec.get("enum") or spec.get("values")
    return Field(
        name=name,
        type=_field_type(kind) or "string",
        description=spec.get("description") or spec.get("prompt") or "",
        required=required,
        enum=tuple(enum) if enum else None,
        format="phone" if spec.get("format") == "tel" else spec.get("format"),
        items=_field(name, items, False) if items else None,
        minimum=spec.get("minimum"),
        maximum=spec.get("maximum"),
        min_length=spec.get("minLength"),
        max_length=spec.get("maxLength"),
        pattern=spec.get("pattern"),
    )


def _field_type(kind: object) -> FieldType | None:
    plain = {"enum": "string", "array of strings": "array"}.get(str(kind), kind)
    return cast(FieldType, plain) if plain in get_args(FieldType) else None


def _outputs(raw: object) -> tuple[Output, ...]:
    if not isinstance(raw, list):
        return ()
    return tuple(
        Output(type=each["type"], url=each["config"]["url"], trigger_goal=each["config"].get("trigger_goal"))
        for each in raw
        if each.get("type") == "webhook"
    )


def _resumption(raw: object) -> Resumption:
    if isinstance(raw, dict):
        hours = raw.get("window_hours", DEFAULT_WINDOW / timedelta(hours=1))
        return Resumption(enabled=bool(raw.get("enabled", True)), window=timedelta(hours=hours))
    return Resumption(enabled=raw is True)


def _is_json_schema(schema: dict[str, Any]) -> bool:
    return "properties" in schema or schema.get("type") == "object"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
