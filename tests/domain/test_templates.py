"""Templates from strangers: whatever is written, it is either refused with a path or read without a fault of ours."""

import copy
import re
from collections.abc import Iterator
from typing import Any, get_args

from hypothesis import given, settings
from hypothesis import strategies as st

from roxels.domain import soundness, templates
from tests.house.source import ROOT

RICH: dict[str, Any] = {
    "name": "Rich",
    "description": "d",
    "language": "en",
    "phases": [{"id": "p1", "goals": [{"id": "deep", "schema": {"a": "string", "b": {"type": "array of strings"}}}]}],
    "goals": [
        {
            "id": "company",
            "type": "structured",
            "prompt": "p",
            "label": "l",
            "commit_policy": "auto",
            "schema": {
                "type": "object",
                "properties": {
                    "name": {"type": "string", "description": "d", "minLength": 1, "maxLength": 9, "pattern": "^a"},
                    "size": {"type": "integer", "minimum": 1, "maximum": 10},
                    "kind": {"type": "string", "enum": ["a", "b"], "format": "email"},
                    "tags": {"type": "array", "items": {"type": "string"}},
                    "map": {"type": "array", "item_schema": {"type": "number"}},
                },
                "required": ["name"],
            },
            "outputs": [{"type": "webhook", "config": {"url": "https://x.test/{{context.a}}", "trigger_goal": "deep"}}],
        }
    ],
    "settings": {
        "greeting": "g",
        "returning_greeting": "r",
        "language": "en",
        "max_session_duration_minutes": 30,
        "carry_forward": "offer",
        "outputs": [{"type": "webhook", "config": {"url": "https://x.test"}}],
        "embedded": {
            "resumption": {"enabled": True, "window_hours": 720},
            "notice": {"text": "t"},
            "launcher": {"enabled": True, "label": "l", "visibility": {"include": ["a*"], "exclude": ["b"]}},
            "auto_close": False,
        },
    },
}

JUNK: list[Any] = [
    *[None, True, False, 0, -1, 1.5, 10**300, 2**62, "", "x", "[", "(?P<", [], [1], [[]], [None], ["a"], {}, {"a": 1}],
    *[{"type": []}, {"type": "string", "enum": 5}, {"enabled": "x"}, [{"type": "webhook", "config": {"url": 5}}]],
]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from places(child, (*path, key))


def planted(raw: dict[str, Any], path: tuple[Any, ...], junk: Any) -> None:
    here: Any = raw
    for key in path[:-1]:
        try:
            here = here[key]
        except (KeyError, IndexError, TypeError):
            return
    if isinstance(here, dict) or (isinstance(here, list) and path[-1] in range(len(here))):
        here[path[-1]] = junk


def test_the_rich_one_is_sound() -> None:
    assert soundness.faults(RICH) == []
    template = templates.read("tpl_1", 1, RICH)
    assert [goal.id for goal in template.goals] == ["company", "deep"]


def test_every_single_place_with_every_junk() -> None:
    for path in places(RICH):
        for junk in JUNK:
            raw = copy.deepcopy(RICH)
            planted(raw, path, copy.deepcopy(junk))
            check(raw)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(list(places(RICH))), st.sampled_from(JUNK)), min_size=2, max_size=5))
def test_several_at_once(faults: list[tuple[tuple[Any, ...], Any]]) -> None:
    raw = copy.deepcopy(RICH)
    for path, junk in faults:
        planted(raw, path, copy.deepcopy(junk))
    check(raw)


def check(raw: dict[str, Any]) -> None:
    found = soundness.faults(raw)
    assert all(isinstance(fault.path, str) and fault.message for fault in found)
    if found:
        return
    template = templates.read("tpl_1", 1, raw)
    assert soundness.warnings(raw) is not None
    assert template.resumption.window.total_seconds() > 0
    for goal in template.goals:
        for field in goal.fields:
            assert isinstance(field.label, str)


def test_the_launcher_stands_where_the_embed_can_put_it_in_a_colour_that_it_can_paint() -> None:
    def found(**look: Any) -> list[str]:
        raw = {"name": "t", "goals": [{"id": "a"}], "settings": {"embedded": {"launcher": look}}}
        return [fault.path.rpartition(".")[2] for fault in soundness.faults(raw)]

    known = (ROOT / "src/roxels/embed/embed.d.ts").read_text(encoding="utf-8")
    places = re.findall(r'"([^"]+)"', re.findall(r"position\?: ([^}]+) }", known)[0])
    assert tuple(places) == get_args(soundness.Position)
    for position in places:
        assert found(position=position, color="#Abc") == []
    assert found(position="top-left", color="#2f5d50") == ["position"]
    for color in ("red", "#ab", "#abcd", "#12345g", "rgb(0,0,0)", "#abc\n", ""):
        assert found(color=color) == ["color"]
