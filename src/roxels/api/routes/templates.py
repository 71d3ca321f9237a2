"""Templates: the design of conversations, in immutable versions."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Header, Query
from starlette.responses import Response

from roxels.actions import author
from roxels.api import paging, shapes, views
from roxels.api.answers import Answer, reply
from roxels.api.auth import Secret
from roxels.api.reading import StrictRoute
from roxels.domain.errors import Invalid, NotFound
from roxels.storage import templates
from roxels.storage.templates import StoredTemplate, VersionOutline
from roxels.storage.transaction import Reading, Writing

router = APIRouter(prefix="/v1/templates", route_class=StrictRoute, tags=["Templates"])

EXAMPLE = {
    "name": "Onboarding",
    "goals": [
        {
            "id": "company",
            "type": "structured",
            "prompt": "Learn about the company",
            "schema": {
                "type": "object",
                "properties": {"company": {"type": "string", "description": "What is your company called?"}},
                "required": ["company"],
            },
            "outputs": [{"type": "webhook", "config": {"url": "https://example.com/hooks/roxels"}}],
        }
    ],
    "settings": {"greeting": "Hello {{person.name}}!", "embedded": {"resumption": True}},
}
Written = Annotated[
    dict[str, Any], Body(description="Kept as written, keys that mean nothing here too.", examples=[EXAMPLE])
]
Number = Annotated[str | None, Header(alias="If-Match", description="The version that you read, e.g. `3`.")]


@router.post("", status_code=201, response_model=dict[str, Any])
async def create_template(key: Secret, body: Written) -> Response:
    """Write a template. All faults are told at once, each with its path, under `error.faults`."""

    def work(tx: Writing) -> Answer:
        return _answer(tx, author.create(tx, body, key.services.ids), 201)

    return await key.post(work)


@router.get("", response_model=shapes.Page[dict[str, Any]])
async def list_templates(key: Secret, cursor: paging.After = None, limit: paging.Limit = 50) -> Response:
    """List templates, newest first, without their goals and settings."""
    found = await key.read(templates.listed, paging.span(cursor, limit))
    return reply(Answer(body=views.page(found, views.template_item)))


@router.get("/{template_id}", response_model=dict[str, Any])
async def get_template(key: Secret, template_id: str) -> Response:
    """Read a template as it was written, in its published version; `ETag` is the version."""
    return reply(await key.read(lambda tx: _answer(tx, author.current(tx, template_id))))


@router.patch("/{template_id}", response_model=dict[str, Any])
async def patch_template(
    key: Secret,
    template_id: str,
    body: Written,
    publish: Annotated[bool, Query(description="`false` keeps a draft; publish it later.")] = True,
    if_match: Number = None,
) -> Response:
    """Replace the top-level keys that are sent; the others stay. Makes a new version and publishes it.

    Conversations stay on the version that they began with. With `If-Match` a change over somebody else's is refused
    with 409.
    """
    expected = _expected(if_match)

    def work(tx: Writing) -> Answer:
        return _answer(tx, author.change(tx, template_id, body, publish=publish, expected=expected))

    return reply(await key.write(work))


@router.get("/{template_id}/versions", response_model=shapes.Page[shapes.TemplateVersion])
async def list_versions(key: Secret, template_id: str) -> Response:
    """List all versions of a template, oldest first, on one page."""
    found = await key.read(_history, template_id)
    items = [views.template_version(template_id, outline) for outline in found]
    return reply(Answer(body={"items": items, "next_cursor": None, "has_more": False}))


@router.get("/{template_id}/versions/{number}", response_model=dict[str, Any])
async def get_version(key: Secret, template_id: str, number: int) -> Response:
    """Read one version of a template."""
    return reply(await key.read(lambda tx: _answer(tx, author.version(tx, template_id, _small(number)))))


@router.post("/{template_id}/versions/{number}/publish", response_model=dict[str, Any])
async def publish_version(key: Secret, template_id: str, number: int, if_match: Number = None) -> Response:
    """Make a version the one that new conversations begin with.

    With `If-Match`, the version that is published as far as you know, it is refused with 409 where another is by now.
    """
    expected = _expected(if_match)

    def work(tx: Writing) -> Answer:
        return _answer(tx, author.publish(tx, template_id, _small(number), expected=expected))

    return await key.post(work)


def _answer(tx: Reading, kept: StoredTemplate, status: int = 200) -> Answer:
    """`If-Match` speaks of the published version, so no other has an `ETag`."""
    headers = {"ETag": f'"{kept.version}"'} if kept.version == kept.active_version else {}
    return Answer(body=views.template(kept, author.missing_secrets(tx, kept)), status=status, headers=headers)


def _history(tx: Reading, template_id: str) -> list[VersionOutline]:
    found = templates.history(tx, template_id)
    if not found:
        raise NotFound("There is no template with this id in this environment.")
    return found


def _expected(if_match: str | None) -> int | None:
    if if_match is None or if_match.strip() == "*":
        return None
    number = if_match.strip().removeprefix("W/").strip('"')
    if not number.isascii() or not number.isdigit() or len(number) > 9:
        raise Invalid("`If-Match` must be the number of a version, e.g. `3`.", field="If-Match")
    return int(number)


def _small(number: int) -> int:
    """A number that may be a version; far larger ones do not fit into the database's columns."""
    if not 0 < number < 2**31:
        raise NotFound("This template has no version of that number.")
    return number
