"""What stands for `{{...}}` in a customer's texts: placeholders, never code.

A placeholder is a dotted path into a mapping of values: `{{context.plan}}`, `{{person.name}}`. An unknown one becomes
nothing; text around it is kept. Values of the server win over those of the browser under the same key.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

PLACEHOLDER = re.compile(r"\{\{\s*([\w.-]+)\s*\}\}")


def merged(server: Mapping[str, Any], browser: Mapping[str, Any], external_id: str | None) -> dict[str, Any]:
    """The context as outputs and prompts name it; `external_id` is always ours."""
    return {**browser, **server, "external_id": external_id}


def unproven(server: Mapping[str, Any], browser: Mapping[str, Any]) -> list[str]:
    """Which keys of the merged context are the participant's word: a browser gave them, and no server did."""
    return sorted(key for key in browser if key not in server and key != "external_id")


def unproven_part(server: Mapping[str, Any], browser: Mapping[str, Any]) -> dict[str, Any]:
    """What the browser gave under keys of its own: what it says of a server's key is not told at all."""
    return {key: browser[key] for key in unproven(server, browser)}


def look_up(path: str, values: Mapping[str, Any]) -> Any:
    """The value at a dotted path, or None."""
    found: Any = values
    for key in path.split("."):
        if not isinstance(found, Mapping) or key not in found:
            return None
        found = found[key]
    return found


def render(text: str, values: Mapping[str, Any]) -> str:
    """The text with its placeholders filled in; one that has no value is left out."""

    def fill(match: re.Match[str]) -> str:
        value = look_up(match.group(1), values)
        if value is None:
            return ""
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

    return PLACEHOLDER.sub(fill, text)
