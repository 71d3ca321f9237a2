"""What an environment issues to let programs in and to sign: three groups of one shape, told once for both doors.

    made       its value is told then, and never again
    listed     newest first, revoked ones too, without values
    revoked    at once; a second time changes nothing

Each is noted in the audit log.
"""

from collections.abc import Callable, Mapping
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from roxels.actions import identify, manage
from roxels.actions.audit import Action, Auditor
from roxels.api import views
from roxels.storage import identities, keys
from roxels.storage.audit import Actor
from roxels.storage.identities import IdentitySecret
from roxels.storage.keys import ApiKey, WebhookSecret
from roxels.storage.pages import Page, Span
from roxels.storage.transaction import Reading, Writing


class Named(Protocol):
    """What all of them have."""

    @property
    def id(self) -> str:
        """Its id."""
        ...


K = TypeVar("K", bound=Named)


class Issued(msgspec.Struct, Generic[K], frozen=True, kw_only=True):
    """One group."""

    created: Action
    revoked: Action
    listed: Callable[[Reading, Span], Page[K]]
    end: Callable[[Writing, str], K]
    #: As the API shows it; the value only when it was made just now.
    shown: Callable[[K, str | None], Mapping[str, Any]]

    def make(
        self, tx: Writing, made: Callable[[Writing], tuple[K, str | None]], auditor: Auditor, actor: Actor
    ) -> tuple[K, str | None]:
        """Make one with `made`, and its value where there is one to tell."""
        kept, value = made(tx)
        auditor.note(tx, actor, self.created, id=kept.id)
        return kept, value

    def revoke(self, tx: Writing, id: str, auditor: Auditor, actor: Actor) -> K:
        """Revoke it. Raises `NotFound`."""
        auditor.note(tx, actor, self.revoked, id=id)
        return self.end(tx, id)


API_KEYS: Issued[ApiKey] = Issued(
    created="key.created",
    revoked="key.revoked",
    listed=keys.api_keys_page,
    end=manage.revoke_api_key,
    shown=views.secret,
)
WEBHOOK_SECRETS: Issued[WebhookSecret] = Issued(
    created="webhook_secret.created",
    revoked="webhook_secret.revoked",
    listed=keys.webhook_secrets_page,
    end=manage.revoke_webhook_secret,
    shown=views.secret,
)
IDENTITY_SECRETS: Issued[IdentitySecret] = Issued(
    created="identity_secret.created",
    revoked="identity_secret.revoked",
    listed=identities.listed,
    end=identify.revoke_secret,
    shown=views.identity_secret,
)
