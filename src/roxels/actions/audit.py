"""Note what was done. The list of what is noted is here, and docs/privacy.md is written from it."""

from typing import Any, Final, Literal

import msgspec

from roxels.domain.ids import Ids
from roxels.domain.receipts import Kind, subject_of
from roxels.storage import audit
from roxels.storage.audit import Actor, AuditEntry
from roxels.storage.transaction import AcrossWriting, Writing

Action = Literal[
    "key.created",
    "key.revoked",
    "webhook_secret.created",
    "webhook_secret.revoked",
    "lifecycle_webhook.created",
    "lifecycle_webhook.changed",
    "lifecycle_webhook.removed",
    "identity_secret.created",
    "identity_secret.revoked",
    "secret.created",
    "secret.changed",
    "secret.deleted",
    "embed_key.created",
    "embed_key.revoked",
    "operator.signed_in",
    "operator.refused",
    "operator.signed_out",
    "operator.signed_out_everywhere",
    "operator.code_made",
    "operator.password_chosen",
    "transcript.viewed",
    "person.viewed",
    "template.tried",
    "identity.link_opened",
    "identity.adopted",
    "identity.adoption_undone",
    "identity.token_refused",
    "memory.forgotten",
    "device.revoked",
    "device.reset",
    "erase.asked",
    "erase.begun",
    "export.asked",
    "export.fetched",
    "vault.rotated",
    "retention.changed",
    "retention.applied",
]

#: What each says.
ACTIONS: Final[dict[Action, str]] = {
    "key.created": "A secret key was made.",
    "key.revoked": "A secret key was revoked.",
    "webhook_secret.created": "A webhook secret was made.",
    "webhook_secret.revoked": "A webhook secret was revoked.",
    "lifecycle_webhook.created": "An address was given that is told of lifecycle events.",
    "lifecycle_webhook.changed": "Its address or its events were changed.",
    "lifecycle_webhook.removed": "It is told nothing more.",
    "identity_secret.created": "A way to sign identity tokens was made.",
    "identity_secret.revoked": "A way to sign identity tokens was revoked.",
    "secret.created": "A secret that outputs may name was kept.",
    "secret.changed": "It was given another name, description or value.",
    "secret.deleted": "It was forgotten.",
    "embed_key.created": "An embed key was made.",
    "embed_key.revoked": "An embed key was revoked.",
    "operator.signed_in": "An operator signed in to the dashboard.",
    "operator.refused": "Somebody tried to sign in and was refused.",
    "operator.signed_out": "An operator signed out.",
    "operator.signed_out_everywhere": "An operator ended all their sessions.",
    "operator.code_made": "A code was shown on the server itself that lets somebody choose an operator's password.",
    "operator.password_chosen": "A password was chosen with such a code; all sessions of that operator ended.",
    "transcript.viewed": "An operator looked at a conversation.",
    "person.viewed": "An operator looked at a person's page.",
    "template.tried": "An operator opened a talk, as a person or as nobody, to try a template out.",
    "identity.link_opened": "A fresh link into a conversation was made.",
    "identity.adopted": "A conversation was adopted by a person; `by` says whether a browser asked.",
    "identity.adoption_undone": "The adoption of a conversation was undone.",
    "identity.token_refused": "An identity token was refused; `why` says in a word what was wrong with it.",
    "memory.forgotten": "A line of what is remembered of a person was deleted.",
    "device.revoked": "A browser was made a stranger to a person.",
    "device.reset": "A browser signed itself out: it is a stranger to this person now.",
    "erase.asked": "A job was asked for that erases many.",
    "erase.begun": "A person or conversation was put out of reach; `receipt_id` is that of the receipt.",
    "export.asked": "An export of a person was asked for.",
    "export.fetched": "The zip of an export was fetched.",
    "vault.rotated": "Secrets were sealed with a new key.",
    "retention.changed": "It was changed for how long what is kept.",
    "retention.applied": "What was too old was removed.",
}


class Auditor(msgspec.Struct, frozen=True, kw_only=True):
    """Notes what was done, in the transaction in which it is done."""

    ids: Ids
    #: What hides subjects: `vault.Keyring.subject_salt`.
    salt: bytes

    def note(
        self, tx: Writing, /, actor: Actor, action: Action, about: tuple[Kind, str] | None = None, **detail: Any
    ) -> None:
        """Note it in this environment. `about`: kind and id of whom; `detail`: words and numbers of ours only."""
        subject = None if about is None else subject_of(self.salt, *about)
        audit.add(
            tx,
            AuditEntry(
                id=self.ids.new("aud"),
                environment=tx.environment,
                at=tx.now,
                actor_kind=actor.kind,
                actor_id=actor.id,
                action=action,
                subject_kind=None if about is None else about[0],
                subject=subject,
                detail=detail,
            ),
        )

    def note_entry(self, tx: AcrossWriting, actor: Actor, action: Action) -> None:
        """Note what belongs to no environment: coming and going of operators."""
        audit.add(
            tx,
            AuditEntry(
                id=self.ids.new("aud"),
                environment=None,
                at=tx.now,
                actor_kind=actor.kind,
                actor_id=actor.id,
                action=action,
                subject_kind=None,
                subject=None,
                detail={},
            ),
        )
