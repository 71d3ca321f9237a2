"""The objects of the API, exactly. `views` makes them, the type checker holds it to them, OpenAPI is written from them.

Times are RFC 3339 in UTC with `Z`. Fields may be added; none is renamed or removed.
"""

from datetime import datetime
from typing import Annotated, Any, Generic, Literal, NotRequired, TypeVar

from pydantic import Field
from typing_extensions import TypedDict

from roxels.domain.life import EndedBy, Status

T = TypeVar("T")


class ErrorBody(TypedDict):
    """What was refused, and what to do."""

    code: Annotated[str, Field(description="Stays as it is; see the list of errors.", examples=["validation_error"])]
    message: Annotated[str, Field(description="For people; may become clearer.")]
    field: NotRequired[
        Annotated[str, Field(description="Path of what was wrong.", examples=["persons[0].external_id"])]
    ]
    faults: NotRequired[Annotated[list["TemplateFault"], Field(description="All faults of a template at once.")]]


class TemplateFault(TypedDict):
    """One thing that is wrong with a template."""

    path: str
    message: str


class Error(TypedDict):
    """Every refusal."""

    error: ErrorBody


class Page(TypedDict, Generic[T]):
    """One page of a list. Ask again with `cursor=<next_cursor>` while `has_more`."""

    items: list[T]
    next_cursor: str | None
    has_more: bool


class Person(TypedDict):
    """A participant."""

    id: str
    external_id: Annotated[str | None, Field(description="Your own id for this person; null for an anonymous one.")]
    name: str | None
    email: str | None
    phone: str | None
    metadata: dict[str, Any]
    org_context: Annotated[dict[str, Any], Field(description="What you know of this person; the agent is told.")]
    first_seen_at: datetime
    last_seen_at: datetime
    conversation_count: int


class PersonRef(TypedDict):
    """Who it is, in short."""

    id: str
    external_id: str | None
    name: str | None


class Opened(TypedDict):
    """A conversation that was begun or continued, with a link that lets one browser in."""

    id: str
    session_id: Annotated[str, Field(description="For `Roxels.start({sessionId})`; lets one browser in, once.")]
    template_id: str
    template_version: int
    status: Status
    resumed: bool
    reason: Annotated[str, Field(description="Why it was resumed or not.")]
    join_url: Annotated[str, Field(description="A page that joins it; works once. Using it spends `session_id` too.")]
    created_at: datetime
    expires_at: datetime
    person: PersonRef


class Link(TypedDict):
    """One more visit to a conversation."""

    session_id: str
    join_url: str
    expires_at: datetime


class Message(TypedDict):
    """One message. `final: false` is an answer under way: `text` is what was said of it so far."""

    id: str
    seq: int
    role: Literal["agent", "user"]
    text: str
    at: datetime
    session_id: str | None
    heard: Annotated[int | None, Field(description="Code points that reached the participant, where known.")]
    final: bool
    interrupted: bool


class Goal(TypedDict):
    """Where one goal stands."""

    id: str
    status: Literal["open", "active", "proposed", "committed"]
    revision: int
    commit_id: str | None
    data: dict[str, Any]


class Session(TypedDict):
    """One visit. `proof` says how sure we are who it was, `reason` why it continued or began the conversation."""

    id: str
    proof: str
    method: str
    device: bool
    reason: str
    started_at: datetime
    ended_at: datetime | None


class Attempt(TypedDict):
    """One try to deliver."""

    n: int
    at: datetime
    status_code: int | None
    duration_ms: int
    error: str | None
    response_excerpt: str | None


class Delivery(TypedDict):
    """What a commit owes to one address. `webhook-id` is its id, `Idempotency-Key` the commit's."""

    id: str
    interview_id: Annotated[str | None, Field(description="null: it names nobody (`person.erased`).")]
    goal_id: Annotated[str | None, Field(description="null: the end of the conversation owes it.")]
    commit_id: Annotated[str, Field(description="The `Idempotency-Key`; of an event, its `event_id`.")]
    revision: int
    type: Annotated[str, Field(description="`webhook`; `understanding` (a `streaming` output); `lifecycle`.")]
    method: str
    url: Annotated[str, Field(description="Secrets stand in it by name only.")]
    unknown_variables: Annotated[list[str], Field(description="Variables of the output that had no value.")]
    status: Literal["waiting", "due", "delivered", "failed"]
    attempts: list[Attempt]
    next_attempt_at: datetime | None
    created_at: datetime


class Outputs(TypedDict):
    """What was delivered, or is to be."""

    webhooks: list[Delivery]


class ConversationItem(TypedDict):
    """A conversation in a list."""

    id: str
    session_id: Annotated[str | None, Field(description="The latest visit.")]
    template_id: str
    template_version: int
    status: Status
    ended_by: EndedBy | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    last_activity_at: datetime
    adopted_at: Annotated[datetime | None, Field(description="Since when it is adopted; null where it is not.")]
    persons: list[Person]
    sessions: list[Session]


class Conversation(ConversationItem):
    """A conversation, whole."""

    adopted_from: Annotated[str | None, Field(description="Whom it was adopted from: the `id` of its first person.")]
    context: dict[str, Any]
    context_from_browser: Annotated[list[str], Field(description="Keys of `context` that no server gave.")]
    transcript: list[Message]
    goals: list[Goal]
    data: Annotated[dict[str, dict[str, Any]], Field(description="What was captured, by goal.")]
    findings: list[dict[str, Any]]
    summary: str | None
    failure: Annotated[str | None, Field(description="Why it has failed: a sentence of ours.")]
    outputs: Outputs


class Events(TypedDict):
    """Facts of a conversation in their order. Ask again with `after=<next_after>` while `has_more`."""

    items: Annotated[
        list[dict[str, Any]], Field(description="`{seq, type, at, session_id}` and what that type of event carries.")
    ]
    next_after: int
    has_more: bool


class Receipt(TypedDict):
    """Proof of an erasure that anybody can check and that does not say who was erased."""

    id: str
    subject: Annotated[str, Field(description="A salted hash of whom or what it is about.")]
    counts: Annotated[dict[str, int], Field(description="Rows removed, by table.")]
    erased_at: Annotated[str, Field(description="RFC 3339, UTC, to the letter as signed.")]
    reason: str
    prev: Annotated[str | None, Field(description="SHA-256 of the receipt before this one; null for the first.")]
    key_id: Annotated[str, Field(description="Which key signed.")]
    signature: Annotated[str, Field(description="Ed25519, of all other fields as canonical JSON.")]


class ReceiptKey(TypedDict):
    """A public key, for offline checks."""

    key_id: str
    algorithm: Literal["Ed25519"]
    public_key: Annotated[str, Field(description="32 bytes, base64.")]


class ReceiptKeys(TypedDict):
    """What receipts are checked with."""

    current: Annotated[str, Field(description="`key_id` of the one that signs now.")]
    keys: list[ReceiptKey]


class Erased(TypedDict):
    """It is gone."""

    deleted: Literal[True]
    id: str
    receipt: Receipt


class Sweeping(TypedDict):
    """It is out of reach; something that still reads holds up the cleaning of the files."""

    status: Literal["sweeping"]
    id: str


class AuditEntry(TypedDict):
    """One line of the audit log."""

    id: str
    environment: Annotated[Literal["test", "live"] | None, Field(description="null: signing in belongs to none.")]
    at: datetime
    actor: "AuditActor"
    action: str
    subject_kind: str | None
    subject: Annotated[str | None, Field(description="A salted hash of whom it is about, as in receipts.")]
    detail: dict[str, Any]


class AuditActor(TypedDict):
    """Who did it."""

    kind: Literal["key", "operator", "command", "job", "system", "browser"]
    id: str | None


class RetentionCounts(TypedDict):
    """How much is older than that now."""

    transcripts: int
    deliveries: int
    audit: int


class Retention(TypedDict):
    """For how many days what is kept; null: for ever."""

    transcripts_days: int | None
    deliveries_days: int | None
    audit_days: int | None
    updated_at: datetime | None
    would_remove: RetentionCounts


class Installation(TypedDict):
    """What this installation runs with."""

    version: str
    origin: Annotated[str, Field(description="Where browsers reach it.")]
    has_public_url: Annotated[bool, Field(description="Whether `ROXELS_PUBLIC_URL` says so; else it is a guess.")]
    database: Literal["SQLite", "PostgreSQL"]
    model: Annotated[str | None, Field(description="The language model that speaks; null: the scripted speaker.")]
    worker: Annotated[bool, Field(description="Whether this process delivers.")]
    limits: Annotated[bool, Field(description="Whether requests are counted.")]
    private_targets: Annotated[bool, Field(description="Whether outputs may reach private addresses.")]


class JobItem(TypedDict):
    """What became of one name, in the order in which they were sent (`ids`, then `external_ids`)."""

    status: Annotated[
        Literal["waiting", "erasing", "erased", "not_found"],
        Field(description="`erasing`: out of reach, the receipt follows when the files are clean."),
    ]
    receipt_id: str | None


class Job(TypedDict):
    """Long work, and how far it is."""

    id: str
    kind: Literal["erase_persons", "erase_interviews", "export_person"]
    status: Literal["running", "done", "failed"]
    done: int
    total: int
    url: Annotated[str, Field(description="This job; of an export that is done, its zip.")]
    created_at: datetime
    ended_at: datetime | None
    size: Annotated[int | None, Field(description="Bytes of an export's zip.")]
    sha256: Annotated[str | None, Field(description="Of an export's zip, in hexadecimal.")]
    items: NotRequired[list[JobItem]]


class Accepted(TypedDict):
    """It will be done."""

    job: Job


class Warning(TypedDict):
    """Something that is allowed and may not be meant."""

    rule: str
    field: str
    message: str


class EmbedKey(TypedDict):
    """A publishable key."""

    id: str
    key: str
    template_id: str
    environment: Literal["test", "live"]
    allowed_domains: list[str]
    created_at: datetime
    revoked_at: datetime | None
    warnings: list[str]


class Secret(TypedDict):
    """A secret key or a webhook secret. `value` is shown once, when it is made."""

    id: str
    name: str
    value: NotRequired[str]
    created_at: datetime
    revoked_at: datetime | None


class IdentitySecret(TypedDict):
    """A way to sign identity tokens; `kid` stands in their headers. `value` (HS256) is shown once, when it is made."""

    id: str
    name: str
    kid: str
    alg: Literal["HS256", "EdDSA"]
    public_key: str | None
    value: NotRequired[str]
    created_at: datetime
    revoked_at: datetime | None


class OutputSecret(TypedDict):
    """A secret that outputs may name. Its value is never shown."""

    id: str
    secret_id: Annotated[str, Field(description="The same as `id`.")]
    name: str
    description: str
    status: Literal["active", "deleted"]
    created_at: datetime
    updated_at: datetime


class SentAgain(TypedDict):
    """How many deliveries are due again."""

    destination: str
    count: int


class Unfinished(TypedDict):
    """An answer that was cut, and how much of it was said."""

    utterance_id: str
    chars: int


class Resumption(TypedDict):
    """What a start restored, and why."""

    resumed: bool
    reason: str
    turns: int
    goals: dict[str, str]
    proof: str
    unfinished: Unfinished | None


class Visit(TypedDict):
    """A session that a browser holds: connect to `socket_url` and say hello with `token`."""

    session_id: str
    token: str
    expires_at: datetime
    socket_url: str
    resumption: Resumption


class Recognised(TypedDict):
    """What came of saying who a running talk is with."""

    outcome: Annotated[
        Literal["unchanged", "renamed", "adopted", "kept", "reopened", "detached"],
        Field(description="`adopted`, `reopened`: `visit` takes the place of the running one. `kept`: still nobody's."),
    ]
    visit: Visit | None


class SignedOut(TypedDict):
    """The browser is a stranger now."""

    signed_out: bool


class Device(TypedDict):
    """A browser in which somebody talked as this person."""

    id: str
    host: Annotated[str | None, Field(description="Of the page around the conversation.")]
    created_at: datetime
    last_seen_at: datetime
    verified_at: Annotated[datetime | None, Field(description="When a verified session was first held by it.")]
    revoked_at: datetime | None


class MemoryLine(TypedDict):
    """One line of what is remembered: a captured value (`kind: fact`), or the person's own words (`words`)."""

    id: str
    kind: Literal["fact", "words"]
    goal_id: str | None
    field: str | None
    value: Any
    text: str | None
    interview_id: str
    message_id: str | None
    proof: str
    at: datetime


class MemoryLines(TypedDict):
    """All of them, the newest first."""

    items: list[MemoryLine]
    next_cursor: None
    has_more: bool


class LineForgotten(TypedDict):
    """A line that is told no more."""

    deleted: bool
    id: str


class Devices(TypedDict):
    """All of them, the latest seen first."""

    items: list[Device]
    next_cursor: None
    has_more: bool


class Visibility(TypedDict):
    """Views that show the launcher or do not: exact names, or a beginning with `*`."""

    include: list[str]
    exclude: list[str]


class Launcher(TypedDict):
    """How the floating button looks, and where it is shown."""

    enabled: bool
    label: str
    icon: str | None
    color: str | None
    position: str
    visibility: Visibility


class TemplateVersion(TypedDict):
    """One version of a template."""

    id: str
    version: int
    name: str
    is_active_version: bool
    created_at: datetime
    published_at: datetime | None


class Health(TypedDict):
    """How the server is."""

    status: str
