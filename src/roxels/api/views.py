"""Domain to JSON: the only place. The shapes are those of `shapes`; times stay times until they are sent."""

import base64
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from importlib.metadata import version
from typing import Any, Literal, TypeVar, assert_never, cast
from urllib.parse import urlsplit, urlunsplit

import msgspec

from roxels.actions import eraser
from roxels.actions.admit import Admitted
from roxels.actions.forget_line import line_id
from roxels.actions.inspect import WholeConversation
from roxels.actions.open import Opened
from roxels.api import paging, shapes
from roxels.api.services import RunsWith
from roxels.domain import soundness
from roxels.domain.context import unproven
from roxels.domain.conversation import Conversation, Message, SessionState, Unfinished
from roxels.domain.errors import Internal
from roxels.domain.events import Fact, name_of
from roxels.domain.memory import Line, Remembered
from roxels.domain.persons import Person
from roxels.domain.receipts import Receipt
from roxels.domain.resumption import Report
from roxels.domain.templates import Template
from roxels.storage.audit import AuditEntry
from roxels.storage.conversations import Outline
from roxels.storage.deliveries import Delivery
from roxels.storage.devices import Device
from roxels.storage.identities import IdentitySecret
from roxels.storage.jobs import Item, Job
from roxels.storage.keys import ApiKey, EmbedKey, WebhookSecret
from roxels.storage.pages import Page
from roxels.storage.receipts import ChainLink
from roxels.storage.retention import Overdue, Rule
from roxels.storage.secrets import Secret as OutputSecret
from roxels.storage.sessions import VisitOutline
from roxels.storage.templates import StoredTemplate, VersionOutline
from roxels.storage.transaction import Environment

T = TypeVar("T")
V = TypeVar("V")

#: Said to whoever makes a key for everybody.
CLAIMED = (
    "With this key a browser may claim any external_id: it identifies, it does not authenticate. Whoever guesses one "
    "can continue what that person said in unverified visits. Open visits to sensitive conversations with "
    "POST /v1/interviews from your server; what is said in those is never opened by a claim."
)
#: Said of a key without domains.
ANYWHERE = "This key works on every site; name the domains that may use it."


def page(found: Page[T], shown: Callable[[T], V]) -> shapes.Page[V]:
    """One page of a list."""
    return {
        "items": [shown(item) for item in found.items],
        "next_cursor": None if found.next is None else paging.written(found.next),
        "has_more": found.next is not None,
    }


def person(kept: Person) -> shapes.Person:
    """A person, for a customer's server; a browser never sees one."""
    return {
        "id": kept.id,
        "external_id": kept.external_id,
        "name": kept.name,
        "email": kept.email,
        "phone": kept.phone,
        "metadata": kept.metadata,
        "org_context": kept.org_context,
        "first_seen_at": kept.first_seen_at,
        "last_seen_at": kept.last_seen_at,
        "conversation_count": kept.conversation_count,
    }


# Conversations ------------------------------------------------------------------------------------------------------


def opened(visit: Opened, origin: str) -> shapes.Opened:
    """A visit that a customer's server opened; the link in it is shown once."""
    return {
        "id": visit.conversation_id,
        "session_id": visit.session_id,
        "template_id": visit.state.template_id,
        "template_version": visit.state.template_version,
        "status": visit.state.status,
        "resumed": visit.resumed,
        "reason": visit.judged,
        "join_url": join_url(visit, origin),
        "created_at": visit.created_at,
        "expires_at": visit.expires_at,
        "person": {"id": visit.person.id, "external_id": visit.person.external_id, "name": visit.person.name},
    }


def link(visit: Opened, origin: str) -> shapes.Link:
    """One more visit to a conversation; the link in it is shown once."""
    return {"session_id": visit.session_id, "join_url": join_url(visit, origin), "expires_at": visit.expires_at}


def join_url(visit: Opened, origin: str) -> str:
    """The page that joins; its secret stands after `#`, so that it reaches no server's log."""
    return f"{origin}/join/i/{visit.conversation_id}#{visit.join_secret}"


def conversation(whole: WholeConversation) -> shapes.Conversation:
    """A conversation with all that belongs to it."""
    state = whole.stored.state
    visits = [session(visit, state.ended_at) for visit in state.sessions.values()]
    if state.created_at is None or state.last_activity_at is None:
        raise Internal
    return {
        "id": whole.stored.id,
        "session_id": visits[-1]["id"] if visits else None,
        "template_id": state.template_id,
        "template_version": state.template_version,
        "status": state.status,
        "ended_by": state.ended_by,
        "created_at": state.created_at,
        "started_at": state.started_at,
        "ended_at": state.ended_at,
        "last_activity_at": state.last_activity_at,
        "adopted_at": state.adopted_at,
        "adopted_from": whole.linked_person_id if state.adopted_at else None,
        "persons": [person(whole.person)],
        "sessions": visits,
        "context": {**state.browser_context, **state.server_context},
        "context_from_browser": unproven(state.server_context, state.browser_context),
        "transcript": transcript(state, whole.stored.said_so_far),
        "goals": goals(whole.template, state),
        "data": {goal_id: goal.data for goal_id, goal in state.goals.items() if goal.data},
        "findings": list(state.findings),
        "summary": state.summary,
        "failure": state.failure,
        "outputs": {"webhooks": [delivery(each) for each in whole.deliveries]},
    }


def conversation_item(outline: Outline) -> shapes.ConversationItem:
    """A conversation in a list."""
    visits = [_session_of_outline(visit, outline.ended_at) for visit in outline.visits]
    return {
        "id": outline.id,
        "session_id": visits[-1]["id"] if visits else None,
        "template_id": outline.template_id,
        "template_version": outline.template_version,
        "status": outline.status,
        "ended_by": outline.ended_by,
        "created_at": outline.created_at,
        "started_at": outline.started_at,
        "ended_at": outline.ended_at,
        "last_activity_at": outline.last_activity_at,
        "adopted_at": outline.adopted_at,
        "persons": [person(outline.person)],
        "sessions": visits,
    }


def transcript(state: Conversation, said_so_far: str) -> list[shapes.Message]:
    """All messages in their order, an answer under way last."""
    finished = [_message(message) for message in state.transcript]
    return finished + ([_under_way(state.unfinished, said_so_far)] if state.unfinished else [])


def goals(template: Template, state: Conversation) -> list[shapes.Goal]:
    """Every goal of the template, as it stands."""
    return [
        {
            "id": goal.id,
            "status": state.goal_status(goal.id),
            "revision": state.goal(goal.id).revision,
            "commit_id": state.goal(goal.id).commit_id,
            "data": state.goal(goal.id).data,
        }
        for goal in template.goals
    ]


def session(state: SessionState, over_since: datetime | None) -> shapes.Session:
    """One visit; it is over at the latest when its conversation is."""
    return {
        "id": state.id,
        "proof": state.proof,
        "method": state.method,
        "device": state.device,
        "reason": state.reason,
        "started_at": state.started_at,
        "ended_at": state.ended_at or over_since,
    }


def events(facts: list[Fact], after: int, limit: int) -> shapes.Events:
    """Facts in their order; one more than `limit` was read where there are more."""
    shown = facts[:limit]
    return {
        "items": [event(fact) for fact in shown],
        "next_after": shown[-1].seq if shown else after,
        "has_more": len(facts) > limit,
    }


def event(fact: Fact) -> dict[str, Any]:
    """One fact: where it stands, and all that it carries."""
    fields = msgspec.structs.asdict(fact.event)
    return {"seq": fact.seq, "type": name_of(fact.event), "at": fact.at, "session_id": fact.session_id, **fields}


def _message(message: Message) -> shapes.Message:
    return {
        "id": message.id,
        "seq": message.seq,
        "role": message.role,
        "text": message.text,
        "at": message.at,
        "session_id": message.session_id,
        "heard": message.heard,
        "final": True,
        "interrupted": message.interrupted,
    }


def _under_way(unfinished: Unfinished, said_so_far: str) -> shapes.Message:
    return {
        "id": unfinished.utterance_id,
        "seq": unfinished.seq,
        "role": "agent",
        "text": said_so_far,
        "at": unfinished.at,
        "session_id": unfinished.session_id,
        "heard": None,
        "final": False,
        "interrupted": False,
    }


def _session_of_outline(visit: VisitOutline, over_since: datetime | None) -> shapes.Session:
    return {
        "id": visit.id,
        "proof": visit.proof.name,
        "method": visit.method,
        "device": visit.device,
        "reason": visit.reason,
        "started_at": visit.created_at,
        "ended_at": visit.ended_at or over_since,
    }


# Deliveries ---------------------------------------------------------------------------------------------------------


def delivery(kept: Delivery) -> shapes.Delivery:
    """What a commit owes to one address, with every attempt."""
    # One that is held back by an earlier one waits for that, not for a time.
    has_a_time = kept.status == "due" or (kept.status == "waiting" and len(kept.attempts) > 0)
    return {
        "id": kept.id,
        "interview_id": kept.conversation_id,
        "goal_id": kept.goal_id,
        "commit_id": kept.commit_id,
        "revision": kept.revision,
        "type": kept.type,
        "method": kept.method,
        "url": redacted(kept.url),
        "unknown_variables": list(kept.unknown),
        "status": cast(Literal["waiting", "due", "delivered", "failed"], kept.status),
        "attempts": [
            {
                "n": attempt.n,
                "at": attempt.at,
                "status_code": attempt.status_code,
                "duration_ms": attempt.duration_ms,
                "error": attempt.error,
                "response_excerpt": attempt.response_excerpt,
            }
            for attempt in kept.attempts
        ],
        "next_attempt_at": kept.due_at if has_a_time else None,
        "created_at": kept.created_at,
    }


def redacted(url: str) -> str:
    """The address without a user name and password."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "(not an address)"
    if "@" not in parts.netloc:
        return url
    return urlunsplit(parts._replace(netloc="***@" + parts.netloc.rpartition("@")[2]))


# Templates ----------------------------------------------------------------------------------------------------------


def template(kept: StoredTemplate, missing: Collection[str] = ()) -> dict[str, Any]:
    """A template as it was written, with what we add. `missing`: secrets that it names and that are not there."""
    return {
        **kept.raw,
        "id": kept.id,
        "version": kept.version,
        "status": kept.status,
        "warnings": soundness.warnings(kept.raw, missing),
        "created_at": kept.created_at,
        "updated_at": kept.updated_at,
    }


def template_item(kept: StoredTemplate) -> dict[str, Any]:
    """A template in a list: without its goals and settings."""
    return {key: value for key, value in template(kept).items() if key not in ("goals", "phases", "settings")}


def template_version(template_id: str, outline: VersionOutline) -> shapes.TemplateVersion:
    """One version in the history of a template."""
    return {
        "id": template_id,
        "version": outline.version,
        "name": outline.name,
        "is_active_version": outline.is_active,
        "created_at": outline.created_at,
        "published_at": outline.published_at,
    }


# Keys ---------------------------------------------------------------------------------------------------------------


def embed_key(key: EmbedKey) -> shapes.EmbedKey:
    """A publishable key, with what its maker should know."""
    warnings = [CLAIMED] if key.environment == "live" else []
    return {
        "id": key.id,
        "key": key.key,
        "template_id": key.template_id,
        "environment": key.environment,
        "allowed_domains": list(key.allowed_domains),
        "created_at": key.created_at,
        "revoked_at": key.revoked_at,
        "warnings": warnings + ([] if key.allowed_domains else [ANYWHERE]),
    }


def secret(kept: ApiKey | WebhookSecret, value: str | None = None) -> shapes.Secret:
    """A secret key or webhook secret; `value` only when it was made just now."""
    shown: shapes.Secret = {
        "id": kept.id,
        "name": kept.name,
        "created_at": kept.created_at,
        "revoked_at": kept.revoked_at,
    }
    if value is not None:
        shown["value"] = value
    return shown


def identity_secret(kept: IdentitySecret, value: str | None = None) -> shapes.IdentitySecret:
    """A way to sign identity tokens; `value` only when it was made just now."""
    shown: shapes.IdentitySecret = {
        "id": kept.id,
        "name": kept.name,
        "kid": kept.id,
        "alg": kept.alg,
        "public_key": kept.public_key,
        "created_at": kept.created_at,
        "revoked_at": kept.revoked_at,
    }
    if value is not None:
        shown["value"] = value
    return shown


def output_secret(kept: OutputSecret, status: Literal["active", "deleted"] = "active") -> shapes.OutputSecret:
    """A secret of outputs, without its value."""
    return {
        "id": kept.id,
        "secret_id": kept.id,
        "name": kept.name,
        "description": kept.description,
        "status": status,
        "created_at": kept.created_at,
        "updated_at": kept.updated_at,
    }


# Browser ------------------------------------------------------------------------------------------------------------


def visit(admitted: Admitted, origin: str) -> shapes.Visit:
    """A session, for the browser that holds it. Nothing here leads to a person."""
    return {
        "session_id": admitted.session_id,
        "token": admitted.token,
        "expires_at": admitted.expires_at,
        "socket_url": f"ws{origin.removeprefix('http')}/v1/wire",
        "resumption": resumption(admitted.report),
    }


def memory_line(line: Remembered | Line) -> shapes.MemoryLine:
    """A line of memory, with where it came from."""
    is_fact = isinstance(line, Remembered)
    return {
        "id": line_id(line),
        "kind": "fact" if is_fact else "words",
        "goal_id": line.goal_id if isinstance(line, Remembered) else None,
        "field": line.field if isinstance(line, Remembered) else None,
        "value": line.value if isinstance(line, Remembered) else None,
        "text": line.text if isinstance(line, Line) else None,
        "interview_id": line.conversation_id,
        "message_id": line.message_id,
        "proof": line.proof,
        "at": line.at,
    }


def device(known: Device) -> shapes.Device:
    """A browser that is known; nothing here opens anything."""
    return {
        "id": known.id,
        "host": known.host,
        "created_at": known.created_at,
        "last_seen_at": known.last_seen_at,
        "verified_at": known.verified_at,
        "revoked_at": known.revoked_at,
    }


def resumption(report: Report) -> shapes.Resumption:
    """What a start restored, and why."""
    return cast(shapes.Resumption, msgspec.structs.asdict(report))


def launcher(look: Mapping[str, Any], name: str) -> shapes.Launcher:
    """How the floating button looks; `look` is what the template says of it, `name` the template's."""
    visibility = look.get("visibility") or {}
    return {
        "enabled": bool(look.get("enabled", bool(look))),
        "label": look.get("label") or name,
        "icon": look.get("icon"),
        "color": look.get("color"),
        "position": look.get("position") or "bottom-right",
        "visibility": {"include": visibility.get("include") or [], "exclude": visibility.get("exclude") or []},
    }


# Erasing ------------------------------------------------------------------------------------------------------------


def erased(answer: eraser.Erased | eraser.Sweeping) -> shapes.Erased | shapes.Sweeping:
    """What came of the wish to erase."""
    match answer:
        case eraser.Erased():
            return {"deleted": True, "id": answer.id, "receipt": receipt(answer.receipt)}
        case eraser.Sweeping():
            return {"status": "sweeping", "id": answer.id}
        case _:
            assert_never(answer)


def job(kept: Job, origin: str, items: list[Item] | None = None) -> shapes.Job:
    """Long work. What is to be erased is not named: by the time anyone looks, it may be gone."""
    address = f"{origin}/v1/jobs/{kept.id}"
    is_file = kept.kind == "export_person" and kept.status == "done"
    shown: shapes.Job = {
        "id": kept.id,
        "kind": kept.kind,
        "status": kept.status,
        "done": kept.done,
        "total": kept.total,
        "url": f"{address}/file" if is_file else address,
        "created_at": kept.created_at,
        "ended_at": kept.ended_at,
        "size": kept.size,
        "sha256": kept.sha256,
    }
    if items is not None and kept.kind != "export_person":
        shown["items"] = [{"status": item.status, "receipt_id": item.receipt_id} for item in items]
    return shown


def installation(made: RunsWith, origin: str) -> shapes.Installation:
    """What an installation runs with."""
    return {
        "version": version("roxels"),
        "origin": origin,
        "has_public_url": made.has_public_url,
        "database": made.database,
        "model": made.model,
        "worker": made.worker,
        "limits": made.limits,
        "private_targets": made.private_targets,
    }


def retention(rule: Rule, counts: Overdue) -> shapes.Retention:
    """For how long what is kept, and what would go now."""
    return {
        "transcripts_days": rule.transcripts_days,
        "deliveries_days": rule.deliveries_days,
        "audit_days": rule.audit_days,
        "updated_at": rule.updated_at,
        "would_remove": {"transcripts": counts.transcripts, "deliveries": counts.deliveries, "audit": counts.audit},
    }


def audit_entry(entry: AuditEntry) -> shapes.AuditEntry:
    """One line of the audit log."""
    return {
        "id": entry.id,
        "environment": entry.environment,
        "at": entry.at,
        "actor": {"kind": entry.actor_kind, "id": entry.actor_id},
        "action": entry.action,
        "subject_kind": entry.subject_kind,
        "subject": entry.subject,
        "detail": entry.detail,
    }


def receipt(kept: Receipt) -> shapes.Receipt:
    """A receipt, to the letter: whoever checks it needs every field as it was signed."""
    return {
        "id": kept.id,
        "subject": kept.subject,
        "counts": kept.counts,
        "erased_at": kept.erased_at,
        "reason": kept.reason,
        "prev": kept.prev,
        "key_id": kept.key_id,
        "signature": kept.signature,
    }


def receipt_keys(current: str, public: Mapping[str, bytes]) -> shapes.ReceiptKeys:
    """The public halves, as `roxels receipt verify --keys` reads them."""
    return {
        "current": current,
        "keys": [
            {"key_id": key_id, "algorithm": "Ed25519", "public_key": base64.b64encode(raw).decode()}
            for key_id, raw in public.items()
        ],
    }


def receipts(found: list[ChainLink], limit: int, environment: Environment) -> shapes.Page[shapes.Receipt]:
    """Receipts from the newest on; one more than `limit` was read where there are more."""
    shown, has_more = found[:limit], len(found) > limit
    return {
        "items": [receipt(link.receipt) for link in shown],
        "next_cursor": paging.place_written(environment, shown[-1].n) if has_more else None,
        "has_more": has_more,
    }
