"""Secret keys, and what webhooks and identity tokens are signed with, each in the caller's own environment.

A value is shown once, when it is made.
"""

from fastapi import APIRouter
from starlette.responses import Response

from roxels.actions import identify, manage
from roxels.api import bodies, paging, shapes, views
from roxels.api.answers import Answer, reply
from roxels.api.auth import Secret
from roxels.api.reading import StrictRoute
from roxels.storage import identities, keys
from roxels.storage.identities import IdentitySecret
from roxels.storage.keys import ApiKey, WebhookSecret
from roxels.storage.transaction import Writing

router = APIRouter(prefix="/v1", route_class=StrictRoute, tags=["Keys and secrets"])


@router.post("/keys", status_code=201, response_model=shapes.Secret)
async def create_key(key: Secret, body: bodies.CreateSecret) -> Response:
    """Make a secret key. Copy its `value` now: only a hash is kept."""

    def work(tx: Writing) -> Answer:
        made, value = manage.create_api_key(tx, body.name, key.services.ids)
        key.note(tx, "key.created", id=made.id)
        return Answer(body=views.secret(made, value), status=201, shows_secret_of=made.id)

    return await key.post(work)


@router.get("/keys", response_model=shapes.Page[shapes.Secret])
async def list_keys(key: Secret, cursor: paging.After = None, limit: paging.Limit = 50) -> Response:
    """List the secret keys, revoked ones too, newest first, without their values."""
    found = await key.read(keys.api_keys_page, paging.span(cursor, limit))
    return reply(Answer(body=views.page(found, views.secret)))


@router.delete("/keys/{key_id}", response_model=shapes.Secret)
async def revoke_key(key: Secret, key_id: str) -> Response:
    """Revoke a secret key, at once."""

    def work(tx: Writing) -> ApiKey:
        key.note(tx, "key.revoked", id=key_id)
        return manage.revoke_api_key(tx, key_id)

    return reply(Answer(body=views.secret(await key.write(work))))


@router.post("/webhook-secrets", status_code=201, response_model=shapes.Secret)
async def create_webhook_secret(key: Secret, body: bodies.CreateSecret) -> Response:
    """Make a webhook secret. With two of them webhooks carry two signatures, so that receivers can change over."""
    services = key.services

    def work(tx: Writing) -> Answer:
        made, value = manage.create_webhook_secret(tx, body.name, services.ids, services.sealer)
        key.note(tx, "webhook_secret.created", id=made.id)
        return Answer(body=views.secret(made, value), status=201, shows_secret_of=made.id)

    return await key.post(work)


@router.get("/webhook-secrets", response_model=shapes.Page[shapes.Secret])
async def list_webhook_secrets(key: Secret, cursor: paging.After = None, limit: paging.Limit = 50) -> Response:
    """List the webhook secrets, revoked ones too, newest first, without their values."""
    found = await key.read(keys.webhook_secrets_page, paging.span(cursor, limit))
    return reply(Answer(body=views.page(found, views.secret)))


@router.delete("/webhook-secrets/{secret_id}", response_model=shapes.Secret)
async def revoke_webhook_secret(key: Secret, secret_id: str) -> Response:
    """Revoke a webhook secret, at once: nothing is signed with it any more."""

    def work(tx: Writing) -> WebhookSecret:
        key.note(tx, "webhook_secret.revoked", id=secret_id)
        return manage.revoke_webhook_secret(tx, secret_id)

    return reply(Answer(body=views.secret(await key.write(work))))


@router.post("/identity-secrets", status_code=201, response_model=shapes.IdentitySecret)
async def create_identity_secret(key: Secret, body: bodies.CreateIdentitySecret) -> Response:
    """Make a way to sign identity tokens. Several are in force at once, so that your backend can change over."""
    services = key.services

    def work(tx: Writing) -> Answer:
        made, value = identify.create_secret(tx, body.name, body.alg, body.public_key, services.ids, services.sealer)
        key.note(tx, "identity_secret.created", id=made.id)
        shown = views.identity_secret(made, value)
        return Answer(body=shown, status=201, shows_secret_of=made.id if value else None)

    return await key.post(work)


@router.get("/identity-secrets", response_model=shapes.Page[shapes.IdentitySecret])
async def list_identity_secrets(key: Secret, cursor: paging.After = None, limit: paging.Limit = 50) -> Response:
    """List the identity secrets, revoked ones too, newest first, without their values."""
    found = await key.read(identities.listed, paging.span(cursor, limit))
    return reply(Answer(body=views.page(found, views.identity_secret)))


@router.delete("/identity-secrets/{secret_id}", response_model=shapes.IdentitySecret)
async def revoke_identity_secret(key: Secret, secret_id: str) -> Response:
    """Revoke an identity secret, at once: no token that it signed is taken any more."""

    def work(tx: Writing) -> IdentitySecret:
        key.note(tx, "identity_secret.revoked", id=secret_id)
        return identify.revoke_secret(tx, secret_id)

    return reply(Answer(body=views.identity_secret(await key.write(work))))
