"""Manage what opens and signs: embed keys, secret keys, webhook secrets; and send a delivery again."""

from collections.abc import Sequence
from typing import Protocol

from roxels.domain.domains import cleaned
from roxels.domain.errors import Conflict, Invalid, NotFound
from roxels.domain.ids import Ids
from roxels.domain.occasions import destination
from roxels.storage import deliveries, keys, outbox, templates
from roxels.storage.deliveries import Delivery
from roxels.storage.keys import ApiKey, EmbedKey, WebhookSecret
from roxels.storage.transaction import Writing
from roxels.webhooks import secret_from

#: Random bytes of a webhook secret; Standard Webhooks wants 24 to 64.
SECRET_SIZE = 32


class Sealer(Protocol):
    """What locks secrets at rest (`storage.vault.Vault`)."""

    def seal(self, secret: str, *, environment: str, id: str) -> str:
        """The secret as it may be stored in the row `id` of `environment`."""
        ...

    def open(self, sealed: str, *, environment: str, id: str) -> str:
        """The secret again."""
        ...


def create_embed_key(tx: Writing, template_id: str, allowed_domains: Sequence[str], ids: Ids) -> EmbedKey:
    """Make a key for web pages. Raises `NotFound` (template) and `Invalid` (a domain; in `live` the lack of any)."""
    if templates.active(tx, template_id) is None:
        raise NotFound("There is no template with this id in this environment.")
    wanted = cleaned(allowed_domains)
    if tx.environment == "live" and not wanted:
        raise Invalid(
            "A `live` key needs at least one domain that may use it, e.g. `app.example.com`.", field="allowed_domains"
        )
    key = EmbedKey(
        id=ids.new("ek"),
        environment=tx.environment,
        template_id=template_id,
        key=ids.secret("rk_live" if tx.environment == "live" else "rk_test"),
        allowed_domains=tuple(wanted),
        created_at=tx.now,
    )
    keys.create_embed_key(tx, key)
    return key


def revoke_embed_key(tx: Writing, key_id: str) -> EmbedKey:
    """Revoke it, at once; a second time changes nothing. Raises `NotFound`."""
    keys.revoke_embed_key(tx, key_id)
    key = keys.embed_key(tx, key_id)
    if key is None:
        raise NotFound
    return key


def create_api_key(tx: Writing, name: str, ids: Ids) -> tuple[ApiKey, str]:
    """Make a secret key of this environment; its value is known here and never again."""
    value = ids.secret("sk_live" if tx.environment == "live" else "sk_test")
    key = ApiKey(id=ids.new("key"), environment=tx.environment, name=name, created_at=tx.now)
    keys.create_api_key(tx, key, value)
    return key, value


def revoke_api_key(tx: Writing, key_id: str) -> ApiKey:
    """Revoke it, at once; a second time changes nothing. Raises `NotFound`."""
    keys.revoke_api_key(tx, key_id)
    key = keys.api_key(tx, key_id)
    if key is None:
        raise NotFound
    return key


def create_webhook_secret(tx: Writing, name: str, ids: Ids, sealer: Sealer) -> tuple[WebhookSecret, str]:
    """Make a webhook secret; its value, `whsec_<base64>`, is told here and never again."""
    value = secret_from(ids.key(SECRET_SIZE))
    secret = WebhookSecret(id=ids.new("whk"), environment=tx.environment, name=name, created_at=tx.now)
    sealed = sealer.seal(value, environment=tx.environment, id=secret.id)
    keys.create_webhook_secret(tx, secret, sealed)
    return secret, value


def revoke_webhook_secret(tx: Writing, secret_id: str) -> WebhookSecret:
    """Revoke it, at once; a second time changes nothing. Raises `NotFound`."""
    keys.revoke_webhook_secret(tx, secret_id)
    secret = keys.webhook_secret(tx, secret_id)
    if secret is None:
        raise NotFound
    return secret


def send_again(tx: Writing, delivery_id: str) -> Delivery:
    """Owe a delivery once more, now: same bytes, same `Idempotency-Key`. Raises `NotFound`, `Conflict`."""
    delivery = deliveries.get(tx, delivery_id)
    if delivery is None:
        raise NotFound
    if delivery.status == "waiting" and not delivery.attempts:
        raise Conflict("This delivery waits for an earlier one; send that one again.")
    if not outbox.send_again(tx, delivery_id):
        raise Conflict("This delivery is being sent at this moment.")
    sent = deliveries.get(tx, delivery_id)
    return sent or delivery


def send_all_again(tx: Writing, url: str) -> tuple[str, int]:
    """Owe once more all that failed on the way to where this URL leads: that place, and how many. Raises `Invalid`."""
    where = destination(url)
    if not where:
        raise Invalid("`destination` must be an address with scheme and host.", field="destination")
    return where, outbox.send_all_again(tx, where)
