"""The API's description: as OpenAPI for programs, and as one page for people that is made from it. No script needed."""

import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

HERE = Path(__file__).parent
POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
SHORTLY = "public, max-age=300"

#: The description in OpenAPI; made when somebody first asks, since making it takes a while.
Document = Callable[[], dict[str, Any]]
Schema = Mapping[str, Any]

KEYS = {"secret_key": "Secret key", "embed_key": "Embed key", "session_token": "Session token"}


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A parameter or a field."""

    name: str
    kind: Markup
    text: Markup
    is_required: bool = False
    where: str = ""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What may come back."""

    status: str
    kind: Markup
    text: Markup


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that can be asked for."""

    id: str
    method: str
    path: str
    title: str
    text: Markup
    key: str
    parameters: list[Row]
    body: list[Row]
    body_text: Markup
    example: str
    answers: list[Answer]


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """The operations of one resource."""

    id: str
    name: str
    text: Markup
    operations: list[Operation]


class Thing(msgspec.Struct, frozen=True, kw_only=True):
    """One object of the API."""

    name: str
    text: Markup
    fields: list[Row]


def routes(document: Document) -> list[Route]:
    """`/openapi.json` and `/docs`."""
    style = (HERE / "reference.css").read_bytes()

    @cache
    def written() -> str:
        return page(document())

    async def described(_request: Request) -> Response:
        return JSONResponse(document(), headers={"Access-Control-Allow-Origin": "*", "Cache-Control": SHORTLY})

    async def shown(_request: Request) -> Response:
        headers = {"Content-Security-Policy": POLICY, "Cache-Control": SHORTLY}
        return Response(written(), media_type="text/html; charset=utf-8", headers=headers)

    async def styled(_request: Request) -> Response:
        return Response(style, media_type="text/css; charset=utf-8", headers={"Cache-Control": SHORTLY})

    return [Route("/openapi.json", described), Route("/docs", shown), Route("/docs/reference.css", styled)]


def page(document: Schema) -> str:
    """The page for people."""
    environment = Environment(loader=FileSystemLoader(HERE), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    info, schemas = document["info"], document["components"]["schemas"]
    return environment.get_template("reference.html").render(
        title=info["title"],
        version=info["version"],
        about=[prose(part) for part in info["description"].split("\n\n")],
        groups=list(_groups(document)),
        things=[_thing(name, schema) for name, schema in schemas.items() if "properties" in schema],
    )


def prose(text: str) -> Markup:
    """A text of ours with its `code`, as HTML."""
    parts = " ".join(text.split()).split("`")
    return Markup().join(
        Markup("<code>{}</code>").format(part) if index % 2 else escape(part) for index, part in enumerate(parts)
    )


def kind(schema: Schema) -> Markup:
    """What a value is, in words, with links to our objects."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return Markup('<a href="#object-{0}">{0}</a>').format(name)
    if "anyOf" in schema:
        return Markup(" or ").join(kind(each) for each in schema["anyOf"])
    if "enum" in schema:
        return Markup(" · ").join(Markup("<code>{}</code>").format(choice) for choice in schema["enum"])
    if "const" in schema:
        return Markup("<code>{}</code>").format(schema["const"])
    if schema.get("type") == "array":
        return Markup("list of {}").format(kind(schema.get("items", {})))
    if schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), dict):
        return Markup("object of {}").format(kind(schema["additionalProperties"]))
    if schema.get("format") == "date-time":
        return Markup("time")
    return escape(schema.get("type", "anything"))


def _groups(document: Schema) -> Iterator[Group]:
    for tag in document["tags"]:
        name = tag["name"]
        operations = [
            _operation(path, method, operation, document["components"])
            for path, methods in document["paths"].items()
            for method, operation in methods.items()
            if name in operation.get("tags", ())
        ]
        yield Group(id=_slug(name), name=name, text=prose(tag["description"]), operations=operations)


def _operation(path: str, method: str, operation: Schema, components: Schema) -> Operation:
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    target = _resolved(body, components["schemas"])
    keys = [KEYS[name] for scheme in operation.get("security", ()) for name in scheme]
    return Operation(
        id=operation["operationId"],
        method=method.upper(),
        path=path,
        title=operation["summary"],
        text=prose(operation.get("description", "")),
        key=keys[0] if keys else "",
        parameters=[_parameter(each) for each in operation.get("parameters", ())],
        body=_rows(target),
        body_text=prose(target.get("description", "")),
        example=_example(path, method, operation, target),
        answers=[
            _answer(status, _resolved(answer, components["responses"]))
            for status, answer in operation["responses"].items()
        ],
    )


def _resolved(part: Schema, parts: Schema) -> Schema:
    """This, or what it refers to."""
    return parts[part["$ref"].rpartition("/")[2]] if "$ref" in part else part


def _parameter(parameter: Schema) -> Row:
    return Row(
        name=parameter["name"],
        kind=kind(_without_null(parameter["schema"])),
        text=prose(parameter.get("description", "")),
        is_required=parameter.get("required", False),
        where={"path": "in the path", "query": "in the query", "header": "header"}[parameter["in"]],
    )


def _rows(schema: Schema) -> list[Row]:
    required = schema.get("required", ())
    return [
        Row(name=name, kind=kind(each), text=prose(each.get("description", "")), is_required=name in required)
        for name, each in schema.get("properties", {}).items()
    ]


def _answer(status: str, answer: Schema) -> Answer:
    schema = answer.get("content", {}).get("application/json", {}).get("schema")
    return Answer(
        status=status,
        kind=kind(schema) if schema else Markup(),
        text=prose("" if status.startswith("2") else answer["description"]),
    )


def _thing(name: str, schema: Schema) -> Thing:
    return Thing(name=name, text=prose(schema.get("description", "")), fields=_rows(schema))


def _example(path: str, method: str, operation: Schema, body: Schema) -> str:
    """A call that can be pasted into a terminal."""
    flags = "" if method == "get" else f" -X {method.upper()}"
    lines = [f'curl{flags} "$ROXELS_URL{path}"']
    for scheme in operation.get("security", ()):
        lines += [f'  -H "Authorization: Bearer ${name.upper()}"' for name in scheme]
    if body:
        lines.append(f"  --json '{json.dumps(_sample(body), indent=2, ensure_ascii=False)}'")
    return " \\\n".join(lines)


def _sample(schema: Schema) -> Any:
    if schema.get("examples"):
        return schema["examples"][0]
    found = {}
    for name, each in schema.get("properties", {}).items():
        if each.get("examples"):
            found[name] = each["examples"][0]
        elif name in schema.get("required", ()):
            found[name] = ["…"] if each.get("type") == "array" else "…"
    return found


def _without_null(schema: Schema) -> Schema:
    rest = [each for each in schema.get("anyOf", ()) if each.get("type") != "null"]
    return rest[0] if len(rest) == 1 else schema


def _slug(name: str) -> str:
    return "about-" + name.lower().replace(" ", "-")
