"""Rules between values: which data breaks them, and which rules are none."""

from typing import Any

import pytest

from roxels.domain import invariants
from roxels.domain.invariants import BrokenRule, broken

TEAM = {"when": {"plan": "team"}, "then": {"seats": "required"}}
SOLO = {"when": {"plan": "solo"}, "then": {"seats": 1}, "message": "A solo plan has one seat."}
NESTED = {"when": {"address.country": "DE"}, "then": {"address.vat": "required"}}
ITEMS = {"when": {"items[*].kind": "gift"}, "then": {"items[*].card": "required"}}
ALIKE = {"kind": "type_agreement", "paths": ["routes[*].stops[*]"], "key": "type"}
TWO = {"kind": "type_agreement", "paths": ["items[*].price", "items[*].fee"], "key": "currency"}


def stop(kind: str) -> dict[str, str]:
    return {"id": "x", "type": kind}


@pytest.mark.parametrize(
    ("rule", "data", "fields"),
    [
        (TEAM, {"plan": "team"}, ("seats", "plan")),
        (TEAM, {"plan": "team", "seats": 0}, None),
        (TEAM, {"plan": "team", "seats": ""}, ("seats", "plan")),
        (TEAM, {"plan": "solo"}, None),
        (TEAM, {}, None),
        (SOLO, {"plan": "solo", "seats": 2}, ("seats", "plan")),
        (SOLO, {"plan": "solo", "seats": 1}, None),
        (NESTED, {"address": {"country": "DE"}}, ("address",)),
        (NESTED, {"address": {"country": "DE", "vat": "DE1"}}, None),
        (NESTED, {"address": "Berlin"}, None),
        (ITEMS, {"items": [{"kind": "own"}, {"kind": "gift", "card": "Hi"}]}, None),
        (ITEMS, {"items": [{"kind": "own", "card": "Hi"}, {"kind": "gift"}]}, ("items",)),
        (ITEMS, {"items": []}, None),
        (ITEMS, {"items": "none"}, None),
        (ALIKE, {"routes": [{"stops": [stop("bus"), stop("bus")]}, {"stops": [stop("tram")]}]}, None),
        (ALIKE, {"routes": [{"stops": [stop("bus"), stop("tram")]}]}, ("routes",)),
        (ALIKE, {"routes": [{"stops": [stop("bus"), "not yet known"]}]}, None),
        (TWO, {"items": [{"price": {"currency": "EUR"}, "fee": {"currency": "USD"}}]}, ("items",)),
        (TWO, {"items": [{"price": {"currency": "EUR"}}, {"fee": {"currency": "EUR"}}]}, None),
    ],
)
def test_what_breaks_a_rule(rule: dict[str, Any], data: dict[str, Any], fields: tuple[str, ...] | None) -> None:
    found = broken([invariants.read(rule)], data)
    assert [each.fields for each in found] == ([] if fields is None else [fields])


def test_what_is_wanted_and_said() -> None:
    wrong = BrokenRule(fields=("seats", "plan"), message="A solo plan has one seat.", wanted={"seats": 1})
    assert broken([invariants.read(SOLO)], {"plan": "solo", "seats": 2}) == [wrong]


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        ({"plan": "team"}, ""),
        (["plan"], "[0]"),
        ([{"kind": "magic"}], "[0].kind"),
        ([{"when": {"plan": "team"}}], "[0].then"),
        ([{"when": {}, "then": {"seats": 1}}], "[0].when"),
        ([{"when": {"plan": "team"}, "then": {"chairs": 1}}], "[0].then.chairs"),
        ([{"when": {"plan.": "team"}, "then": {"seats": 1}}], "[0].when.plan."),
        ([{"when": {"items[*].a": 1}, "then": {"seats": 1}}], "[0]"),
        ([{"when": {"items[*].a[*].b": 1}, "then": {"items[*].c": 1}}], "[0].when.items[*].a[*].b"),
        ([{**TEAM, "message": 7}], "[0].message"),
        ([{"kind": "type_agreement", "paths": "plan", "key": "type"}], "[0].paths"),
        ([{"kind": "type_agreement", "paths": ["chairs"], "key": "type"}], "[0].paths[0]"),
        ([{"kind": "type_agreement", "paths": ["plan"]}], "[0].key"),
    ],
)
def test_what_is_no_rule(raw: object, path: str) -> None:
    assert [where for where, _ in invariants.faults(raw, ["plan", "seats", "items"])] == [path]


@pytest.mark.parametrize("rule", [TEAM, SOLO, ITEMS])
def test_what_is_a_rule(rule: dict[str, Any]) -> None:
    assert list(invariants.faults([rule], ["plan", "seats", "items"])) == []
