"""The REST application: routes, errors and what every request passes, put together around its services."""

import json
import re
from functools import cache
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter
from starlette.routing import Route, compile_path

from roxels.api import errors, reference, shapes
from roxels.api.errors import Address
from roxels.api.middleware import Bounds, Faults, Headers, RequestCounter
from roxels.api.once import HEADER, MAX_KEY
from roxels.api.routes import (
    audit,
    browser,
    deliveries,
    embed_keys,
    erasing,
    health,
    installation,
    interviews,
    jobs,
    keys,
    lifecycle,
    persons,
    rehearsals,
    retention,
    secrets,
    templates,
)
from roxels.api.services import Services

ABOUT = """Put an AI conversation into your product that knows who it talks to and carries on exactly where it left off.

Send your secret key as `Authorization: Bearer sk_test_…`; it decides the environment, `test` or `live`, and nothing
crosses between them. Bodies and answers are JSON; times are RFC 3339 in UTC. Lists are
`{items, next_cursor, has_more}`, and `cursor` goes on with them. A POST with your secret key and an `Idempotency-Key`
is done once within 24 hours, however often it is sent; requests with an embed key or a session's token have no such
key. Every refusal is `{"error": {"code", "message", "field"?}}`; a method that an address
does not take is one too (405, with `Allow`)."""

TAGS = [
    {"name": "Conversations", "description": "Open, read and end conversations."},
    {"name": "Persons", "description": "Who they are with, by your own ids."},
    {"name": "Templates", "description": "What they are about, in versions."},
    {"name": "Embed keys", "description": "Publishable keys for your pages."},
    {"name": "Browser", "description": "What the embed calls; also usable with curl."},
    {"name": "Deliveries", "description": "What was sent to your webhooks, and sending it again."},
    {"name": "Lifecycle webhooks", "description": "Addresses that are told what happens."},
    {"name": "Jobs", "description": "Long work and its progress: erasing many, exporting."},
    {"name": "Receipts", "description": "What was erased, signed and chained."},
    {"name": "Retention", "description": "For how long what is kept."},
    {"name": "Audit", "description": "Who did what of consequence."},
    {"name": "Keys and secrets", "description": "Secret keys and webhook secrets."},
    {"name": "Installation", "description": "What it runs with."},
    {"name": "Health", "description": "For load balancers and monitoring."},
]

#: What every operation below `/v1` may answer instead, by status. Added to the description at its end: a model per
#: route and status costs half a second. No 405: what is described takes its method. No 503: only `/readyz` says it.
REFUSALS = {
    "400": "Something in the request cannot be meant; `field` says what.",
    "401": "No key, or one that does not hold.",
    "403": "A good key without this right.",
    "404": "Nothing there that this key can see.",
    "409": "The state moved on, or an `Idempotency-Key` was used before.",
    "413": "The body is larger than 1 MB.",
    "429": "Too often; wait for the seconds in `Retry-After`.",
    "500": "A fault of ours. Nothing that was acknowledged is lost; try again.",
}

#: What a POST with a secret key may carry; see `api.once`. Previews do nothing that could be done twice.
IDEMPOTENCY_KEY = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY, "pattern": "^[ -~]+$"},
    "description": "Your name for this request: sent again within 24 hours, it is answered again and done once.",
}
PREVIEWS = ("preview_output", "preview_retention")

#: Where each resource stands, and whether the description shows it there.
RESOURCES: list[tuple[str, APIRouter, bool]] = [
    ("/v1/interviews", jobs.conversations, True),
    ("/v1/conversations", jobs.conversations, False),
    ("/v1/interviews", interviews.router, True),
    ("/v1/conversations", interviews.router, False),
    ("/v1/interviews", erasing.conversations, True),
    ("/v1/conversations", erasing.conversations, False),
    ("", jobs.router, True),
    ("", audit.router, True),
    ("", retention.router, True),
    ("", persons.router, True),
    ("", erasing.router, True),
    ("", templates.router, True),
    ("", rehearsals.router, True),
    ("", embed_keys.router, True),
    ("", browser.router, True),
    ("", deliveries.router, True),
    ("", lifecycle.router, True),
    ("", keys.router, True),
    ("", secrets.router, True),
    ("", installation.router, True),
]


def build_api(services: Services) -> FastAPI:
    """The application, ready to serve. Other rooms may add routes to it."""
    app = _bare()
    app.state.services = services
    app.router.routes.extend(reference.routes(document))
    errors.install(app, addresses())
    app.add_middleware(Bounds)  # what is added later stands further out
    app.add_middleware(Faults)
    app.add_middleware(RequestCounter, registry=services.registry)
    app.add_middleware(Headers)
    return app


def _bare() -> FastAPI:
    app = FastAPI(
        title="Roxels",
        version=version("roxels"),
        description=ABOUT,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        strict_content_type=False,
        generate_unique_id_function=lambda route: route.name,
    )
    for prefix, router, is_described in RESOURCES:
        app.include_router(router, prefix=prefix, include_in_schema=is_described)
    app.include_router(health.router)
    return app


def addresses() -> list[Address]:
    """Every address with its methods."""
    known = [(prefix, router) for prefix, router, _ in RESOURCES] + [("", health.router)]
    return [
        (compile_path(prefix + route.path)[0], frozenset(route.methods or ()))
        for prefix, router in known
        for route in router.routes
        if isinstance(route, Route)
    ]


@cache
def document() -> dict[str, Any]:
    """The description of all of it, in OpenAPI 3.1."""
    app = _bare()
    made = get_openapi(
        title=app.title,
        version=app.version,
        description=ABOUT,
        routes=app.routes,
        tags=TAGS,
        separate_input_output_schemas=False,
    )
    for path, methods in made["paths"].items():
        for method, operation in methods.items():
            is_secrets = {"secret_key": []} in operation.get("security", ())
            if method == "post" and is_secrets and operation["operationId"] not in PREVIEWS:
                operation.setdefault("parameters", []).append(IDEMPOTENCY_KEY)
            operation["responses"].pop("422", None)  # refusals of bodies are 400 here
            if path.startswith("/v1/"):
                operation["responses"] |= _refusals_of(operation)
            operation["summary"] = re.split(r"[.:;](?:\s|$)", operation["description"])[0]
    schemas = made["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    error = TypeAdapter(shapes.Error).json_schema(ref_template="#/components/schemas/{model}")
    schemas |= error.pop("$defs") | {"Error": error}
    made["components"]["schemas"] = dict(sorted(schemas.items()))
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    made["components"]["responses"] = {
        f"Refusal{status}": {"description": description, "content": content} for status, description in REFUSALS.items()
    }
    return _plainly_named(made)


def _refusals_of(operation: dict[str, Any]) -> dict[str, Any]:
    """What this operation may answer instead, by reference: it is the same everywhere."""
    return {
        status: {"$ref": f"#/components/responses/Refusal{status}"}
        for status in REFUSALS
        if status != "413" or "requestBody" in operation
    }


def _plainly_named(made: dict[str, Any]) -> dict[str, Any]:
    """The description with `PageOfPerson` for what the framework calls `Page_Person_`."""
    text = json.dumps(made).replace("Page_dict_str__Any__", "PageOfTemplate")
    named: dict[str, Any] = json.loads(re.sub(r"\bPage_(\w+)_\b", r"PageOf\1", text))
    return named
