"""What a commit owes to the outside: which deliveries, and the exact bytes of each.

The body is frozen here, in the transaction of the commit that causes it: every attempt sends the same bytes under the
same `Idempotency-Key`.
"""

from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec

from roxels.domain.context import merged, render
from roxels.domain.conversation import Conversation
from roxels.domain.events import GoalCommitted
from roxels.domain.templates import Output, Template


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """Whose conversation it is, as deliveries name it."""

    conversation_id: str
    person_id: str
    external_id: str | None


class Owed(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery that a commit made due."""

    type: str
    url: str
    goal_id: str
    commit_id: str
    revision: int
    body: str


PORTS = {"http": 80, "https": 443}


def destination(url: str) -> str:
    """Where a URL leads: scheme, host and port. What leads to one destination for one person arrives in order.

    Empty where the URL cannot be read (it fails at its first attempt).
    """
    try:
        parts = urlsplit(url)
        port = parts.port or PORTS.get(parts.scheme)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.hostname}:{port}" if parts.hostname else ""


def owed(
    template: Template,
    commit: GoalCommitted,
    state: Conversation,
    subject: Subject,
    *,
    session_id: str | None,
    at: datetime,
) -> list[Owed]:
    """The deliveries of this commit: the goal's own outputs and those of the template that wait for this goal.

    `state` is the conversation with the commit in it; `session_id` the visit whose words led here.
    """
    context = merged(state.server_context, state.browser_context, subject.external_id)
    body = msgspec.json.encode(_body(template, commit, subject, context, session_id=session_id, at=at)).decode()
    values = {"context": context, "data": commit.data, "goal": {"id": commit.goal_id}, "commit_id": commit.commit_id}
    goal = template.goal(commit.goal_id)
    return [
        Owed(
            type=output.type,
            url=render(output.url, values, lambda value: quote(value, safe="")),
            goal_id=commit.goal_id,
            commit_id=commit.commit_id,
            revision=commit.revision,
            body=body,
        )
        for output in (*(goal.outputs if goal else ()), *_waiting_for(commit.goal_id, template))
    ]


def _waiting_for(goal_id: str, template: Template) -> tuple[Output, ...]:
    return tuple(output for output in template.outputs if output.trigger_goal == goal_id)


def _body(
    template: Template,
    commit: GoalCommitted,
    subject: Subject,
    context: dict[str, Any],
    *,
    session_id: str | None,
    at: datetime,
) -> dict[str, Any]:
    return {
        "session_id": session_id,
        "interview_id": subject.conversation_id,
        "template_id": template.id,
        "goal_id": commit.goal_id,
        "commit_id": commit.commit_id,
        "revision": commit.revision,
        "committed_at": at,
        "data": commit.data,
        "context": context,
        "external_id": subject.external_id,
        "person_id": subject.person_id,
        "identity": {"proof": commit.proof},
    }
