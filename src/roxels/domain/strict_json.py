"""Reading JSON strictly: what could not be kept or sent on is refused here, with the path to it.

Refused beyond what is no JSON: text that cannot be kept (`domain.texts`), also written as `\\ud800`, NaN and Infinity,
numbers beyond 64 bits, nesting deeper than `MAX_DEPTH`.
"""

import json
import math
from typing import Any

from roxels.domain import texts
from roxels.domain.errors import Invalid

MAX_DEPTH = 64
_WHOLE = range(-(2**63), 2**64)


def read_json(body: bytes) -> Any:
    """The value of a JSON text. Raises `Invalid`."""
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=_no_number, parse_int=_whole, parse_float=_real)
    except RecursionError:
        raise Invalid("The body is nested too deeply.") from None
    except UnicodeDecodeError as fault:
        raise Invalid(f"The body is not UTF-8 at byte {fault.start}.") from None
    except json.JSONDecodeError as fault:
        place = f"line {fault.lineno}, column {fault.colno}"
        raise Invalid(f"The body is not JSON at {place}: {fault.msg}.") from None
    check(value)
    return value


def dotted(path: str, step: str | int) -> str:
    """One step further down: `persons`, then `persons[0]`, then `persons[0].name`."""
    if isinstance(step, int):
        return f"{path}[{step}]"
    return f"{path}.{step}" if path else step


def check(value: Any, path: str = "", depth: int = 0) -> None:
    """Go through a value that was read already. Raises `Invalid`, with the path to what cannot be kept."""
    if depth > MAX_DEPTH:
        raise Invalid(f"The body is nested deeper than {MAX_DEPTH} levels.", field=_shown(path))
    if isinstance(value, str):
        _check_text(value, path)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            check(each, dotted(path, index), depth + 1)
    elif isinstance(value, dict):
        for key, each in value.items():
            _check_text(key, path)
            check(each, dotted(path, key), depth + 1)


def _check_text(text: str, path: str) -> None:
    texts.check(text, f"`{_shown(path)}`" if path else "The body", _shown(path))


def _shown(path: str) -> str | None:
    return path[:200] or None


def _no_number(name: str) -> Any:
    raise Invalid(f"{name} is not JSON; send null or a number.")


def _whole(digits: str) -> int:
    value = int(digits) if len(digits) <= 20 else None
    if value is None or value not in _WHOLE:
        raise Invalid("A number is beyond 64 bits; send it as a string.")
    return value


def _real(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise Invalid("A number is beyond 64 bits; send it as a string.")
    return value
