"""The secrets that outputs may name, in the caller's own environment. A value goes in, and never comes out."""

from fastapi import APIRouter
from starlette.responses import Response

from roxels.actions import secrets as keeping
from roxels.api import auth, bodies, paging, shapes, views
from roxels.api.answers import Answer, reply
from roxels.api.reading import StrictRoute
from roxels.storage import secrets as kept
from roxels.storage.secrets import Secret
from roxels.storage.transaction import Writing

router = APIRouter(prefix="/v1/secrets", route_class=StrictRoute, tags=["Keys and secrets"])


@router.post("", status_code=201, response_model=shapes.OutputSecret)
async def create_secret(key: auth.Secret, body: bodies.CreateOutputSecret) -> Response:
    """Keep a secret that outputs may name: `{{secret:crm}}`. Its value is sealed and never shown again."""
    services = key.services

    def work(tx: Writing) -> Answer:
        made = keeping.create(tx, body.name, body.value, body.description, services.ids, services.sealer)
        key.note(tx, "secret.created", id=made.id)
        return Answer(body=views.output_secret(made), status=201)

    return await key.post(work)


@router.get("", response_model=shapes.Page[shapes.OutputSecret])
async def list_secrets(key: auth.Secret, cursor: paging.After = None, limit: paging.Limit = 50) -> Response:
    """List the secrets that outputs may name, newest first, without their values."""
    found = await key.read(kept.listed, paging.span(cursor, limit))
    return reply(Answer(body=views.page(found, views.output_secret)))


@router.get("/{secret_id}", response_model=shapes.OutputSecret)
async def get_secret(key: auth.Secret, secret_id: str) -> Response:
    """Read a secret by its id or name, without its value."""
    return reply(Answer(body=views.output_secret(await key.read(keeping.get, secret_id))))


@router.patch("/{secret_id}", response_model=shapes.OutputSecret)
async def change_secret(key: auth.Secret, secret_id: str, body: bodies.ChangeOutputSecret) -> Response:
    """Give a secret another name or description. The name of one that a template uses stays."""

    def work(tx: Writing) -> Secret:
        changed = keeping.change(tx, secret_id, body.name, body.description)
        key.note(tx, "secret.changed", id=changed.id)
        return changed

    return reply(Answer(body=views.output_secret(await key.write(work))))


@router.put("/{secret_id}/value", response_model=shapes.OutputSecret)
async def set_secret(key: auth.Secret, secret_id: str, body: bodies.SecretValue) -> Response:
    """Give a secret another value: everything that is sent from now on has it, attempts under way too."""

    def work(tx: Writing) -> Secret:
        changed = keeping.set_value(tx, secret_id, body.value, key.services.sealer)
        key.note(tx, "secret.changed", id=changed.id)
        return changed

    return reply(Answer(body=views.output_secret(await key.write(work))))


@router.delete("/{secret_id}", response_model=shapes.OutputSecret)
async def delete_secret(key: auth.Secret, secret_id: str) -> Response:
    """Forget a secret. Refused with 409 while a template names it; the message says which."""

    def work(tx: Writing) -> Secret:
        removed = keeping.remove(tx, secret_id)
        key.note(tx, "secret.deleted", id=removed.id)
        return removed

    return reply(Answer(body=views.output_secret(await key.write(work), "deleted")))
