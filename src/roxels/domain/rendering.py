"""From an output's template and values to one request, frozen to the byte, in which only secrets are still names.

Where a value stands decides how it is written, so that it can never become part of the structure around it:

    place                                value                                    secret
    URL (path, query)                    percent-encoded; only dots: nothing      percent-encoded
    header                               line breaks and other controls: spaces   as it is
    body_template, object or array       a string in JSON; alone in its string,   a string in JSON
                                         with its own type (number, list ...)
    body_template, text that is JSON     the same, by what stands around it       the same
    body_template, other text            as it is; escaped where the type is XML  the same
    form, form-nested                    percent-encoded as forms are             the same

Of a secret its name stands in the frozen text, and `SecretPlace` says exactly where; so what a person says can never be
taken for one, whatever it looks like.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from html import escape
from typing import Any, Literal
from urllib.parse import quote, quote_plus

import msgspec

from roxels.domain.placeholders import Odd, SecretName, Variable, parts, select
from roxels.domain.templates import Output

Form = Literal["plain", "json", "quoted", "url", "form", "xml"]

FORMS: Mapping[Form, Callable[[str], str]] = {
    "plain": lambda text: text,
    "json": lambda text: _dumped(text)[1:-1],
    "quoted": lambda text: _dumped(text),
    "url": lambda text: "" if text and not text.strip(".") else quote(text, safe=""),
    "form": quote_plus,
    "xml": escape,
}
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]+")
FORM_TYPE = "application/x-www-form-urlencoded"


class Slot(msgspec.Struct, frozen=True):
    """A secret in the making of a text."""

    name: str
    form: Form


Written = list[str | Slot]


class SecretPlace(msgspec.Struct, frozen=True):
    """Where a secret's value belongs: `where` is `url`, `body` or `header:<name>`; code points."""

    where: str
    start: int
    end: int
    name: str
    form: Form


class Frozen(msgspec.Struct, frozen=True, kw_only=True):
    """One request as every attempt sends it."""

    url: str
    method: str = "POST"
    headers: dict[str, str] = {}
    #: None where the method carries no body.
    body: str | None
    places: tuple[SecretPlace, ...] = ()
    #: Variables that had no value; empty stands in their place.
    unknown: tuple[str, ...] = ()

    @property
    def secrets(self) -> set[str]:
        """The names of the secrets that are needed to send it."""
        return {place.name for place in self.places}


class Text(msgspec.Struct, frozen=True):
    """A string that holds secrets, in a structure that is otherwise values."""

    parts: tuple[str | SecretName, ...]


def freeze(output: Output, values: Mapping[str, Any], body: Any) -> Frozen:
    """The request of this output; `body` is sent where it has no `body_template`."""
    filler = _Filler(values)
    places: list[SecretPlace] = []
    content_type, written = _body(output, filler, body)
    headers = {
        name: _assembled(f"header:{name}", filler.text(text, "plain", _on_one_line), places)
        for name, text in output.headers.items()
        if name.lower() != "content-type"
    }
    made = None if output.method == "GET" else _assembled("body", written, places)
    return Frozen(
        url=_assembled("url", filler.text(output.url, "url"), places),
        method=output.method,
        headers=headers if made is None else {"Content-Type": content_type} | headers,
        body=made,
        places=tuple(places),
        unknown=tuple(filler.unknown),
    )


def reveal(frozen: Frozen, secrets: Mapping[str, str]) -> Frozen:
    """The request with the values of its secrets. Raises `KeyError` naming a secret that is not there."""

    def filled(where: str, text: str) -> str:
        for place in sorted((each for each in frozen.places if each.where == where), key=lambda each: -each.start):
            text = text[: place.start] + FORMS[place.form](secrets[place.name]) + text[place.end :]
        return text

    return msgspec.structs.replace(
        frozen,
        url=filled("url", frozen.url),
        headers={name: filled(f"header:{name}", text) for name, text in frozen.headers.items()},
        body=None if frozen.body is None else filled("body", frozen.body),
        places=(),
    )


def is_json(text: str) -> bool:
    """Whether a text template is JSON once its placeholders are filled in."""
    probe = "".join(part if isinstance(part, str) else "0" for part, _ in _with_quotes(text))
    try:
        json.loads(probe)
    except (ValueError, RecursionError):
        return False
    return True


def content_type_of(output: Output) -> str:
    """The author's own `Content-Type`, in small letters; empty where there is none."""
    return next((text.lower() for name, text in output.headers.items() if name.lower() == "content-type"), "")


def _body(output: Output, filler: "_Filler", body: Any) -> tuple[str, Written]:
    template, own = output.body_template, content_type_of(output)
    encoding = output.body_encoding or ("form" if own.startswith(FORM_TYPE) else "json")
    if isinstance(template, str):
        if encoding != "json":
            return FORM_TYPE, filler.text(template, "form")
        if is_json(template):
            return own or "application/json", filler.json_text(template)
        return own or "text/plain; charset=utf-8", filler.text(template, "xml" if "xml" in own else "plain")
    tree = body if template is None else filler.tree(template)
    if encoding == "json":
        return own or "application/json", _json(tree)
    return FORM_TYPE, _form(tree, nested=encoding == "form-nested")


class _Filler:
    """Fills placeholders with values, and notes those that have none."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values
        self.unknown: dict[str, None] = {}

    def value(self, part: Variable | Odd) -> Any:
        found = select(part.path, self._values) if isinstance(part, Variable) else msgspec.UNSET
        if found is msgspec.UNSET:
            self.unknown[part.path if isinstance(part, Variable) else part.text] = None
            return None
        return found

    def text(self, text: str, form: Form, mended: Callable[[str], str] = str) -> Written:
        written: Written = []
        for part in parts(text):
            match part:
                case str():
                    written.append(part)
                case SecretName():
                    written.append(Slot(part.name, form))
                case _:
                    written.append(FORMS[form](mended(_plain(self.value(part)))))
        return written

    def json_text(self, text: str) -> Written:
        written: Written = []
        for part, quoted in _with_quotes(text):
            match part:
                case str():
                    written.append(part)
                case SecretName():
                    written.append(Slot(part.name, "json" if quoted else "quoted"))
                case _:
                    value = self.value(part)
                    written.append(FORMS["json"](_plain(value)) if quoted else _dumped(value))
        return written

    def tree(self, template: Any) -> Any:
        if isinstance(template, Mapping):
            return {key: self.tree(child) for key, child in template.items()}
        if isinstance(template, list | tuple):
            return [self.tree(child) for child in template]
        if not isinstance(template, str):
            return template
        found = parts(template)
        if len(found) == 1 and isinstance(found[0], Variable | Odd):
            return self.value(found[0])
        filled = tuple(part if isinstance(part, str | SecretName) else _plain(self.value(part)) for part in found)
        if any(isinstance(part, SecretName) for part in filled):
            return Text(filled)
        return "".join(str(part) for part in filled)


def _with_quotes(text: str) -> Iterator[tuple[str | Variable | SecretName | Odd, bool]]:
    """The parts of a JSON text, and whether each placeholder stands within a string."""
    quoted = escaped = False
    for part in parts(text):
        if not isinstance(part, str):
            yield part, quoted
            continue
        for char in part:
            if escaped:
                escaped = False
            elif char == "\\":
                escaped = quoted
            elif char == '"':
                quoted = not quoted
        yield part, quoted


def _json(tree: Any) -> Written:
    match tree:
        case Text():
            inner: Written = [
                FORMS["json"](part) if isinstance(part, str) else Slot(part.name, "json") for part in tree.parts
            ]
            return ['"', *inner, '"']
        case dict():
            return _enclosed("{", [[_dumped(str(key)), ":", *_json(child)] for key, child in tree.items()], "}")
        case list() | tuple():
            return _enclosed("[", [_json(child) for child in tree], "]")
        case _:
            return [_dumped(tree)]


def _enclosed(before: str, children: list[Written], after: str) -> Written:
    written: Written = [before]
    for index, child in enumerate(children):
        written += [",", *child] if index else child
    return [*written, after]


def _form(tree: Any, *, nested: bool) -> Written:
    written: Written = []
    for name, value in _pairs(tree, nested):
        written += ["&"] if written else []
        written += [quote_plus(name, safe="[]"), "=", *value]
    return written


def _pairs(tree: Any, nested: bool, name: str = "") -> Iterator[tuple[str, Written]]:
    """Names and values of a form; null is dropped."""
    match tree:
        case None:
            return
        case Text():
            yield name, [quote_plus(part) if isinstance(part, str) else Slot(part.name, "form") for part in tree.parts]
        case dict() if nested or not name:
            for key, child in tree.items():
                yield from _pairs(child, nested, f"{name}[{key}]" if name else str(key))
        case list() | tuple() if nested or not name:
            for index, child in enumerate(tree):
                yield from _pairs(child, nested, f"{name}[{index}]")
        case dict() | list() | tuple():
            yield name, [part if isinstance(part, Slot) else quote_plus(part) for part in _json(tree)]
        case _:
            yield name, [quote_plus(_plain(tree))]


def _assembled(where: str, written: Iterable[str | Slot], places: list[SecretPlace]) -> str:
    text = ""
    for part in written:
        if isinstance(part, Slot):
            shown = f"{{{{secret:{part.name}}}}}"
            places.append(SecretPlace(where, len(text), len(text) + len(shown), part.name, part.form))
            text += shown
        else:
            text += part
    return text


def _plain(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else _dumped(value)


def _on_one_line(text: str) -> str:
    return _CONTROLS.sub(" ", text).strip()


def _dumped(value: Any) -> str:
    return msgspec.json.encode(value).decode()
