"""What an environment tells about itself: lifecycle events, to addresses that asked for them.

    event                    when                                             it names
    conversation.completed   a conversation came to its end                   the conversation and its person
    conversation.abandoned   the same, because nobody came back               the same
    conversation.failed      it ended, and could not be completed             the same, and why
    delivery.failed          a delivery was refused, is out of attempts,      the delivery, conversation and person
                             or could not be made
    person.erased            the receipt of a person stands                   nobody: the receipt, a salted subject

None holds what was said or captured. Each is owed in the transaction in which it happens, once for every address that
wants it, and goes the way of all deliveries: signed, tried again, visible. What names a person goes with her.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, get_args

import msgspec

from roxels.domain.conversation import Conversation
from roxels.domain.ids import derived
from roxels.domain.occasions import Subject
from roxels.domain.receipts import Receipt
from roxels.domain.rendering import Frozen

EventName = Literal[
    "conversation.completed", "conversation.abandoned", "conversation.failed", "delivery.failed", "person.erased"
]
EVENTS: tuple[EventName, ...] = get_args(EventName)
#: The `type` of a delivery that tells of one.
TYPE = "lifecycle"


class Happened(msgspec.Struct, frozen=True, kw_only=True):
    """One lifecycle event."""

    #: The `Idempotency-Key` of all that tell of it.
    id: str
    name: EventName
    at: datetime
    #: What it says beside these.
    told: Mapping[str, Any]
    #: Whom and what it names, so that it goes with them.
    person_id: str | None = None
    conversation_id: str | None = None

    def request(self, url: str, environment: str) -> Frozen:
        """The request that tells of it, frozen to the byte."""
        body = {
            "event": self.name,
            "event_id": self.id,
            "created_at": self.at,
            "environment": environment,
            **self.told,
        }
        return Frozen(url=url, headers={"Content-Type": "application/json"}, body=msgspec.json.encode(body).decode())


class LostDelivery(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery that has failed."""

    id: str
    type: str
    goal_id: str | None
    commit_id: str
    destination: str
    attempts: int
    status_code: int | None
    error: str | None


def of_end(state: Conversation, subject: Subject, at: datetime) -> Happened:
    """A conversation is completed, or has failed."""
    name: EventName = "conversation.abandoned" if state.ended_by == "abandoned" else "conversation.completed"
    name = "conversation.failed" if state.status == "failed" else name
    return Happened(
        id=derived("evt", subject.conversation_id, "end"),
        name=name,
        at=at,
        told={
            **_named(subject),
            "template_id": state.template_id,
            "template_version": state.template_version,
            "status": state.status,
            "ended_by": state.ended_by,
            "failure": state.failure,
            "identity": {"proof": state.top_proof.name},
            "started_at": state.started_at,
            "ended_at": state.ended_at,
        },
        person_id=subject.person_id,
        conversation_id=subject.conversation_id,
    )


def of_failure(lost: LostDelivery, subject: Subject, at: datetime) -> Happened:
    """A delivery has failed; it may fail again when it is sent again."""
    return Happened(
        id=derived("evt", lost.id, str(lost.attempts)),
        name="delivery.failed",
        at=at,
        told={
            **_named(subject),
            "delivery_id": lost.id,
            "type": lost.type,
            "goal_id": lost.goal_id,
            "commit_id": lost.commit_id,
            "destination": lost.destination,
            "attempts": lost.attempts,
            "status_code": lost.status_code,
            "error": lost.error,
        },
        person_id=subject.person_id,
        conversation_id=subject.conversation_id,
    )


def of_erasure(receipt: Receipt, at: datetime) -> Happened:
    """A person is erased. Nothing here leads to her."""
    told = {"receipt_id": receipt.id, "subject": receipt.subject}
    return Happened(id=derived("evt", receipt.id), name="person.erased", at=at, told=told)


def _named(subject: Subject) -> dict[str, Any]:
    return {
        "interview_id": subject.conversation_id,
        "external_id": subject.external_id,
        "person_id": subject.person_id,
    }
