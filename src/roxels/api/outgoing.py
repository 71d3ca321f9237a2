"""What we call, as JSON: what a delivery sends, outputs tried out, lifecycle webhooks.

The shape of each answer stands above the function that makes it.
"""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field
from typing_extensions import TypedDict

from roxels.actions.inspect import Sent
from roxels.actions.rehearse import Rehearsed
from roxels.api import shapes, views
from roxels.domain.lifecycle import EventName
from roxels.domain.rendering import Frozen
from roxels.outbound.attempt import FAULTS, Outcome
from roxels.storage.lifecycle import Hook


class MadeRequest(TypedDict):
    """A request as it would be sent. To it come the signatures and `Idempotency-Key`."""

    method: str
    url: Annotated[str, Field(description="Secrets stand in it, and in all the rest, by name only.")]
    headers: dict[str, str]
    body: Annotated[str | None, Field(description="The exact text; null where the method carries none.")]


def made_request(made: Frozen) -> MadeRequest:
    """A frozen request; a user name and password in its address are left out."""
    return {"method": made.method, "url": views.redacted(made.url), "headers": made.headers, "body": made.body}


class SentDelivery(shapes.Delivery):
    """A delivery with what it sends."""

    request: Annotated[MadeRequest | None, Field(description="null while it waits for the answer that it is made of.")]


def sent(found: Sent) -> SentDelivery:
    """A delivery with what it sends."""
    request = None if found.request is None else made_request(found.request)
    return {**views.delivery(found.delivery), "request": request}


class Preview(TypedDict):
    """What an output would send, of sample data."""

    request: MadeRequest
    unknown_variables: Annotated[list[str], Field(description="They have no value, and stay empty.")]
    secrets: Annotated[list[str], Field(description="The names of the secrets that it needs.")]
    missing_secrets: Annotated[list[str], Field(description="Those of them that are not there.")]


class TestAttempt(TypedDict):
    """How the one attempt came out."""

    status_code: int | None
    duration_ms: int
    error: Annotated[str | None, Field(description="What went wrong, by the names of `GET /v1/deliveries`.")]
    message: Annotated[str | None, Field(description="The same as a sentence.")]
    response_excerpt: Annotated[str, Field(description="The first 4 KB of the answer.")]
    captured: Annotated[dict[str, Any], Field(description="What `response_capture` found in the answer.")]


class TriedOut(Preview):
    """What was sent once, and what came back."""

    attempt: TestAttempt


def preview(made: Rehearsed) -> Preview:
    """The request, and what it lacks."""
    return {
        "request": made_request(made.request),
        "unknown_variables": list(made.request.unknown),
        "secrets": sorted(made.request.secrets),
        "missing_secrets": made.missing,
    }


def tried_out(made: Rehearsed, outcome: Outcome, captured: dict[str, Any]) -> TriedOut:
    """The request, and what came of sending it."""
    return {
        **preview(made),
        "attempt": {
            "status_code": outcome.status_code,
            "duration_ms": outcome.duration_ms,
            "error": outcome.error,
            "message": None if outcome.error is None else FAULTS[outcome.error].sentence,
            "response_excerpt": outcome.response_excerpt,
            "captured": captured,
        },
    }


class LifecycleWebhook(TypedDict):
    """An address that is told what happens."""

    id: str
    url: str
    events: list[EventName]
    created_at: datetime
    updated_at: datetime


def lifecycle_webhook(hook: Hook) -> LifecycleWebhook:
    """The address, and what it asked for."""
    return {
        "id": hook.id,
        "url": hook.url,
        "events": list(hook.events),
        "created_at": hook.created_at,
        "updated_at": hook.updated_at,
    }
