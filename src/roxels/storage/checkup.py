"""What `roxels doctor` asks of a database: how it stands and what waits in it. Reads only, of all environments."""

from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import func, select

from roxels.storage.database import Backend
from roxels.storage.schema import attempts, conversations, deliveries, lifecycle_webhooks, template_versions, templates
from roxels.storage.transaction import Across

#: Templates that are looked at, the latest changed first.
TEMPLATES = 500
#: A delivery that was due so long ago has nobody who sends it, if nothing else was sent since then either: behind a
#: receiver in trouble deliveries wait however much a worker does.
LATE = timedelta(minutes=2)


class Design(msgspec.Struct, frozen=True, kw_only=True):
    """A template in its active version, as its author wrote it."""

    id: str
    environment: str
    raw: dict[str, Any]


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """What was found."""

    durable: bool
    newest_activity: datetime | None
    late_deliveries: int
    failed_deliveries: int
    failed_conversations: int
    #: Of lifecycle webhooks.
    lifecycle_urls: list[str]
    designs: list[Design]


def examine(database: Backend, now: datetime) -> Chart:
    """Look at everything once. `now` is the time of this machine."""
    durable = database.is_durable()
    with database.readers.begin() as connection:
        view = Across(connection, now)
        return Chart(
            durable=durable,
            newest_activity=view.value(select(func.max(conversations.c.last_activity_at))),
            late_deliveries=_late(view, now - LATE),
            failed_deliveries=_count(view, deliveries.c.status == "failed"),
            failed_conversations=int(
                view.value(select(func.count()).select_from(conversations).where(conversations.c.status == "failed"))
            ),
            lifecycle_urls=[row.url for row in view.all(select(lifecycle_webhooks.c.url))],
            designs=_designs(view),
        )


def _late(view: Across, before: datetime) -> int:
    """How many deliveries were due before then, where nobody has attempted any since."""
    waits = deliveries.c.claimed_by.is_(None) & (deliveries.c.due_at < before)
    count = _count(view, (deliveries.c.status == "due") & waits)
    return 0 if count and view.first(select(attempts.c.n).where(attempts.c.at >= before).limit(1)) else count


def _count(view: Across, which: Any) -> int:
    return int(view.value(select(func.count()).select_from(deliveries).where(which)))


def _designs(view: Across) -> list[Design]:
    query = (
        select(templates.c.id, templates.c.environment, template_versions.c.raw)
        .join(
            template_versions,
            (template_versions.c.template_id == templates.c.id)
            & (template_versions.c.version == templates.c.active_version),
        )
        .where(templates.c.status == "active")
        .order_by(templates.c.updated_at.desc())
        .limit(TEMPLATES)
    )
    return [Design(id=row.id, environment=row.environment, raw=row.raw) for row in view.all(query)]
