"""The life of a conversation. Nothing else moves the status.

from         to           when
created      joined       somebody's first hello
created      expired      24 h, nobody came
created      processing   ended before anybody came
joined       processing   ended: by the agent, the API, the participant, the time limit, or abandoned
processing   completed    summary and findings stand, end-of-session outputs are owed
processing   failed       they could not be made
"""

from datetime import datetime, timedelta
from typing import Literal

Status = Literal["created", "joined", "processing", "completed", "failed", "expired"]
EndedBy = Literal["agent", "api", "participant", "time", "abandoned"]

#: A conversation in one of these can be resumed.
OPEN: frozenset[Status] = frozenset({"created", "joined"})

EXPIRES_AFTER = timedelta(hours=24)
ABANDONED_AFTER = timedelta(minutes=10)

#: The hosted product's other words for a status, taken by list filters.
ALIASES: dict[str, Status] = {"not_started": "created", "in_progress": "joined", "processing_failed": "failed"}


def overdue(
    status: Status,
    *,
    created_at: datetime,
    last_activity_at: datetime,
    left_at: datetime | None = None,
    resumable_for: timedelta | None,
    now: datetime,
    abandoned_after: timedelta = ABANDONED_AFTER,
) -> Status | None:
    """What time alone does to a conversation that nobody attends: `expired`, `processing` (abandoned), or None.

    `resumable_for` is the resumption window, None where the conversation cannot be resumed: then it is abandoned after
    `abandoned_after`. For as long after the last listener left (`left_at`), nothing is.
    """
    if status == "created" and now - created_at >= EXPIRES_AFTER:
        return "expired"
    if left_at is not None and now - left_at < abandoned_after:
        return None
    if status == "joined" and now - last_activity_at >= (resumable_for or abandoned_after):
        return "processing"
    return None
