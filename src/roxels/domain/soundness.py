"""What keeps raw JSON from being a template: every fault with its path, all at once. Nothing here refuses a key that it
does not know; those are kept, and warned of. A null is as absent.

Whatever passes here, `domain.templates.read` reads without a fault of ours (a test plants junk in every place).
"""

import math
import re
from collections.abc import Callable, Iterator
from typing import Any, get_args

import msgspec

from roxels.domain.fields import FieldType
from roxels.domain.proof import POLICIES
from roxels.domain.templates import CarryForward, CommitPolicy, GoalType, field_type, goals_of, is_json_schema

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

#: A year, and a hundred: longer spans are slips of the keyboard, and do not fit into dates.
MAX_MINUTES, MAX_HOURS = 525_600, 876_000
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

TOP: dict[str, Rule] = {"description": TEXT, "language": TEXT}
SETTINGS: dict[str, Rule] = {
    "greeting": TEXT,
    "returning_greeting": TEXT,
    "language": TEXT,
    "carry_forward": _one_of(CarryForward),
    "max_session_duration_minutes": (
        lambda value: _is_number(value) and 0 < value <= MAX_MINUTES,
        "must be a number of minutes above 0, at most a year",
    ),
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
LAUNCHER: dict[str, Rule] = {
    "enabled": YES_NO,
    "label": TEXT,
    "icon": TEXT,
    "color": TEXT,
    "position": TEXT,
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
}
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


def warnings(raw: dict[str, Any]) -> list[dict[str, str]]:
    """What is kept but not acted upon: `[{rule, message, field}]`."""
    settings = raw.get("settings") or {}
    unknown = [(key, key) for key in raw if key not in KNOWN_TOP]
    unknown += [(f"settings.{key}", key) for key in settings if key not in KNOWN_SETTINGS]
    unknown += [(f"{path}.{key}", key) for path, goal in goals_of(raw) for key in goal if key not in KNOWN_GOAL]
    return [
        {"rule": "unknown_key", "field": path, "message": f"`{key}` is kept as written but means nothing here."}
        for path, key in unknown
    ]


def _faults(raw: dict[str, Any]) -> Iterator[Fault]:
    if not isinstance(raw.get("name"), str) or not raw["name"].strip():
        yield Fault("name", "must be a non-empty string")
    yield from _by_rules(raw, TOP, "")
    yield from _of_settings(raw.get("settings"))
    misplaced = list(_misplaced_goals(raw))
    yield from misplaced or _of_goals(raw)


def _by_rules(value: dict[str, Any], rules: dict[str, Rule], path: str) -> Iterator[Fault]:
    """The faults of the keys that the rules name."""
    for key, (fits, message) in rules.items():
        if value.get(key) is not None and not fits(value[key]):
            yield Fault(f"{path}.{key}" if path else key, message)


def _of_settings(settings: object) -> Iterator[Fault]:
    if settings is None:
        return
    if not isinstance(settings, dict):
        yield Fault("settings", "must be an object")
        return
    yield from _by_rules(settings, SETTINGS, "settings")
    yield from _of_embedded(settings.get("embedded"))
    yield from _of_outputs(settings.get("outputs"), "settings.outputs")


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


def _of_goals(raw: dict[str, Any]) -> Iterator[Fault]:
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
        yield from _by_rules(goal, GOAL, path)
        if isinstance(goal.get("schema"), dict):
            yield from _of_schema(goal["schema"], f"{path}.schema")
        yield from _of_outputs(goal.get("outputs"), f"{path}.outputs")
    if not seen:
        yield Fault("goals", "must hold at least one goal, here or in `phases[].goals`")


def _of_schema(schema: dict[str, Any], path: str) -> Iterator[Fault]:
    properties: Any = schema
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


def _of_outputs(outputs: object, path: str) -> Iterator[Fault]:
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
            continue
        if output["type"] == "webhook" and not _is_web_address(config.get("url")):
            yield Fault(f"{where}.config.url", "must be an http or https address")
        yield from _by_rules(config, {"trigger_goal": TEXT}, f"{where}.config")


def _is_web_address(value: object) -> bool:
    return isinstance(value, str) and value.startswith(("http://", "https://"))
