"""What stands between `{{` and `}}`: a path to a value, or the name of a secret. Never code.

    {{data.company}}  {{context.items[0].id}}   a value: keys by dots, places in lists by `[n]`
    {{secret:crm}}                              a secret: stays a name until the moment of sending
    {{ data.x | upper }}, {{7*7}}, ...          nothing that is known: named to whoever wrote it, and empty

The same paths select from the answers of receivers (`response_capture`); there `$` is the whole answer.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

_MARK = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_PATH = re.compile(r"[^\W\d][\w-]*(?:\.[\w-]+|\[\d{1,6}\])*")
_SECRET = re.compile(r"secret:\s*([\w.-]{1,200})")
_STEP = re.compile(r"\.?([\w-]+)|\[(\d{1,6})\]")
_SELECTOR = re.compile(r"\$|(?:\$\.?)?(?:[\w-]+|\[\d{1,6}\])(?:\.[\w-]+|\[\d{1,6}\])*")


class Variable(msgspec.Struct, frozen=True):
    """The path of a value."""

    path: str


class SecretName(msgspec.Struct, frozen=True):
    """A secret, by its name or id."""

    name: str


class Odd(msgspec.Struct, frozen=True):
    """Something between the braces that means nothing here."""

    text: str


Part = str | Variable | SecretName | Odd


def parts(text: str) -> list[Part]:
    """The text in its parts, in order; a text without placeholders is one part."""
    found: list[Part] = []
    end = 0
    for match in _MARK.finditer(text):
        if match.start() > end:
            found.append(text[end : match.start()])
        found.append(_read(match.group(1).strip()))
        end = match.end()
    if end < len(text) or not found:
        found.append(text[end:])
    return found


def _read(inner: str) -> Variable | SecretName | Odd:
    if _PATH.fullmatch(inner):
        return Variable(inner)
    secret = _SECRET.fullmatch(inner)
    return SecretName(secret.group(1)) if secret else Odd(inner[:100])


def secret_named(text: object) -> str | None:
    """The name of the secret that this text consists of, or None."""
    read = parts(text) if isinstance(text, str) else []
    match read:
        case [SecretName(name)]:
            return name
        case _:
            return None


def texts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every string in a structure, with its path: `items[0].name`. Keys of objects are no texts."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, child in value.items():
            yield from texts(child, f"{path}.{key}" if path else str(key))
    elif isinstance(value, Sequence):
        for index, child in enumerate(value):
            yield from texts(child, f"{path}[{index}]")


def placeholders(value: Any) -> Iterator[tuple[str, Variable | SecretName | Odd]]:
    """Every placeholder in a structure, with the path of the string it stands in."""
    for path, text in texts(value):
        for part in parts(text):
            if not isinstance(part, str):
                yield path, part


def is_selector(text: object) -> bool:
    """Whether this can select from an answer: `id`, `data.customer.id`, `items[0].price_id`, `$`."""
    return isinstance(text, str) and _SELECTOR.fullmatch(text) is not None


def select(path: str, value: Any) -> Any:
    """The value at that path, or `msgspec.UNSET` where there is none."""
    if path == "$":
        return value
    found = value
    for match in _STEP.finditer(path.removeprefix("$")):
        key, place = match.groups()
        if key is not None and isinstance(found, Mapping) and key in found:
            found = found[key]
        elif place is not None and isinstance(found, list) and int(place) < len(found):
            found = found[int(place)]
        else:
            return msgspec.UNSET
    return found
