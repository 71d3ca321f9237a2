"""What callers send. Unknown keys are refused, except where the customer's own data stands: templates, `context`,
`metadata`, `org_context`. Types are meant as written: a number is no string, and `"true"` is no boolean.
"""

import json
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from roxels.actions.jobs import MOST
from roxels.actions.open import VisitRequest
from roxels.actions.recognise import Claim
from roxels.actions.rehearse import Rehearsal
from roxels.actions.retention import MOST_DAYS
from roxels.api.device import Known
from roxels.domain.domains import cleaned
from roxels.domain.errors import Invalid
from roxels.domain.lifecycle import EVENTS, EventName
from roxels.domain.persons import external_id, person_name
from roxels.domain.proof import Proof
from roxels.domain.rehearsal import Given, Which
from roxels.storage.jobs import NamedBy
from roxels.storage.keys import EmbedKey
from roxels.storage.retention import Rule
from roxels.storage.sessions import Visit

#: Bytes of a context, as JSON in UTF-8.
MAX_CONTEXT = 64 * 1024
MAX_EMAIL = 320
MAX_PHONE = 64

_ZONES = frozenset(available_timezones())

#: Checked by `domain.persons`, which knows the way out; here it is only described.
ExternalId = Annotated[
    Any,
    WithJsonSchema({"anyOf": [{"type": "string", "minLength": 1, "maxLength": 255}, {"type": "null"}]}),
    Field(description="Your own id for this person: any stable string.", examples=["user_123"]),
]
Name = Annotated[
    Any,
    WithJsonSchema({"anyOf": [{"type": "string", "maxLength": 255}, {"type": "null"}]}),
    Field(description="What to call this person.", examples=["Ada Lovelace"]),
]
Context = Annotated[dict[str, Any] | None, Field(description="Anything the agent may know; up to 64 KB of JSON.")]
Domain = Annotated[str, Field(examples=["app.example.com"])]


class Body(BaseModel):
    """A body with known keys."""

    model_config = ConfigDict(extra="forbid", strict=True, use_attribute_docstrings=True)


class Participant(Body):
    """Who a conversation is with."""

    external_id: ExternalId = None
    name: Name = None


class OpenInterview(Body):
    """Open a conversation for somebody whom your server knows."""

    template_id: str
    persons: Annotated[list[Participant] | None, Field(max_length=1)] = None
    """Nobody, or one. Nobody opens an anonymous conversation."""
    context: Context = None
    resume: bool | None = None
    """`false` begins a new conversation even where one could be resumed."""
    template_version: Annotated[int | None, Field(ge=1, lt=2**31)] = None
    """A version to try out, e.g. a draft; not given: the published one. With it a new conversation begins, on that
    version, and no later visit resumes it."""
    allowed_domains: list[Domain] | None = None
    """Which pages may show it; not given: those of the template's keys."""

    def wish(self) -> VisitRequest:
        """What is wanted. Raises `Invalid`."""
        who = self.persons[0] if self.persons else Participant()
        identity = external_id(who.external_id, "persons[0].external_id")
        return VisitRequest(
            template_id=self.template_id,
            external_id=identity,
            name=person_name(who.name, "persons[0].name"),
            source="server",
            proof=Proof.anonymous if identity is None else Proof.verified,
            method="secret_key",
            context=checked_context(self.context),
            resume=self.resume is not False,
            template_version=self.template_version,
            allowed_domains=None if self.allowed_domains is None else cleaned(self.allowed_domains),
            wants_token=False,
        )


class Adopt(Body):
    """Whose a conversation is after all."""

    person_id: Annotated[str, Field(examples=["person_…"])]
    """Our id of the person."""


class BrowserPlace(Body):
    """Where a browser asks from."""

    tab: Annotated[str | None, Field(max_length=64)] = None
    """A random mark of the tab; opens nothing by itself."""
    host_origin: Annotated[str | None, Field(max_length=300)] = None
    """The origin of the page around the frame."""
    timezone: Annotated[str | None, Field(max_length=64, examples=["Europe/Lisbon"])] = None
    """IANA name; dates are understood in it. One that is not known counts as UTC."""
    locale: Annotated[str | None, Field(max_length=64, examples=["pt-PT"])] = None
    """The browser's language."""

    def zone(self) -> str | None:
        """The time zone, where one is given: its name, or UTC for one that is not known."""
        if not self.timezone:
            return None
        return self.timezone if self.timezone in _ZONES else "UTC"

    def origins(self, header: str | None) -> tuple[str, ...]:
        """All that was said of where this comes from."""
        return tuple(origin for origin in (header, self.host_origin) if origin is not None)


class StartSession(BrowserPlace):
    """Start a visit from a web page."""

    external_id: ExternalId = None
    person_name: Name = None
    identity_token: str | None = None
    """A JWT that your backend signed; proves who it is. One that does not hold is refused."""
    context: Context = None
    resume: bool | None = None
    """`false` begins a new conversation even where one could be resumed."""

    def wish(self, key: EmbedKey, browser: Known | None) -> VisitRequest:
        """What is wanted. Raises `Invalid`."""
        identity = external_id(self.external_id)
        return VisitRequest(
            template_id=key.template_id,
            external_id=identity,
            name=person_name(self.person_name, "person_name"),
            source="browser",
            proof=Proof.anonymous if identity is None else Proof.claimed,
            method="none" if identity is None else "external_id",
            context=checked_context(self.context),
            resume=self.resume is not False,
            timezone=self.zone() or "UTC",
            locale=self.locale or "en",
            browser=browser.hash if browser else None,
            host=browser.host if browser else None,
            tab=self.tab,
        )


class IdentifySession(Body):
    """Say who a running talk is with."""

    external_id: ExternalId = None
    person_name: Name = None
    identity_token: str | None = None
    """A JWT that your backend signed; proves who it is. One that does not hold is refused."""
    host_origin: Annotated[str | None, Field(max_length=300)] = None
    """The origin of the page around the frame."""

    def claim(self, visit: Visit, browser: Known | None) -> Claim:
        """What is claimed. Raises `Invalid`."""
        return Claim(
            visit=visit,
            external_id=external_id(self.external_id),
            person_name=person_name(self.person_name, "person_name"),
            identity_token=self.identity_token,
            browser=browser.hash if browser else None,
            host=browser.host if browser else None,
        )


class ResetSession(Body):
    """Sign a browser out."""

    token: Annotated[str | None, Field(max_length=200)] = None
    """Of the session that it holds."""
    host_origin: Annotated[str | None, Field(max_length=300)] = None
    """The origin of the page around the frame."""


class ExchangeSession(BrowserPlace):
    """Be let in to a visit that a server opened: with its `session_id`, or with what a join link carries."""

    session_id: str | None = None
    interview_id: str | None = None
    join_secret: str | None = None


class PersonChanges(Body):
    """What you know of a person. A key that is not sent stays as it is; null removes. In `metadata` and `org_context`
    this goes key by key."""

    name: Name = None
    email: Annotated[str | None, Field(max_length=MAX_EMAIL)] = None
    phone: Annotated[str | None, Field(max_length=MAX_PHONE)] = None
    metadata: dict[str, Any] | None = None
    org_context: dict[str, Any] | None = None

    def changes(self) -> dict[str, Any]:
        """What was sent, checked. Raises `Invalid`."""
        sent = self.model_dump(exclude_unset=True, exclude={"external_id"})
        if "name" in sent:
            sent["name"] = person_name(sent["name"])
        for name in ("metadata", "org_context"):
            _check_size(sent.get(name) or {}, name)
        return sent


class UpsertPerson(PersonChanges):
    """A person, by your own id. Without one a new person is made each time; nobody is ever matched by e-mail."""

    external_id: ExternalId = None


class CreateEmbedKey(Body):
    """A key for web pages."""

    allowed_domains: list[Domain] = []
    """`host`, `host:port` or `*.host` (any depth below it); none: every site, in `test` only."""


class CreateIdentitySecret(Body):
    """A way to sign identity tokens."""

    name: Annotated[str, Field(min_length=1, max_length=200, examples=["production server"])] = "unnamed"
    """What you will know it by."""
    alg: Literal["HS256", "EdDSA"] = "HS256"
    """HS256: we make the secret and show it once. EdDSA: you keep the private key."""
    public_key: Annotated[str | None, Field(max_length=2000)] = None
    """For EdDSA: your Ed25519 public key, as PEM."""


class CreateSecret(Body):
    """A secret key or webhook secret."""

    name: Annotated[str, Field(min_length=1, max_length=200, examples=["production server"])] = "unnamed"
    """What you will know it by."""


Days = Annotated[int | None, Field(ge=1, le=MOST_DAYS, description="null: for ever.")]


class SetRetention(Body):
    """For how many days what is kept."""

    transcripts_days: Days = None
    """Conversations, whole, from their last activity on."""
    deliveries_days: Days = None
    """Deliveries that are delivered or have failed."""
    audit_days: Days = None
    """Lines of the audit log."""

    def rule(self) -> Rule:
        """What is wanted."""
        return Rule(
            transcripts_days=self.transcripts_days, deliveries_days=self.deliveries_days, audit_days=self.audit_days
        )

    def days(self) -> dict[str, int | None]:
        """The days by name."""
        return self.model_dump()


class EraseInterviews(Body):
    """Conversations to erase."""

    ids: Annotated[list[str], Field(min_length=1, max_length=MOST)]

    def targets(self) -> list[tuple[NamedBy, str]]:
        """What to erase, in the order sent."""
        return [("interview", id) for id in self.ids]


class ErasePersons(Body):
    """Persons to erase, by our ids or by your own; up to 1,000 of both together."""

    ids: Annotated[list[str], Field(max_length=MOST)] = []
    external_ids: Annotated[list[str], Field(max_length=MOST)] = []

    def targets(self) -> list[tuple[NamedBy, str]]:
        """Whom to erase: `ids` in the order sent, then `external_ids`. Raises `Invalid`."""
        named = [checked_id(id, f"external_ids[{n}]") for n, id in enumerate(self.external_ids)]
        count = len(self.ids) + len(named)
        if not 0 < count <= MOST:
            raise Invalid(
                f"Name 1 to {MOST} persons, in `ids`, `external_ids` or both; these are {count}.", field="ids"
            )
        return [*(("person", id) for id in self.ids), *(("external_id", id) for id in named)]


def checked_id(given: str, field: str) -> str:
    """An external id that somebody can have. Raises `Invalid`."""
    checked = external_id(given, field)
    if checked is None:
        raise Invalid(f"`{field}` names nobody.", field=field)
    return checked


SecretText = Annotated[str, Field(min_length=1, max_length=16384, json_schema_extra={"writeOnly": True})]
Described = Annotated[str, Field(max_length=1000)]


class CreateOutputSecret(Body):
    """A secret that outputs may name."""

    name: Annotated[str, Field(examples=["crm"])]
    """What outputs call it: `{{secret:crm}}`."""
    value: SecretText
    """The secret itself. Never shown again."""
    description: Described = ""
    """What it is for."""


class ChangeOutputSecret(Body):
    """Another name or description."""

    name: str | None = None
    description: Described | None = None


class SecretValue(Body):
    """Another value."""

    value: SecretText


class SendAgain(Body):
    """Which deliveries to send again."""

    destination: Annotated[str, Field(max_length=2048, examples=["https://hooks.example.com"])]
    """Any address of the receiver; all that failed on the way to the same scheme, host and port are meant."""


HookUrl = Annotated[str, Field(max_length=2048, examples=["https://ops.example.com/roxels"])]
HookEvents = Annotated[list[EventName], Field(min_length=1, max_length=20)]


class CreateLifecycleWebhook(Body):
    """An address that is to be told what happens."""

    url: HookUrl
    """http or https; called as it stands."""
    events: HookEvents = list(EVENTS)
    """Of which events; not given: of all that there are today."""


class ChangeLifecycleWebhook(Body):
    """Another address, or other events."""

    url: HookUrl | None = None
    events: HookEvents | None = None


class TryOutput(Body):
    """Which output to try out, and what is to stand in place of samples.

    With `goal_id` or `phase` it is one of theirs, else one of `settings.outputs`.
    """

    output_index: Annotated[int, Field(ge=0, le=1000)] = 0
    """Counted from 0, as written."""
    goal_id: str | None = None
    phase: Annotated[int | None, Field(ge=0, le=1000)] = None
    """Counted from 0."""
    version: Annotated[int | None, Field(ge=1, lt=2**31)] = None
    """A version of the template; not given: the published one."""
    data: Annotated[dict[str, Any] | None, Field(examples=[{"company": "Example Ltd"}])] = None
    """Fields by name; the others are filled in with samples."""
    context: Context = None
    external_id: ExternalId = "sample-person"

    def wanted(self, template_id: str) -> Rehearsal:
        """What is wanted. Raises `Invalid`."""
        if self.goal_id is not None and self.phase is not None:
            raise Invalid("An output stands on a goal or on a phase: send `goal_id` or `phase`.", field="phase")
        data = self.data or {}
        _check_size(data, "data")
        return Rehearsal(
            template_id=template_id,
            version=self.version,
            which=Which(index=self.output_index, goal_id=self.goal_id, phase=self.phase),
            given=Given(data=data, context=checked_context(self.context), external_id=external_id(self.external_id)),
        )


def checked_context(context: dict[str, Any] | None) -> dict[str, Any]:
    """The context. Raises `Invalid` where it is too large."""
    given = context or {}
    _check_size(given, "context")
    return given


def aware(moment: datetime | None) -> datetime | None:
    """A time of a filter; one without a zone is UTC."""
    return moment if moment is None or moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _check_size(value: dict[str, Any], field: str) -> None:
    size = len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())
    if size > MAX_CONTEXT:
        raise Invalid(f"`{field}` is {size} bytes of JSON; at most {MAX_CONTEXT} are kept.", field=field)
