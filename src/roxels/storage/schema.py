"""Every table, to be read top to bottom.

Each column says whether it can hold something of a person (`about=PERSON`) or not (`about=NOTHING`): erasing and
exporting go by that, and a column without it cannot be written down, since `column` demands it.

Only a conversation is event-sourced (`events`, `pieces`); its row in `conversations` is a projection, kept in the same
transaction, and everything else is rows. Times are whole microseconds since 1970 UTC, the same on every database.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)
from sqlalchemy.types import TypeDecorator, TypeEngine

#: The column can hold something that a person said, is called or did, or an id that leads to one.
PERSON: Final = "person"
#: The column cannot.
NOTHING: Final = "nothing"

#: The epoch of a conversation that is being erased: for everybody it is gone already, whatever rows are left of it.
ERASING: Final = -1

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC time, kept as microseconds since 1970."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> int | None:
        """To the database."""
        return None if value is None else micros(value)

    def process_result_value(self, value: int | None, _dialect: Dialect) -> datetime | None:
        """From the database."""
        return None if value is None else EPOCH + timedelta(microseconds=value)


#: Text that is compared letter by letter, in PostgreSQL too, whatever its locale says.
Letters = String().with_variant(String(collation="C"), "postgresql")


def micros(value: datetime) -> int:
    """Microseconds since 1970."""
    return (value - EPOCH) // MICROSECOND


def column(
    name: str, kind: TypeEngine[Any] | type[TypeEngine[Any]], *extra: Any, about: str, **options: Any
) -> Column[Any]:
    """A column that says whom it is about; not null unless told."""
    return Column(name, kind, *extra, info={"about": about}, **{"nullable": False} | options)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

#: Facts of the installation itself: the salt of receipts and the like.
installation = Table(
    "installation",
    metadata,
    column("name", String, primary_key=True, about=NOTHING),
    column("value", String, about=NOTHING),
)

templates = Table(
    "templates",
    metadata,
    column("id", String, primary_key=True, about=NOTHING),
    column("environment", String, about=NOTHING),
    column("name", String, about=NOTHING),
    column("status", String, about=NOTHING),
    column("active_version", Integer, about=NOTHING),
    #: Of the active version: the least proof that opens a past (`domain.proof.Proof`).
    column("history_requires", Integer, about=NOTHING),
    column("created_at", UtcDateTime, about=NOTHING),
    column("updated_at", UtcDateTime, about=NOTHING),
    Index(None, "environment", "created_at", "id"),
)

#: Immutable; a conversation stays on the version it began with. `raw` is what the customer wrote, unknown keys and all.
template_versions = Table(
    "template_versions",
    metadata,
    column("template_id", String, ForeignKey("templates.id"), primary_key=True, about=NOTHING),
    column("version", Integer, primary_key=True, about=NOTHING),
    column("environment", String, about=NOTHING),
    column("raw", JSON, about=NOTHING),
    column("created_at", UtcDateTime, about=NOTHING),
    column("published_at", UtcDateTime, nullable=True, about=NOTHING),
)

persons = Table(
    "persons",
    metadata,
    column("id", String, primary_key=True, about=PERSON),
    column("environment", String, about=NOTHING),
    column("external_id", String, nullable=True, about=PERSON),
    column("name", String, nullable=True, about=PERSON),
    column("name_source", String, about=NOTHING),
    column("email", String, nullable=True, about=PERSON),
    column("phone", String, nullable=True, about=PERSON),
    column("metadata", JSON, about=PERSON),
    column("org_context", JSON, about=PERSON),
    column("first_seen_at", UtcDateTime, about=PERSON),
    column("last_seen_at", UtcDateTime, about=PERSON),
    column("conversation_count", Integer, about=PERSON),
    #: They are being erased: gone for everybody already, whatever rows are left.
    column("is_estranged", Boolean, server_default=false(), about=NOTHING),
    UniqueConstraint("environment", "external_id"),
    Index(None, "environment", "last_seen_at", "id"),
)

#: What a person is found by (`storage.finding`).
person_words = Table(
    "person_words",
    metadata,
    column("person_id", String, ForeignKey("persons.id"), primary_key=True, about=PERSON),
    column("word", Letters, primary_key=True, about=PERSON),
    column("environment", String, about=NOTHING),
    Index(None, "environment", "word", "person_id"),
)

#: A projection of the log. `head` and `epoch` fence its writers (all of them while it is `ERASING`); `speaker` is the
#: process that may speak.
conversations = Table(
    "conversations",
    metadata,
    column("id", String, primary_key=True, about=PERSON),
    column("environment", String, about=NOTHING),
    #: Whose it is; and who else's words may stand in it, so that it goes with her too (`actions.adopt`).
    column("person_id", String, ForeignKey("persons.id"), about=PERSON),
    column("linked_person_id", String, ForeignKey("persons.id"), nullable=True, about=PERSON),
    column("template_id", String, ForeignKey("templates.id"), about=NOTHING),
    column("template_version", Integer, about=NOTHING),
    column("status", String, about=NOTHING),
    column("ended_by", String, nullable=True, about=NOTHING),
    column("top_proof", Integer, about=NOTHING),
    #: A session was verified, or opened by a server: closed to claims from then on (`domain.proof`).
    column("is_proven", Boolean, about=NOTHING),
    #: Since when it is adopted, and whether that speaks for all that was said in it (`domain.proof`).
    column("adopted_at", UtcDateTime, nullable=True, about=PERSON),
    column("is_vouched", Boolean, about=NOTHING),
    column("head", Integer, about=NOTHING),
    column("epoch", Integer, about=NOTHING),
    column("speaker", String, nullable=True, about=NOTHING),
    column("allowed_domains", JSON, nullable=True, about=NOTHING),
    column("created_at", UtcDateTime, about=PERSON),
    column("started_at", UtcDateTime, nullable=True, about=PERSON),
    column("ended_at", UtcDateTime, nullable=True, about=PERSON),
    column("last_activity_at", UtcDateTime, about=PERSON),
    #: When the last listener left, since listening is no activity.
    column("left_at", UtcDateTime, nullable=True, about=PERSON),
    #: It began to try a version of its template out: no later visit goes on with it.
    column("is_trial", Boolean, server_default=false(), about=NOTHING),
    #: When what is remembered in it changed from outside, so that whoever speaks there has to remember anew.
    column("memory_changed_at", UtcDateTime, nullable=True, about=PERSON),
    Index("ix_conversations_of_person", "environment", "person_id", "template_id", "last_activity_at"),
    Index(None, "environment", "created_at", "id"),
    Index(None, "status", "last_activity_at"),
    Index(None, "linked_person_id"),
)

events = Table(
    "events",
    metadata,
    column("conversation_id", String, ForeignKey("conversations.id"), primary_key=True, about=PERSON),
    column("seq", Integer, primary_key=True, about=NOTHING),
    column("type", String, about=NOTHING),
    column("at", UtcDateTime, about=PERSON),
    column("session_id", String, nullable=True, about=PERSON),
    column("body", Text, about=PERSON),
)

#: What was shown so far of an answer that has not ended; each row was durable before it was sent.
pieces = Table(
    "pieces",
    metadata,
    column("conversation_id", String, ForeignKey("conversations.id"), primary_key=True, about=PERSON),
    column("utterance_id", String, primary_key=True, about=PERSON),
    column("start", Integer, primary_key=True, about=NOTHING),
    column("text", Text, about=PERSON),
)

#: One visit. `token_hash` is set when a browser holds the session; `ticket` says how it may still be exchanged.
sessions = Table(
    "sessions",
    metadata,
    column("id", String, primary_key=True, about=PERSON),
    column("environment", String, about=NOTHING),
    column("conversation_id", String, ForeignKey("conversations.id"), about=PERSON),
    column("person_id", String, ForeignKey("persons.id"), about=PERSON),
    column("proof", Integer, about=NOTHING),
    column("method", String, about=NOTHING),
    #: Why it continued or began a conversation: as the visitor was told, and as the owner reads it.
    column("reason", String, about=NOTHING),
    column("judged", String, about=NOTHING),
    #: The hash of the secret of the browser that holds it; None: no browser with a device cookie.
    column("browser_hash", String, nullable=True, about=PERSON),
    #: The hash of the mark of its tab: an anonymous visit goes on for the same browser and tab.
    column("tab_hash", String, nullable=True, about=PERSON),
    column("token_hash", String, nullable=True, unique=True, about=PERSON),
    column("join_hash", String, nullable=True, unique=True, about=PERSON),
    column("exchanged_at", UtcDateTime, nullable=True, about=PERSON),
    column("timezone", String, about=PERSON),
    column("locale", String, about=PERSON),
    column("created_at", UtcDateTime, about=PERSON),
    column("expires_at", UtcDateTime, about=PERSON),
    column("ended_at", UtcDateTime, nullable=True, about=PERSON),
    #: What signed for it, where it was proven by an identity token.
    column("identity_secret_id", String, nullable=True, about=NOTHING),
    Index(None, "conversation_id"),
    Index(None, "person_id"),
    Index(None, "browser_hash", "created_at"),
    Index(None, "ended_at", "expires_at"),
    Index(None, "identity_secret_id"),
)

#: A browser in which somebody talked as this person: what the proof `device` stands on. The secret itself stands in the
#: frame's cookie only.
devices = Table(
    "devices",
    metadata,
    column("id", String, primary_key=True, about=PERSON),
    column("environment", String, about=NOTHING),
    column("person_id", String, ForeignKey("persons.id"), about=PERSON),
    column("browser_hash", String, about=PERSON),
    #: The host of the page around the frame.
    column("host", String, nullable=True, about=PERSON),
    column("created_at", UtcDateTime, about=PERSON),
    column("last_seen_at", UtcDateTime, about=PERSON),
    #: When a verified session of this person was first held by it.
    column("verified_at", UtcDateTime, nullable=True, about=PERSON),
    column("revoked_at", UtcDateTime, nullable=True, about=PERSON),
    UniqueConstraint("person_id", "browser_hash"),
    Index(None, "browser_hash"),
)

#: What is owed to receivers. `storage.outbox` has the table of states.
deliveries = Table(
    "deliveries",
    metadata,
    column("id", String, primary_key=True, about=PERSON),
    column("environment", String, about=NOTHING),
    #: None where it names nobody (`person.erased`).
    column("conversation_id", String, ForeignKey("conversations.id"), nullable=True, about=PERSON),
    column("person_id", String, ForeignKey("persons.id"), nullable=True, about=PERSON),
    #: None where the end of the conversation owes it.
    column("goal_id", String, nullable=True, about=NOTHING),
    #: The `Idempotency-Key`: the commit's id, or that of what else happened.
    column("commit_id", String, about=PERSON),
    column("revision", Integer, about=NOTHING),
    column("type", String, about=NOTHING),
    column("url", Text, about=PERSON),
    #: Scheme, host and port of `url`; with the person it makes the line in which order is kept.
    column("destination", String, about=PERSON),
    #: Its place among all deliveries of this person, from 1.
    column("place", Integer, about=NOTHING),
    column("body", Text, about=PERSON),
    #: JSON, see `storage.freezing`: the rest of the request; what it waits to be made of; what its answer tells others.
    column("request", Text, nullable=True, about=PERSON),
    column("recipe", Text, nullable=True, about=PERSON),
    column("captures", Text, nullable=True, about=NOTHING),
    column("captured", Text, nullable=True, about=PERSON),
    column("status", String, about=NOTHING),
    #: When it may be tried; while a worker tries it, when its claim runs out.
    column("due_at", UtcDateTime, about=NOTHING),
    column("claimed_by", String, nullable=True, about=NOTHING),
    column("tries", Integer, about=NOTHING),
    column("created_at", UtcDateTime, about=PERSON),
    Index(None, "status", "due_at"),
    Index(None, "person_id", "place"),
    Index(None, "conversation_id"),
    Index(None, "environment", "created_at", "id"),
    #: So that the few that failed are found among a million that did not.
    Index(None, "environment", "status", "created_at", "id"),
)

attempts = Table(
    "attempts",
    metadata,
    column("delivery_id", String, ForeignKey("deliveries.id"), primary_key=True, about=PERSON),
    column("n", Integer, primary_key=True, about=NOTHING),
    column("at", UtcDateTime, about=PERSON),
    column("status_code", Integer, nullable=True, about=NOTHING),
    column("duration_ms", Integer, about=NOTHING),
    column("error", String, nullable=True, about=NOTHING),
    column("response_excerpt", Text, nullable=True, about=PERSON),
)

#: Publishable by design, so the key itself stands here.
embed_keys = Table(
    "embed_keys",
    metadata,
    column("id", String, primary_key=True, about=NOTHING),
    column("environment", String, about=NOTHING),
    column("template_id", String, ForeignKey("templates.id"), about=NOTHING),
    column("key", String, unique=True, about=NOTHING),
    column("allowed_domains", JSON, about=NOTHING),
    column("created_at", UtcDateTime, about=NOTHING),
    column("revoked_at", UtcDateTime, nullable=True, about=NOTHING),
    Index(None, "template_id"),
)

api_keys = Table(
    "api_keys",
    metadata,
    column("id", String, primary_key=True, about=NOTHING),
    column("environment", String, about=NOTHING),
    column("name", String, about=NOTHING),
    column("hash", String, unique=True, about=NOTHING),
    column("created_at", UtcDateTime, about=NOTHING),
    column("revoked_at", UtcDateTime, nullable=True, about=NOTHING),
)

#: `sealed` is encrypted with the installation's key, bound to environment and id.
webhook_secrets = Table(
    "webhook_secrets",
    metadata,
    column("id", String, primary_key=True, about=NOTHING),
    column("environment", String, about=NOTHING),
    column("name", String, about=NOTHING),
    column("sealed", Text, about=NOTHING),
    column("created_at", UtcDateTime, about=NOTHING),
    column("revoked_at", UtcDateTime, nullable=True, about=NOTHING),
)

#: What a customer's server signs identity tokens with: HS256 by a secret (`sealed`), EdDSA by a key of its own, the
#: public half of which stands here. The id is the token's `kid`, and binds it to the environment.
identity_secrets = Table(
    "identity_secrets",
    metadata,
    column("id", String, primary_key=True, about=NOTHING),
    column("environment", String, about=NOTHING),
    column("name", String, about=NOTHING),
    column("alg", String, about=NOTHING),
    column("sealed", Text, nullable=True, about=NOTHING),
    column("public_key", Text, nullable=True, about=NOTHING),
    column("created_at", UtcDateTime, about=NOTHING),
    column("revoked_at", UtcDateTime, nullable=True, about=NOTHING),
)

#: Identity tokens that may be presented once and were: hashes, until they have run out.
used_tokens = Table(
    "used_tokens",
    metadata,
    column("hash", String, primary_key=True, about=NOTHING),
    column("expires_at", UtcDateTime, about=NOTHING),
    Index(None, "expires_at"),
)

#: What outputs name and only the delivery worker opens. `sealed` as above.
secrets = Table(
    "secrets",
    metadata,
    column("id", String, primary_key=True, about=NOTHING),
    column("environment", String, about=NOTHING),
    column("name", String, about=NOTHING),
    column("description", Text, about=NOTHING),
    column("sealed", Text, about=NOTHING),
    column("created_at", UtcDateTime, about=NOTHING),
    column("updated_at", UtcDateTime, about=NOTHING),
    UniqueConstraint("environment", "name"),
)

#: Addresses that are told what happens in the environment: `domain.lifecycle` has the events.
lifecycle_webhooks = Table(
    "lifecycle_webhooks",
    metadata,
    column("id", String, primary_key=True, about=NOTHING),
    column("environment", String, about=NOTHING),
    column("url", Text, about=NOTHING),
    column("events", JSON, about=NOTHING),
    column("created_at", UtcDateTime, about=NOTHING),
    column("updated_at", UtcDateTime, about=NOTHING),
    Index(None, "environment", "created_at", "id"),
)

operators = Table(
    "operators",
    metadata,
    column("id", String, primary_key=True, about=NOTHING),
    column("email", String, unique=True, about=NOTHING),
    column("password_hash", String, about=NOTHING),
    column("created_at", UtcDateTime, about=NOTHING),
)

operator_sessions = Table(
    "operator_sessions",
    metadata,
    column("token_hash", String, primary_key=True, about=NOTHING),
    column("operator_id", String, ForeignKey("operators.id"), about=NOTHING),
    column("created_at", UtcDateTime, about=NOTHING),
    column("expires_at", UtcDateTime, about=NOTHING),
)

#: Codes that were shown on the server itself: each lets one person choose the password of an operator, once.
operator_codes = Table(
    "operator_codes",
    metadata,
    column("code_hash", String, primary_key=True, about=NOTHING),
    column("email", String, nullable=True, about=NOTHING),
    column("expires_at", UtcDateTime, about=NOTHING),
)

#: What was erased: numbers and salted hashes only, chained per environment by `prev`. `erased_at` is text, as signed.
receipts = Table(
    "receipts",
    metadata,
    column("id", String, primary_key=True, about=NOTHING),
    column("environment", String, about=NOTHING),
    column("n", Integer, about=NOTHING),
    column("subject", String, about=NOTHING),
    column("counts", JSON, about=NOTHING),
    column("erased_at", String, about=NOTHING),
    column("reason", String, about=NOTHING),
    column("prev", String, nullable=True, about=NOTHING),
    column("key_id", String, about=NOTHING),
    column("signature", String, about=NOTHING),
    UniqueConstraint("environment", "n"),
    Index(None, "environment", "subject"),
)

#: Erasing under way, so that it survives a crash, and for 24 hours what a repeated wish is answered with. An id is that
#: of the receipt to come. `subject` and `alias` (of an `external_id`) are salted hashes; `subject_id` stands here only
#: while rows of the subject are left.
erasures = Table(
    "erasures",
    metadata,
    column("id", String, primary_key=True, about=NOTHING),
    column("environment", String, about=NOTHING),
    column("kind", String, about=NOTHING),
    column("subject", String, about=NOTHING),
    column("alias", String, nullable=True, about=NOTHING),
    column("subject_id", String, nullable=True, about=PERSON),
    column("reason", String, about=NOTHING),
    column("state", String, about=NOTHING),
    column("counts", JSON, about=NOTHING),
    column("created_at", UtcDateTime, about=NOTHING),
    column("ended_at", UtcDateTime, nullable=True, about=NOTHING),
    Index(None, "environment", "subject"),
    Index(None, "environment", "alias"),
    Index(None, "state", "ended_at"),
)

#: The answers to POSTs that came with an `Idempotency-Key`, for 24 hours. What an answer says of a person or
#: conversation cannot be kept once they are gone: the foreign keys refuse it.
idempotency = Table(
    "idempotency",
    metadata,
    column("environment", String, primary_key=True, about=NOTHING),
    column("key", String, primary_key=True, about=PERSON),
    column("request_hash", String, about=PERSON),
    column("status_code", Integer, about=NOTHING),
    column("body", Text, about=PERSON),
    column("person_id", String, ForeignKey("persons.id"), nullable=True, about=PERSON),
    column("conversation_id", String, ForeignKey("conversations.id"), nullable=True, about=PERSON),
    column("created_at", UtcDateTime, about=NOTHING),
    Index(None, "created_at"),
    Index(None, "person_id"),
    Index(None, "conversation_id"),
)

#: Long work that somebody waits for: `storage.jobs` has the table of states. An export leads to its person, so that it
#: goes with her.
jobs = Table(
    "jobs",
    metadata,
    column("id", String, primary_key=True, about=PERSON),
    column("environment", String, about=NOTHING),
    column("kind", String, about=NOTHING),
    column("status", String, about=NOTHING),
    column("done", Integer, about=NOTHING),
    column("total", Integer, about=NOTHING),
    column("person_id", String, ForeignKey("persons.id"), nullable=True, about=PERSON),
    #: Of an export's file: its length and SHA-256.
    column("size", Integer, nullable=True, about=NOTHING),
    column("sha256", String, nullable=True, about=PERSON),
    column("created_at", UtcDateTime, about=NOTHING),
    column("ended_at", UtcDateTime, nullable=True, about=NOTHING),
    Index(None, "status", "created_at"),
    Index(None, "person_id"),
    Index(None, "ended_at"),
)

#: What a job of erasing was asked for, in the order asked. `target` stands here only until its erasure has begun.
job_items = Table(
    "job_items",
    metadata,
    column("job_id", String, ForeignKey("jobs.id"), primary_key=True, about=PERSON),
    column("n", Integer, primary_key=True, about=NOTHING),
    column("named_by", String, about=NOTHING),
    column("target", String, nullable=True, about=PERSON),
    column("status", String, about=NOTHING),
    column("receipt_id", String, nullable=True, about=NOTHING),
)

#: For how many days each environment keeps what; a missing row, or null, keeps it for ever.
retention = Table(
    "retention",
    metadata,
    column("environment", String, primary_key=True, about=NOTHING),
    column("transcripts_days", Integer, nullable=True, about=NOTHING),
    column("deliveries_days", Integer, nullable=True, about=NOTHING),
    column("audit_days", Integer, nullable=True, about=NOTHING),
    column("updated_at", UtcDateTime, about=NOTHING),
)

#: Who did what of consequence. `subject` is a salted hash, so that it outlives whom it is about; `detail` holds words
#: and numbers of ours. `environment` is empty where a login belongs to none.
audit = Table(
    "audit",
    metadata,
    column("id", String, primary_key=True, about=NOTHING),
    column("environment", String, nullable=True, about=NOTHING),
    column("at", UtcDateTime, about=NOTHING),
    column("actor_kind", String, about=NOTHING),
    column("actor_id", String, nullable=True, about=NOTHING),
    column("action", String, about=NOTHING),
    column("subject_kind", String, nullable=True, about=NOTHING),
    column("subject", String, nullable=True, about=NOTHING),
    column("detail", JSON, about=NOTHING),
    Index(None, "environment", "at", "id"),
    Index(None, "environment", "subject", "at", "id"),
)
