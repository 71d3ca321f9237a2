"""Secret keys, and what webhooks and identity tokens are signed with, each in the caller's own environment.

The three are of one shape, which `api.issued` tells. A value is shown once, when it is made.
"""

from collections.abc import Callable

from fastapi import APIRouter
from starlette.responses import Response

from roxels.actions import identify, manage
from roxels.api import bodies, paging, shapes, views
from roxels.api.answers import Answer, reply
from roxels.api.auth import Secret, SecretKey
from roxels.api.issued import API_KEYS, IDENTITY_SECRETS, WEBHOOK_SECRETS, Issued, K
from roxels.api.reading import StrictRoute
from roxels.storage.transaction import Writing

router = APIRouter(prefix="/v1", route_class=StrictRoute, tags=["Keys and secrets"])


@router.post("/keys", status_code=201, response_model=shapes.Secret)
async def create_key(key: Secret, body: bodies.CreateSecret) -> Response:
    """Make a secret key. Copy its `value` now: only a hash is kept."""
    services = key.services
    return await _make(key, API_KEYS, lambda tx: manage.create_api_key(tx, body.name, services.ids))


@router.get("/keys", response_model=shapes.Page[shapes.Secret])
async def list_keys(key: Secret, cursor: paging.After = None, limit: paging.Limit = 50) -> Response:
    """List the secret keys, revoked ones too, newest first, without their values."""
    return await _list(key, API_KEYS, cursor, limit)


@router.delete("/keys/{key_id}", response_model=shapes.Secret)
async def revoke_key(key: Secret, key_id: str) -> Response:
    """Revoke a secret key, at once."""
    return await _revoke(key, API_KEYS, key_id)


@router.post("/webhook-secrets", status_code=201, response_model=shapes.Secret)
async def create_webhook_secret(key: Secret, body: bodies.CreateSecret) -> Response:
    """Make a webhook secret. With two of them webhooks carry two signatures, so that receivers can change over."""
    services = key.services
    return await _make(
        key, WEBHOOK_SECRETS, lambda tx: manage.create_webhook_secret(tx, body.name, services.ids, services.sealer)
    )


@router.get("/webhook-secrets", response_model=shapes.Page[shapes.Secret])
async def list_webhook_secrets(key: Secret, cursor: paging.After = None, limit: paging.Limit = 50) -> Response:
    """List the webhook secrets, revoked ones too, newest first, without their values."""
    return await _list(key, WEBHOOK_SECRETS, cursor, limit)


@router.delete("/webhook-secrets/{secret_id}", response_model=shapes.Secret)
async def revoke_webhook_secret(key: Secret, secret_id: str) -> Response:
    """Revoke a webhook secret, at once: nothing is signed with it any more."""
    return await _revoke(key, WEBHOOK_SECRETS, secret_id)


@router.post("/identity-secrets", status_code=201, response_model=shapes.IdentitySecret)
async def create_identity_secret(key: Secret, body: bodies.CreateIdentitySecret) -> Response:
    """Make a way to sign identity tokens. Several are in force at once, so that your backend can change over."""
    services = key.services
    return await _make(
        key,
        IDENTITY_SECRETS,
        lambda tx: identify.create_secret(tx, body.name, body.alg, body.public_key, services.ids, services.sealer),
    )


@router.get("/identity-secrets", response_model=shapes.Page[shapes.IdentitySecret])
async def list_identity_secrets(key: Secret, cursor: paging.After = None, limit: paging.Limit = 50) -> Response:
    """List the identity secrets, revoked ones too, newest first, without their values."""
    return await _list(key, IDENTITY_SECRETS, cursor, limit)


@router.delete("/identity-secrets/{secret_id}", response_model=shapes.IdentitySecret)
async def revoke_identity_secret(key: Secret, secret_id: str) -> Response:
    """Revoke an identity secret, at once: no token that it signed is taken any more, and the visits that it let in end.

    Browsers that only it verified are not verified any more.
    """
    return await _revoke(key, IDENTITY_SECRETS, secret_id)


async def _make(key: SecretKey, issued: Issued[K], made: Callable[[Writing], tuple[K, str | None]]) -> Response:
    def work(tx: Writing) -> Answer:
        kept, value = issued.make(tx, made, key.services.audit, key.actor)
        return Answer(body=issued.shown(kept, value), status=201, shows_secret_of=kept.id if value else None)

    return await key.post(work)


async def _list(key: SecretKey, issued: Issued[K], cursor: str | None, limit: int) -> Response:
    found = await key.read(issued.listed, paging.span(cursor, limit))
    return reply(Answer(body=views.page(found, lambda kept: issued.shown(kept, None))))


async def _revoke(key: SecretKey, issued: Issued[K], id: str) -> Response:
    revoked = await key.write(issued.revoke, id, key.services.audit, key.actor)
    return reply(Answer(body=issued.shown(revoked, None)))
