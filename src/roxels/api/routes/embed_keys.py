"""Embed keys: publishable, each for one template. Made and revoked by a customer's server."""

from fastapi import APIRouter
from starlette.responses import Response

from roxels.actions import author, manage
from roxels.api import bodies, paging, shapes, views
from roxels.api.answers import Answer, reply
from roxels.api.auth import Secret
from roxels.api.reading import StrictRoute
from roxels.storage import keys
from roxels.storage.keys import EmbedKey
from roxels.storage.pages import Page, Span
from roxels.storage.transaction import Reading, Writing

router = APIRouter(prefix="/v1/embed/keys", route_class=StrictRoute, tags=["Embed keys"])


@router.post("/{template_id}", status_code=201, response_model=shapes.EmbedKey)
async def create_embed_key(key: Secret, template_id: str, body: bodies.CreateEmbedKey) -> Response:
    """Make a publishable key for one template. A `live` key names the domains that may use it."""

    def work(tx: Writing) -> Answer:
        made = manage.create_embed_key(tx, template_id, body.allowed_domains, key.services.ids)
        key.note(tx, "embed_key.created", id=made.id)
        return Answer(body=views.embed_key(made), status=201)

    return await key.post(work)


@router.get("/{template_id}", response_model=shapes.Page[shapes.EmbedKey])
async def list_embed_keys(
    key: Secret, template_id: str, cursor: paging.After = None, limit: paging.Limit = 50
) -> Response:
    """List the keys of a template, revoked ones too, newest first."""
    found = await key.read(_keys, template_id, paging.span(cursor, limit))
    return reply(Answer(body=views.page(found, views.embed_key)))


@router.delete("/{key_id}", response_model=shapes.EmbedKey)
async def revoke_embed_key(key: Secret, key_id: str) -> Response:
    """Revoke a key, at once."""

    def work(tx: Writing) -> EmbedKey:
        key.note(tx, "embed_key.revoked", id=key_id)
        return manage.revoke_embed_key(tx, key_id)

    return reply(Answer(body=views.embed_key(await key.write(work))))


def _keys(tx: Reading, template_id: str, span: Span) -> Page[EmbedKey]:
    return keys.embed_keys_of(tx, author.current(tx, template_id).id, span)
