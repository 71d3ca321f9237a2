"""Conversations. On the wire they are `interviews`; `/v1/conversations` is the same address under its newer name."""

from datetime import datetime
from typing import Annotated, Literal, get_args

from fastapi import APIRouter, Query
from starlette.responses import Response

from roxels.actions import adopt, finish, inspect, open
from roxels.api import bodies, paging, shapes, views
from roxels.api.answers import Answer, reply
from roxels.api.auth import Secret
from roxels.api.reading import StrictRoute
from roxels.domain.life import ALIASES, Status
from roxels.storage import conversations
from roxels.storage.conversations import ConversationFilter
from roxels.storage.transaction import Writing

router = APIRouter(route_class=StrictRoute, tags=["Conversations"])

StatusWord = Literal[
    "created",
    "joined",
    "processing",
    "completed",
    "failed",
    "expired",
    "not_started",
    "in_progress",
    "processing_failed",
]
#: Every word for a status that a filter takes, and what it means.
STATUSES: dict[str, Status] = {status: status for status in get_args(Status)} | ALIASES


@router.post("", status_code=201, response_model=shapes.Opened, responses={200: {"model": shapes.Opened}})
async def open_interview(key: Secret, body: bodies.OpenInterview) -> Response:
    """Open a conversation, or continue the one that this person left: 201 new, 200 resumed.

    The session is verified: your server says who it is. Give `session_id` to your page for
    `Roxels.start({sessionId})`, or send somebody the `join_url`; either lets one browser in, once.
    """
    wish = body.wish()

    def work(tx: Writing) -> Answer:
        visit = open.open_visit(tx, wish, key.services.ids)
        return Answer(
            body=views.opened(visit, key.services.origin),
            status=200 if visit.resumed else 201,
            person_id=visit.person.id,
            conversation_id=visit.conversation_id,
        )

    return await key.post(work)


@router.get("", response_model=shapes.Page[shapes.ConversationItem])
async def list_interviews(
    key: Secret,
    template_id: str | None = None,
    person_id: str | None = None,
    external_id: Annotated[str | None, Query(description="Your own id of a person, compared exactly.")] = None,
    status: Annotated[StatusWord | None, Query()] = None,
    since: Annotated[datetime | None, Query(description="Begun at this time or later.")] = None,
    cursor: paging.After = None,
    limit: paging.Limit = 50,
) -> Response:
    """List conversations, newest first."""
    wanted = ConversationFilter(
        template_id=template_id,
        person_id=person_id,
        external_id=external_id,
        status=STATUSES.get(status or ""),
        since=bodies.aware(since),
    )
    found = await key.read(conversations.listed, wanted, paging.span(cursor, limit))
    return reply(Answer(body=views.page(found, views.conversation_item)))


@router.get("/{interview_id}", response_model=shapes.Conversation)
async def get_interview(key: Secret, interview_id: str) -> Response:
    """Read a conversation whole: transcript, goals, captured data, outputs with every attempt, visits.

    Reading does not make a listener: the agent says nothing because of it.
    """
    return reply(Answer(body=views.conversation(await key.read(inspect.conversation, interview_id))))


@router.get("/{interview_id}/events", response_model=shapes.Events)
async def list_events(
    key: Secret,
    interview_id: str,
    after: Annotated[int, Query(ge=0, le=2**53, description="`next_after` of the page before.")] = 0,
    limit: paging.Limit = 50,
) -> Response:
    """Read the facts of a conversation in their order: all that it is, is a fold of these."""
    facts = await key.read(inspect.events, interview_id, after=after, limit=limit + 1)
    return reply(Answer(body=views.events(facts, after, limit)))


@router.post("/{interview_id}/sessions", status_code=201, response_model=shapes.Link)
async def open_session(key: Secret, interview_id: str) -> Response:
    """Open one more visit to an open conversation: a fresh link, which lets one browser in."""

    def work(tx: Writing) -> Answer:
        visit = open.open_again(tx, interview_id, key.services.ids)
        key.note(tx, "identity.link_opened", ("interview", interview_id))
        shown = views.link(visit, key.services.origin)
        return Answer(body=shown, status=201, person_id=visit.person.id, conversation_id=interview_id)

    return await key.post(work)


@router.post("/{interview_id}/end", response_model=shapes.Conversation)
async def end_interview(key: Secret, interview_id: str) -> Response:
    """End a conversation. An answer under way ends where it is; ending a second time changes nothing."""

    def work(tx: Writing) -> Answer:
        finish.end_conversation(tx, interview_id, "api")
        whole = inspect.conversation(tx, interview_id)
        return Answer(body=views.conversation(whole), person_id=whole.person.id, conversation_id=interview_id)

    return await key.post(work)


@router.post("/{interview_id}/adopt", response_model=shapes.Conversation)
async def adopt_interview(key: Secret, interview_id: str, body: bodies.Adopt) -> Response:
    """Say whose an anonymous or unproven conversation is after all. A link that can be undone, never a rewrite.

    Your word makes what was said in it known to this person's verified visits. Two verified persons never merge: 409.
    """

    def work(tx: Writing) -> Answer:
        adopt.adopt(tx, interview_id, body.person_id)
        key.note(tx, "identity.adopted", ("interview", interview_id))
        whole = inspect.conversation(tx, interview_id)
        return Answer(body=views.conversation(whole), person_id=whole.person.id, conversation_id=interview_id)

    return await key.post(work)


@router.delete("/{interview_id}/adopt", response_model=shapes.Conversation)
async def undo_adoption(key: Secret, interview_id: str) -> Response:
    """Give the whole conversation back to its first person. What the adopter's visits said stays in her memory."""

    def work(tx: Writing) -> inspect.WholeConversation:
        adopt.undo(tx, interview_id)
        key.note(tx, "identity.adoption_undone", ("interview", interview_id))
        return inspect.conversation(tx, interview_id)

    return reply(Answer(body=views.conversation(await key.write(work))))
