"""Lifecycle webhooks: addresses that are told what happens in an environment."""

from fastapi import APIRouter
from starlette.responses import Response

from roxels.actions import lifecycle as keeping
from roxels.api import bodies, outgoing, paging, shapes, views
from roxels.api.answers import Answer, reply
from roxels.api.auth import Secret
from roxels.api.reading import StrictRoute
from roxels.storage import lifecycle
from roxels.storage.lifecycle import Hook
from roxels.storage.transaction import Writing

router = APIRouter(prefix="/v1/lifecycle-webhooks", route_class=StrictRoute, tags=["Lifecycle webhooks"])


@router.post("", status_code=201, response_model=outgoing.LifecycleWebhook)
async def create_lifecycle_webhook(key: Secret, body: bodies.CreateLifecycleWebhook) -> Response:
    """Have an address told of events from now on, signed with the environment's webhook secrets."""

    def work(tx: Writing) -> Answer:
        made = keeping.create(tx, body.url, body.events, key.services.ids)
        key.note(tx, "lifecycle_webhook.created", id=made.id)
        return Answer(body=outgoing.lifecycle_webhook(made), status=201)

    return await key.post(work)


@router.get("", response_model=shapes.Page[outgoing.LifecycleWebhook])
async def list_lifecycle_webhooks(key: Secret, cursor: paging.After = None, limit: paging.Limit = 50) -> Response:
    """List the lifecycle webhooks, newest first."""
    found = await key.read(lifecycle.listed, paging.span(cursor, limit))
    return reply(Answer(body=views.page(found, outgoing.lifecycle_webhook)))


@router.get("/{webhook_id}", response_model=outgoing.LifecycleWebhook)
async def get_lifecycle_webhook(key: Secret, webhook_id: str) -> Response:
    """Read a lifecycle webhook."""
    return reply(Answer(body=outgoing.lifecycle_webhook(await key.read(keeping.get, webhook_id))))


@router.patch("/{webhook_id}", response_model=outgoing.LifecycleWebhook)
async def change_lifecycle_webhook(key: Secret, webhook_id: str, body: bodies.ChangeLifecycleWebhook) -> Response:
    """Give it another address, or other events."""

    def work(tx: Writing) -> Hook:
        key.note(tx, "lifecycle_webhook.changed", id=webhook_id)
        return keeping.change(tx, webhook_id, body.url, body.events)

    return reply(Answer(body=outgoing.lifecycle_webhook(await key.write(work))))


@router.delete("/{webhook_id}", response_model=outgoing.LifecycleWebhook)
async def remove_lifecycle_webhook(key: Secret, webhook_id: str) -> Response:
    """Tell it nothing more. What is owed to it already still goes there."""

    def work(tx: Writing) -> Hook:
        key.note(tx, "lifecycle_webhook.removed", id=webhook_id)
        return keeping.remove(tx, webhook_id)

    return reply(Answer(body=outgoing.lifecycle_webhook(await key.write(work))))
