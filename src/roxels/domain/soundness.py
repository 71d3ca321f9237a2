"""What keeps raw JSON from being a template: every fault with its path, all at once. Nothing here refuses a key that it
does not know; those are kept, and warned of. A null is as absent.

Whatever passes here, `domain.templates.read` reads without a fault of ours (a test plants junk in every place).
"""

import math
import re
from collections.abc import Callable, Collection, Iterator
from typing import Any, Literal, get_args

import msgspec

from roxels.domain import invariants, output_rules
from roxels.domain.fields import FieldType
from roxels.domain.placeholders import secret_named
from roxels.domain.proof import POLICIES
from roxels.domain.templates import (
    DEPTHS,
    REFERENCE,
    CarryForward,
    CommitPolicy,
    ExtractionMode,
    GoalType,
    field_type,
    fields_of,
    goals_of,
    is_json_schema,
    is_list_schema,
)

KNOWN_TOP = frozenset("name description language goals phases settings status learnings".split())
KNOWN_GOAL = frozenset(
    "id type prompt label schema commit_policy invariants extraction_mode probing_areas entry_points follow_up_depth "
    "outputs".split()
)
#: Settings of the hosted product that mean nothing here (yet): kept, and warned of.
UNUSED_SETTINGS = frozenset(
    "voice allow_screen_share suggest_screen_sharing multi_session speaker_skills speaker_skillsets advisors "
    "data_sources integration_shape".split()
)
KNOWN_SETTINGS = UNUSED_SETTINGS | frozenset(
    "greeting returning_greeting language tone max_session_duration_minutes system_instructions outputs embedded "
    "carry_forward model".split()
)

#: A year, and a hundred: longer spans are slips of the keyboard, and do not fit into dates.
MAX_MINUTES, MAX_HOURS = 525_600, 876_000
#: So many follow-up questions of one goal at most.
MAX_DEPTH = 100
#: A session lives no longer.
MAX_PROOF_HOURS = 24


class Fault(msgspec.Struct, frozen=True):
    """What is wrong with a template, and where."""

    path: str
    message: str


#: Whether a value may stand there, and what to say if not.
Rule = tuple[Callable[[Any], bool], str]


def _one_of(kind: Any) -> Rule:
    choices = get_args(kind)
    return lambda value: value in choices, f"must be one of {', '.join(choices)}"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_pattern(value: object) -> bool:
    try:
        re.compile(value) if isinstance(value, str) else None
    except (re.error, OverflowError, RecursionError):
        return False
    return isinstance(value, str)


TEXT: Rule = (lambda value: isinstance(value, str), "must be a string")
OBJECT: Rule = (lambda value: isinstance(value, dict), "must be an object")
YES_NO: Rule = (lambda value: isinstance(value, bool), "must be true or false")
NUMBER: Rule = (_is_number, "must be a number")
COUNT: Rule = (lambda value: _is_number(value) and value == int(value) >= 0, "must be a whole number, 0 or more")
NAMES: Rule = (
    lambda value: isinstance(value, list) and all(isinstance(each, str) for each in value),
    "must be a list of strings",
)
CHOICES: Rule = (
    lambda value: isinstance(value, list) and all(isinstance(each, str | int | float) for each in value),
    "must be a list of strings, numbers, true or false",
)

#: Of a model's endpoint.
_ADDRESS = re.compile(r"https?://[^/?#\s@{}]+[^?#\s@{}]*")

TOP: dict[str, Rule] = {"description": TEXT, "language": TEXT}
SETTINGS: dict[str, Rule] = {
    "greeting": TEXT,
    "returning_greeting": TEXT,
    "language": TEXT,
    "tone": TEXT,
    "system_instructions": TEXT,
    "carry_forward": _one_of(CarryForward),
    "max_session_duration_minutes": (
        lambda value: _is_number(value) and 0 < value <= MAX_MINUTES,
        "must be a number of minutes above 0, at most a year",
    ),
}
MODEL: dict[str, Rule] = {
    "speaker": (lambda value: value in ("model", "scripted"), "must be one of model, scripted"),
    "name": TEXT,
    "url": (
        lambda value: isinstance(value, str) and _ADDRESS.fullmatch(value) is not None,
        "must be an http or https address up to /v1, without placeholders, user names or a query: "
        "https://api.example.com/v1",
    ),
    "key": (
        lambda value: secret_named(value) is not None,
        "must be a secret and nothing else: {{secret:<its name>}}; keep it with POST /v1/secrets",
    ),
    "temperature": (lambda value: _is_number(value) and 0 <= value <= 2, "must be a number from 0 to 2"),
    "max_tokens": (lambda value: _is_number(value) and value == int(value) >= 1, "must be a whole number above 0"),
}
EMBEDDED: dict[str, Rule] = {
    "notice": OBJECT,
    "launcher": OBJECT,
    "brand": OBJECT,
    "auto_close": YES_NO,
    "history_requires": (
        lambda value: value in [policy.name for policy in POLICIES],
        f"must be one of {', '.join(policy.name for policy in POLICIES)}",
    ),
    "proof_hours": (
        lambda value: _is_number(value) and 0 < value <= MAX_PROOF_HOURS,
        "must be a number of hours above 0, at most 24",
    ),
}
RESUMPTION: dict[str, Rule] = {
    "enabled": YES_NO,
    "window_hours": (
        lambda value: _is_number(value) and 0 < value <= MAX_HOURS,
        "must be a number of hours above 0, at most a hundred years",
    ),
}
#: Where the embed can put its button; see embed.d.ts. Another place or colour would be passed over without a word.
Position = Literal["bottom-right", "bottom-left"]
_COLOR = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
LAUNCHER: dict[str, Rule] = {
    "enabled": YES_NO,
    "label": TEXT,
    "icon": TEXT,
    "color": (
        lambda value: isinstance(value, str) and _COLOR.fullmatch(value) is not None,
        "must be a colour as `#rgb` or `#rrggbb`",
    ),
    "position": _one_of(Position),
    "visibility": OBJECT,
}
BRAND: dict[str, Rule] = {"color": TEXT, "logo": TEXT}
VISIBILITY: dict[str, Rule] = {"include": NAMES, "exclude": NAMES}
GOAL: dict[str, Rule] = {
    "type": _one_of(GoalType),
    "commit_policy": _one_of(CommitPolicy),
    "prompt": TEXT,
    "label": TEXT,
    "schema": OBJECT,
    "extraction_mode": _one_of(ExtractionMode),
    "probing_areas": NAMES,
    "entry_points": NAMES,
    "follow_up_depth": (
        lambda value: value in [*DEPTHS] or (isinstance(value, int) and _is_number(value) and 0 <= value <= MAX_DEPTH),
        f"must be one of {', '.join(DEPTHS)}, or a whole number from 0 to 100",
    ),
}
PHASE: dict[str, Rule] = {"body_instructions": TEXT, "name": TEXT}
FIELD: dict[str, Rule] = {
    "type": (lambda value: field_type(value) is not None, f"must be one of {', '.join(get_args(FieldType))}"),
    "description": TEXT,
    "prompt": TEXT,
    "format": TEXT,
    "enum": CHOICES,
    "values": CHOICES,
    "minimum": NUMBER,
    "maximum": NUMBER,
    "minLength": COUNT,
    "maxLength": COUNT,
    "pattern": (_is_pattern, "must be a regular expression"),
}


def faults(raw: object) -> list[Fault]:
    """All that keeps `raw` from being a template, all at once."""
    if not isinstance(raw, dict):
        return [Fault("", "must be an object with at least `name` and `goals`")]
    return list(_faults(raw))


def warnings(raw: dict[str, Any], missing: Collection[str] = ()) -> list[dict[str, str]]:
    """What is kept but not acted upon, or may not be meant: `[{rule, message, field}]`.

    `missing`: those of the secrets it names that are not there.
    """
    settings = raw.get("settings") or {}
    unknown = [(key, key) for key in raw if key not in KNOWN_TOP]
    unknown += [(f"settings.{key}", key) for key in settings if key not in KNOWN_SETTINGS]
    unknown += [(f"{path}.{key}", key) for path, goal in goals_of(raw) for key in goal if key not in KNOWN_GOAL]
    found = [
        {"rule": "unknown_key", "field": path, "message": f"`{key}` is kept as written but means nothing here."}
        for path, key in unknown
    ]
    found += [
        {
            "rule": "unused_setting",
            "field": f"settings.{key}",
            "message": f"`{key}` is kept; this version does not use it.",
        }
        for key in settings
        if key in UNUSED_SETTINGS
    ]
    found += [each for path, goal in goals_of(raw) for each in _warnings_of_goal(path, goal)]
    found += [
        {"rule": rule, "field": f"settings.{path}", "message": message}
        for rule, path, message in output_rules.missing_secrets({"model": settings.get("model")}, missing)
    ]
    return found + [each for output in _outputs_of(raw) for each in _warnings_of_output(*output, missing)]


def _faults(raw: dict[str, Any]) -> Iterator[Fault]:
    if not isinstance(raw.get("name"), str) or not raw["name"].strip():
        yield Fault("name", "must be a non-empty string")
    yield from _by_rules(raw, TOP, "")
    misplaced = list(_misplaced_goals(raw))
    goal_ids = set() if misplaced else _goal_ids(raw)
    yield from _of_settings(raw.get("settings"), goal_ids)
    yield from misplaced or _of_goals(raw, goal_ids)
    for index, phase in enumerate([] if misplaced else raw.get("phases") or []):
        yield from _by_rules(phase, PHASE, f"phases[{index}]")
        yield from _of_outputs(phase.get("outputs"), f"phases[{index}].outputs", goal_ids)


def _by_rules(value: dict[str, Any], rules: dict[str, Rule], path: str) -> Iterator[Fault]:
    """The faults of the keys that the rules name."""
    for key, (fits, message) in rules.items():
        if value.get(key) is not None and not fits(value[key]):
            yield Fault(f"{path}.{key}" if path else key, message)


def _of_settings(settings: object, goal_ids: Collection[str]) -> Iterator[Fault]:
    if settings is None:
        return
    if not isinstance(settings, dict):
        yield Fault("settings", "must be an object")
        return
    yield from _by_rules(settings, SETTINGS, "settings")
    yield from _of_embedded(settings.get("embedded"))
    model = settings.get("model")
    if isinstance(model, dict):
        yield from _by_rules(model, MODEL, "settings.model")
        if model.get("url") and not model.get("name"):
            yield Fault("settings.model.name", "is missing: `url` names an endpoint; name the model there too")
    elif not isinstance(model, str | None):
        yield Fault(
            "settings.model",
            'must be the name of a model, or {"name", "speaker", "url", "key", "temperature", "max_tokens"}',
        )
    yield from _of_outputs(settings.get("outputs"), "settings.outputs", goal_ids)


def _of_embedded(embedded: object) -> Iterator[Fault]:
    path = "settings.embedded"
    if embedded is None:
        return
    if not isinstance(embedded, dict):
        yield Fault(path, "must be an object")
        return
    yield from _by_rules(embedded, EMBEDDED, path)
    resumption = embedded.get("resumption")
    if isinstance(resumption, dict):
        yield from _by_rules(resumption, RESUMPTION, f"{path}.resumption")
    elif not isinstance(resumption, bool | None):
        yield Fault(f"{path}.resumption", 'must be true, false or {"enabled": true, "window_hours": 720}')
    launcher = embedded.get("launcher")
    if isinstance(launcher, dict):
        yield from _by_rules(launcher, LAUNCHER, f"{path}.launcher")
        if isinstance(launcher.get("visibility"), dict):
            yield from _by_rules(launcher["visibility"], VISIBILITY, f"{path}.launcher.visibility")
    if isinstance(embedded.get("brand"), dict):
        yield from _by_rules(embedded["brand"], BRAND, f"{path}.brand")


def _misplaced_goals(raw: dict[str, Any]) -> Iterator[Fault]:
    """What keeps the goals from being found at all."""
    yield from (
        Fault(key, "must be a list") for key in ("goals", "phases") if not isinstance(raw.get(key), list | None)
    )
    phases = raw.get("phases")
    for index, phase in enumerate(phases if isinstance(phases, list) else ()):
        if not isinstance(phase, dict) or not isinstance(phase.get("goals"), list | None):
            yield Fault(f"phases[{index}]", "must be an object whose `goals` is a list")


def _of_goals(raw: dict[str, Any], goal_ids: Collection[str]) -> Iterator[Fault]:
    seen: set[str] = set()
    for path, goal in goals_of(raw):
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
        in_fields = list(_by_rules(goal, GOAL, path))
        if isinstance(goal.get("schema"), dict):
            in_fields += _of_schema(goal["schema"], f"{path}.schema")
        yield from in_fields or _of_invariants(goal, path)
        yield from _of_outputs(goal.get("outputs"), f"{path}.outputs", goal_ids)
    if not seen:
        yield Fault("goals", "must hold at least one goal, here or in `phases[].goals`")


def _of_invariants(goal: dict[str, Any], path: str) -> Iterator[Fault]:
    """Of a goal whose fields are sound."""
    if goal.get("invariants") is not None:
        names = [field.name for field in fields_of(goal)]
        for where, message in invariants.faults(goal["invariants"], names):
            yield Fault(f"{path}.invariants{where}", message)


def _of_schema(schema: dict[str, Any], path: str) -> Iterator[Fault]:
    properties: Any = schema
    if is_list_schema(schema):
        yield from _of_field(schema, path)
        return
    if is_json_schema(schema):
        path_of_fields, properties = f"{path}.properties", schema.get("properties") or {}
        yield from _of_required(schema.get("required"), properties, f"{path}.required")
    else:
        path_of_fields = path
    if not isinstance(properties, dict):
        yield Fault(path_of_fields, "must be an object of field: schema")
        return
    for name, spec in properties.items():
        yield from _of_field(spec, f"{path_of_fields}.{name}")


def _of_required(required: object, properties: Any, path: str) -> Iterator[Fault]:
    if required is None:
        return
    if not isinstance(required, list) or not all(isinstance(name, str) for name in required):
        yield Fault(path, "must be a list of field names")
        return
    for name in required:
        if isinstance(properties, dict) and name not in properties:
            yield Fault(path, f"names `{name}`, which is not among the properties")


def _of_field(spec: object, path: str) -> Iterator[Fault]:
    """`spec` is a schema, or in the short form the name of a type."""
    if not isinstance(spec, dict):
        yield from _by_rules({"type": "" if spec is None else spec}, FIELD, path)
        return
    yield from _by_rules(spec, FIELD, path)
    for key in ("items", "item_schema"):
        if spec.get(key):
            yield from _of_field(spec[key], f"{path}.{key}")


def _of_outputs(outputs: object, path: str, goal_ids: Collection[str]) -> Iterator[Fault]:
    if outputs is None:
        return
    if not isinstance(outputs, list):
        yield Fault(path, "must be a list")
        return
    for index, output in enumerate(outputs):
        where = f"{path}[{index}]"
        config = output.get("config") if isinstance(output, dict) else None
        if not isinstance(output, dict) or not isinstance(output.get("type"), str) or not isinstance(config, dict):
            yield Fault(where, "must be an object with `type` and `config`")
        elif output["type"] == "webhook":
            for place, message in output_rules.faults(config, goal_ids):
                yield Fault(f"{where}.config.{place}", message)


def _goal_ids(raw: dict[str, Any]) -> set[str]:
    return {goal["id"] for _, goal in goals_of(raw) if isinstance(goal, dict) and isinstance(goal.get("id"), str)}


def _outputs_of(raw: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], set[str] | None]]:
    """Every output with its path, and the fields that its data will hold (None: not known before it happens)."""
    fields = {goal["id"]: {field.name for field in fields_of(goal)} for _, goal in goals_of(raw)}
    for path, goal in goals_of(raw):
        yield from ((f"{path}.{where}", each, fields[goal["id"]]) for where, each in _listed(goal))
    for number, phase in enumerate(raw.get("phases") or []):
        yield from ((f"phases[{number}].{where}", each, None) for where, each in _listed(phase))
    for where, each in _listed(raw.get("settings") or {}):
        yield f"settings.{where}", each, fields.get(each["config"].get("trigger_goal"))


def _listed(holder: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(f"outputs[{index}]", each) for index, each in enumerate(holder.get("outputs") or [])]


def _warnings_of_goal(path: str, goal: dict[str, Any]) -> Iterator[dict[str, str]]:
    if goal.get("commit_policy") == "require_all_required" and not any(field.required for field in fields_of(goal)):
        message = "No field is required, so this goal is never committed; name one in `required`, or use `auto`."
        yield {"rule": "never_commits", "field": f"{path}.commit_policy", "message": message}
    schema = goal.get("schema") or {}
    specs = (schema.get("properties") or {}) if is_json_schema(schema) else schema
    for name, spec in specs.items():
        if REFERENCE in (spec, *((spec.get("type"), spec.get("item_type")) if isinstance(spec, dict) else ())):
            message = "References are not looked up here; what is said is kept as text."
            yield {"rule": "unsupported_type", "field": f"{path}.schema.{name}", "message": message}


def _warnings_of_output(
    path: str, output: dict[str, Any], fields: set[str] | None, missing: Collection[str]
) -> Iterator[dict[str, str]]:
    if output["type"] != "webhook":
        message = f"Outputs of the type `{output['type']}` are kept as written and not delivered; use `webhook`."
        yield {"rule": "unsupported_output", "field": path, "message": message}
        return
    for rule, place, message in output_rules.warnings(output["config"], fields, missing):
        yield {"rule": rule, "field": f"{path}.config.{place}", "message": message}
