"""What time may have overtaken: conversations without news, in all environments, and visits that ran out."""

from datetime import datetime

import msgspec
from sqlalchemy import literal, select, tuple_, update

from roxels.domain.life import Status
from roxels.domain.proof import Proof
from roxels.storage.pages import Cursor
from roxels.storage.schema import conversations, sessions
from roxels.storage.transaction import Across, AcrossWriting


class Idle(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation without news, as its row has it: enough to judge without reading its log."""

    id: str
    status: Status
    template_id: str
    template_version: int
    #: No later visit goes on with it, whatever its template says: it is nobody's, or a trial.
    is_fleeting: bool
    speaker: str | None
    created_at: datetime
    last_activity_at: datetime
    left_at: datetime | None


def conversations_since(
    view: Across, status: Status, until: datetime, *, after: Cursor | None = None, limit: int
) -> list[Idle]:
    """Those in this status whose last activity lies before `until`, the longest idle first, page by page."""
    order = tuple_(conversations.c.last_activity_at, conversations.c.id)
    query = (
        select(conversations)
        .where(conversations.c.status == status, conversations.c.last_activity_at <= until)
        .order_by(conversations.c.last_activity_at, conversations.c.id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(
            conversations.c.last_activity_at >= after.at,
            order > tuple_(literal(after.at, conversations.c.last_activity_at.type), literal(after.id)),
        )
    return [
        Idle(
            id=row.id,
            status=row.status,
            template_id=row.template_id,
            template_version=row.template_version,
            is_fleeting=row.top_proof == Proof.anonymous or row.is_trial,
            speaker=row.speaker,
            created_at=row.created_at,
            last_activity_at=row.last_activity_at,
            left_at=row.left_at,
        )
        for row in view.all(query)
    ]


def end_visits(tx: AcrossWriting, *, limit: int) -> int:
    """Mark visits whose time is up as ended then, at most `limit`; says how many. Their tokens opened nothing since.

    It is no fact of the conversation: nobody did anything, and its last activity stays what it was.
    """
    query = select(sessions.c.id).where(sessions.c.ended_at.is_(None), sessions.c.expires_at <= tx.now).limit(limit)
    found = [row.id for row in tx.all(query)]
    return tx.run(update(sessions).where(sessions.c.id.in_(found)).values(ended_at=sessions.c.expires_at))
