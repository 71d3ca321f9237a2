"""Rules between the values of one goal. A commit waits until none is broken.

    shape       {"when": {path: value}, "then": {path: value}}
                where all of `when` holds, all of `then` must; in `then` the value "required" asks for any value
    agreement   {"kind": "type_agreement", "paths": [path, …], "key": "type"}
                the objects at these paths all say the same under the key; what is no object says nothing yet

A path is `field`, `field.key` or `field[*].key`, each item of a list. In a shape `[*]` stands at most once in a path,
and on both sides over the same list: the rule then holds for every item by itself. In an agreement it may repeat, and
the objects of one innermost list must agree (`routes[*].stops[*]`: those of one route).

`message` in a rule is what the participant is told when it is broken; without it the agent finds words of its own.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import msgspec

#: In `then`: any value will do, but one there must be.
REQUIRED = "required"

_PATH = re.compile(r"[^.\[\]*\s][^.\[\]*]*(\[\*\])?(\.[^.\[\]*]+(\[\*\])?)*")
_EACH = "[*]"


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """Where all of `when` holds, all of `then` must."""

    when: dict[str, Any]
    then: dict[str, Any]
    message: str = ""


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """The objects at `paths` say the same under `key`."""

    paths: tuple[str, ...]
    key: str
    message: str = ""


Invariant = Shape | Agreement


class BrokenRule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that does not hold. `fields`: the fields that it is about, first the one to ask for again."""

    fields: tuple[str, ...]
    message: str
    #: For each path that is wrong, the value that it must have (`REQUIRED`: any); empty where values must agree.
    wanted: dict[str, Any] = {}


def read(raw: Mapping[str, Any]) -> Invariant:
    """The rule in `raw`, which `faults` found to be sound."""
    message = raw.get("message") or ""
    if raw.get("kind") == "type_agreement":
        return Agreement(paths=tuple(raw["paths"]), key=raw["key"], message=message)
    return Shape(when=raw["when"], then=raw["then"], message=message)


def broken(rules: Sequence[Invariant], data: Mapping[str, Any]) -> list[BrokenRule]:
    """The rules that this data breaks."""
    found = (_broken_shape(rule, data) if isinstance(rule, Shape) else _broken_agreement(rule, data) for rule in rules)
    return [each for each in found if each is not None]


def faults(raw: object, fields: Collection[str]) -> Iterator[tuple[str, str]]:
    """What is wrong with a list of rules over these fields, as (path, message)."""
    if not isinstance(raw, list):
        yield "", "must be a list of rules"
        return
    for index, rule in enumerate(raw):
        where = f"[{index}]"
        if not isinstance(rule, dict):
            yield where, 'must be an object, e.g. {"when": {"plan": "team"}, "then": {"seats": "required"}}'
            continue
        if not isinstance(rule.get("message"), str | None):
            yield f"{where}.message", "must be a string"
        if rule.get("kind") is None:
            yield from _shape_faults(rule, fields, where)
        elif rule["kind"] == "type_agreement":
            yield from _agreement_faults(rule, fields, where)
        else:
            yield f"{where}.kind", "must be type_agreement, or be left out for a rule with `when` and `then`"


def _broken_shape(rule: Shape, data: Mapping[str, Any]) -> BrokenRule | None:
    """The first item, or the only one, where `when` holds and `then` does not."""
    paths = (*rule.when, *rule.then)
    lists = {path.partition(_EACH)[0] for path in paths if _EACH in path}
    items = next((_value(data, each) for each in lists), None)
    count = len(items) if isinstance(items, list) else 0
    for index in range(count) if lists else (0,):

        def at(path: str, index: int = index) -> Any:
            return _value(data, path.replace(_EACH, f".{index}"))

        if all(at(path) == value for path, value in rule.when.items()):
            wanted = {path: value for path, value in rule.then.items() if not _fits(at(path), value)}
            if wanted:
                return BrokenRule(fields=_fields((*wanted, *rule.when)), message=rule.message, wanted=wanted)
    return None


def _fits(value: Any, wanted: Any) -> bool:
    return value not in (None, "", [], {}) if wanted == REQUIRED else bool(value == wanted)


def _broken_agreement(rule: Agreement, data: Mapping[str, Any]) -> BrokenRule | None:
    kinds: dict[tuple[int, ...], set[str]] = {}
    for path in rule.paths:
        for place, value in _all(data, path.split(".")):
            if isinstance(value, dict) and value.get(rule.key) is not None:
                kinds.setdefault(place[:-1], set()).add(str(value[rule.key]))
    if all(len(each) <= 1 for each in kinds.values()):
        return None
    return BrokenRule(fields=_fields(rule.paths), message=rule.message)


def _value(data: Any, path: str) -> Any:
    """What stands at a path in which list places are numbers, or None."""
    for key in path.split("."):
        if isinstance(data, list) and key.isdecimal() and int(key) < len(data):
            data = data[int(key)]
        elif isinstance(data, Mapping):
            data = data.get(key)
        else:
            return None
    return data


def _all(data: Any, keys: Sequence[str], place: tuple[int, ...] = ()) -> Iterator[tuple[tuple[int, ...], Any]]:
    """Every value that a path with `[*]` leads to, with its place in the lists on the way."""
    if not keys:
        yield place, data
        return
    key, *rest = keys
    value = data.get(key.removesuffix(_EACH)) if isinstance(data, Mapping) else None
    if not key.endswith(_EACH):
        yield from _all(value, rest, place)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _all(item, rest, (*place, index))


def _fields(paths: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(re.split(r"[.\[]", path, maxsplit=1)[0] for path in paths))


def _shape_faults(rule: dict[str, Any], fields: Collection[str], where: str) -> Iterator[tuple[str, str]]:
    sides = {side: rule.get(side) for side in ("when", "then")}
    for side, values in sides.items():
        if not isinstance(values, dict) or not values:
            yield f"{where}.{side}", 'must be an object of path: value, e.g. {"plan": "team"}'
            return
        for path in values:
            yield from ((f"{where}.{side}.{path}", message) for message in _path_faults(path, fields))
            if path.count(_EACH) > 1:
                yield f"{where}.{side}.{path}", "may hold `[*]` once"
    lists = {path.partition(_EACH)[0] if _EACH in path else "" for values in sides.values() for path in values or ()}
    if len(lists) > 1:
        yield where, "must speak of one thing: either no path holds `[*]`, or all go over the same list"


def _agreement_faults(rule: dict[str, Any], fields: Collection[str], where: str) -> Iterator[tuple[str, str]]:
    paths = rule.get("paths")
    if not isinstance(paths, list) or not paths or not all(isinstance(path, str) for path in paths):
        yield f"{where}.paths", "must be a list of paths"
        return
    for index, path in enumerate(paths):
        yield from ((f"{where}.paths[{index}]", message) for message in _path_faults(path, fields))
    if not isinstance(rule.get("key"), str) or not rule["key"]:
        yield f"{where}.key", "must name the key whose values have to agree"


def _path_faults(path: str, fields: Collection[str]) -> Iterator[str]:
    if not _PATH.fullmatch(path):
        yield "is no path; write `field`, `field.key` or `field[*].key`"
    elif _fields([path])[0] not in fields:
        yield f"names `{_fields([path])[0]}`, which is not a field of this goal"
