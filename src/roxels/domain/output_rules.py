"""What keeps an output from being delivered as it is written, and what is allowed but may not be meant.

Faults refuse the template; warnings are told when it is saved, and name every variable that can never have a value.
A credential stands in no template: it belongs into a secret, which templates name (`{{secret:crm}}`).
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, get_args

from roxels.domain.placeholders import Odd, SecretName, Variable, is_selector, parts, placeholders, texts
from roxels.domain.rendering import content_type_of, is_json
from roxels.domain.templates import BodyEncoding, Method, Output, read_output

#: A path and what is to be said of it.
Remark = tuple[str, str]

CONFIG = frozenset(
    "url method headers body_template schema raw_payload body_encoding streaming trigger_goal response_capture "
    "commit_policy invariants".split()
)
#: Set by Roxels: framing, routing, and what receivers go by.
OURS = frozenset(
    "host content-length transfer-encoding connection upgrade te trailer expect idempotency-key x-roxels-signature "
    "x-roxels-test webhook-id webhook-timestamp webhook-signature".split()
)
#: Variables without a part of their own, and objects with fixed keys.
SINGLE = frozenset("external_id person_id commit_id committed_at revision data context context_from_browser".split())
FIXED = frozenset("identity.proof session.id interview.id template.id goal.id".split())
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_CREDENTIAL = re.compile(
    r"^(?:Bearer|Basic)\s+\S{10,}|^sk_(?:live|test)_|^rk_(?:live|test)_|^whsec_|^ghp_|^ghs_|^github_pat_", re.IGNORECASE
)
_LONG_TOKEN = re.compile(r"^[A-Za-z0-9+/]{40,}={0,2}$")
_USER = re.compile(r"^https?://[^/?#\\]*@", re.IGNORECASE)
_AUTHORITY = re.compile(r"^https?://([^/?#]*)", re.IGNORECASE)
POINTER = "holds a credential; keep it with POST /v1/secrets and write {{secret:<its name>}} here"


def faults(config: Mapping[str, Any], goal_ids: Collection[str]) -> Iterator[Remark]:
    """All that keeps this `config` of a webhook from being used; paths begin below `config`."""
    yield from _of_url(config.get("url"))
    for key, (fits, message) in _RULES.items():
        if config.get(key) is not None and not fits(config[key]):
            yield key, message
    if isinstance(config.get("headers"), Mapping):
        yield from _of_headers(config["headers"])
    if config.get("raw_payload") is True and config.get("body_template") is not None:
        yield "body_template", "cannot stand beside `raw_payload`, which sends the data alone; leave one of them out"
    trigger = config.get("trigger_goal")
    if isinstance(trigger, str) and goal_ids and trigger not in goal_ids:
        yield "trigger_goal", "names no goal of this template"
    for path, text in texts(config.get("body_template"), "body_template"):
        if _CREDENTIAL.search(_without_placeholders(text)):
            yield path, POINTER


def warnings(
    config: Mapping[str, Any], fields: Collection[str] | None, missing: Collection[str] = ()
) -> Iterator[tuple[str, str, str]]:
    """(rule, path, message) of what is allowed but may not be meant.

    `fields`: those that `data` will hold. `missing`: names of secrets that are not there.
    """
    output = read_output("webhook", config)
    yield from missing_secrets(_templated(output), missing)
    yield from _of_syntax(output)
    for path, part in placeholders(_templated(output)):
        message = _unknown(part, fields)
        if message:
            yield "unknown_variable", path, message
    if output.raw_payload:
        yield (
            "raw_payload",
            "raw_payload",
            "The body is the data alone: nothing in it says whose it is. Name the person in the URL or a header, e.g. "
            "{{external_id}}.",
        )
    if output.streaming and (output.raw_payload or output.body_template is not None):
        yield (
            "streaming",
            "streaming",
            "Only commits have the body that is written here; the events during the conversation have one of ours "
            '(`"event": "understanding"`), and go to the same address.',
        )
    text = output.body_template
    is_sent_as_json = output.body_encoding in (None, "json")
    if isinstance(text, str) and is_sent_as_json and not is_json(text) and not content_type_of(output):
        yield "not_json", "body_template", "This is no JSON, so it is sent as text/plain; set a Content-Type header."
    for key in config:
        if key not in CONFIG:
            yield "unknown_key", key, f"`{key}` is kept as written but means nothing here."


def missing_secrets(value: Any, missing: Collection[str]) -> Iterator[tuple[str, str, str]]:
    """(rule, path, message) of every place that names a secret which is not there."""
    for path, part in placeholders(value):
        if isinstance(part, SecretName) and part.name in missing:
            message = f"{{{{secret:{part.name}}}}} names no secret that is here: keep it with POST /v1/secrets first."
            yield "missing_secret", path, message


def _of_syntax(output: Output) -> Iterator[tuple[str, str, str]]:
    """What looks like a template's syntax and is none here."""
    for path, text in texts(_templated(output)):
        if any(isinstance(part, str) and "{{" in part for part in parts(text)):
            yield "unclosed_placeholder", path, "A `{{` is not closed by `}}`, so it is sent as it stands."
    for path, text in texts(output.body_template, "body_template"):
        if "{%" in text or "{#" in text:
            yield (
                "unsupported_syntax",
                path,
                "`{% %}` and `{# #}` are kept as text: templates fill in values and run nothing.",
            )


def secrets_of(raw: Any) -> set[str]:
    """The names of the secrets that stand anywhere in a template."""
    return {part.name for _, part in placeholders(raw) if isinstance(part, SecretName)}


def _templated(output: Output) -> dict[str, Any]:
    return {"url": output.url, "headers": output.headers, "body_template": output.body_template}


def _unknown(part: Variable | SecretName | Odd, fields: Collection[str] | None) -> str | None:
    match part:
        case SecretName():
            return None
        case Odd():
            return f"`{{{{{part.text}}}}}` is no variable: write a plain path such as {{{{data.company}}}}."
        case Variable():
            root, _, rest = part.path.partition(".")
            name = re.split(r"[.\[]", rest)[0]
            if part.path in SINGLE or part.path in FIXED or (root == "context" and rest):
                return None
            if root == "data" and rest:
                known = fields is None or name in fields
                return None if known else f"`{name}` is no field of the goal, so {{{{{part.path}}}}} stays empty."
            return f"{{{{{part.path}}}}} is not known and stays empty; see the list of variables."


def _of_url(url: object) -> Iterator[Remark]:
    authority = _AUTHORITY.match(url) if isinstance(url, str) else None
    if not isinstance(url, str) or authority is None:
        yield "url", "must be an http or https address"
    elif "{{" in authority.group(1) or "}}" in authority.group(1):
        yield "url", "must not have a placeholder in its host or port: write the host out; path and query may have them"
    elif "\\" in authority.group(1) or not authority.group(1):
        yield "url", "must be an http or https address"
    elif _USER.match(url):
        yield "url", "must not hold a user name or password; " + POINTER
    elif any(_CREDENTIAL.search(each) for each in re.split(r"[/?&=#]", _without_placeholders(url))):
        yield "url", POINTER


def _of_headers(headers: Mapping[str, Any]) -> Iterator[Remark]:
    for name, value in headers.items():
        path = f"headers.{name}"
        if not _HEADER_NAME.fullmatch(str(name)) or not isinstance(value, str):
            yield path, "must be a header name with a string"
        elif name.lower() in OURS:
            yield path, "is set by Roxels; leave it out"
        elif re.search(r"[\r\n\0]", value):
            yield path, "must not hold a line break"
        elif _CREDENTIAL.search(rest := _without_placeholders(value)) or _LONG_TOKEN.search(rest):
            yield path, POINTER


def _without_placeholders(text: str) -> str:
    return re.sub(r"\{\{.*?\}\}", "", text, flags=re.DOTALL)


def _is_capture(value: object) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(key, str) and re.fullmatch(r"[\w-]+", key) and key != "external_id" and is_selector(selector)
        for key, selector in value.items()
    )


def _is_list_of(choices: tuple[str, ...]) -> tuple[Callable[[object], bool], str]:
    return lambda value: isinstance(value, str) and value in choices, f"must be one of {', '.join(choices)}"


_RULES: dict[str, tuple[Callable[[object], bool], str]] = {
    "method": _is_list_of(get_args(Method)),
    "body_encoding": _is_list_of(get_args(BodyEncoding)),
    "headers": (lambda value: isinstance(value, Mapping), "must be an object of header: string"),
    "body_template": (lambda value: isinstance(value, str | Mapping | list), "must be a string, an object or a list"),
    "schema": (lambda value: isinstance(value, Mapping), "must be an object"),
    "raw_payload": (lambda value: isinstance(value, bool), "must be true or false"),
    "streaming": (lambda value: isinstance(value, bool), "must be true or false"),
    "trigger_goal": (lambda value: isinstance(value, str), "must be a string"),
    "response_capture": (
        _is_capture,
        'must be an object of key: selector, e.g. {"ticket_id": "data.id"}; the key `external_id` is ours',
    ),
}
