"""A conversation's page as it goes on: server-sent events, one JSON object each.

    {"head": n, "entries": "<li …", "panels": "<section …", "said": {"id", "text"} | null}     what is new
    event: over                                                                                nothing more will come
    event: gone                                                                                it was erased

This is a reader, not a listener: it looks at the log and at the pieces of the answer under way, and no room knows of
it. So an operator who watches never lets the agent speak on to a participant who has left.

What stands in `entries` and `panels` was drawn by the same templates as the page, with everything escaped.
"""

from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
from starlette.requests import Request

from roxels.actions.browse import News, progress
from roxels.actions.inspect import WholeConversation
from roxels.dashboard import timeline
from roxels.dashboard.desk import Desk
from roxels.dashboard.viewer import Viewer
from roxels.domain.errors import NotFound
from roxels.domain.life import OPEN
from roxels.storage import operators
from roxels.storage.outbox import UNSETTLED

#: Seconds between two looks; while nothing is under way, a few times that.
LOOK, LOOK_IDLE = 0.2, 0.6
#: Looks between two checks whether the operator is still signed in (and a comment that keeps proxies waiting).
CHECK = 30

Panels = Callable[[Any, News], dict[str, Any]]


class Watch:
    """One page that watches one conversation."""

    def __init__(self, desk: Desk, viewer: Viewer, whole: WholeConversation, panels: Panels) -> None:
        self._desk = desk
        self._viewer = viewer
        self._id = whole.stored.id
        self._template = whole.template
        self._panels = panels

    async def stream(self, after: int) -> AsyncIterator[str]:
        """Everything behind `after`, then live, until the conversation is over or the operator gone."""
        made = await self._look(None)
        shown, standing = after, None
        looks = 0
        while made is not None and not self._desk.services.is_draining():
            now = _standing(made)
            if now != standing:
                is_new = standing is None or now[:2] != standing[:2]
                yield self._frame(made, shown, with_panels=is_new)
                shown, standing = made.stored.state.head, now
            if _is_over(made):
                yield "event: over\ndata: {}\n\n"
                return
            looks += 1
            if looks % CHECK == 0:
                if await self._desk.services.store.read_across(operators.by_token, self._viewer.token) is None:
                    return
                yield ": still here\n\n"
            await self._desk.services.clock.sleep(LOOK if made.stored.state.unfinished else LOOK_IDLE)
            made = await self._look(made)
        if made is None:
            yield "event: gone\ndata: {}\n\n"

    async def _look(self, before: News | None) -> News | None:
        """What there is by now; facts that were read before are not read again."""
        store, environment = self._desk.services.store, self._viewer.environment
        try:
            if before is None:
                return await store.read(environment, progress, self._id)
            made = await store.read(environment, progress, self._id, before.stored.state)
        except NotFound:
            return None
        return msgspec.structs.replace(made, facts=[*before.facts, *made.facts])

    def _frame(self, made: News, shown: int, *, with_panels: bool) -> str:
        state = made.stored.state
        pages = self._desk.pages
        entries = timeline.entries(made.facts, self._template, made.browsers, after=shown, is_later=made.is_later)
        unfinished = state.unfinished
        frame = {
            "head": state.head,
            "said": {"id": unfinished.utterance_id, "text": made.stored.said_so_far} if unfinished else None,
            "entries": pages.part("entries.html", entries=entries),
            "panels": pages.part("panels.html", csrf=self._viewer.csrf, **self._panels(self._template, made))
            if with_panels
            else None,
        }
        return f"id: {state.head}\ndata: {msgspec.json.encode(frame).decode()}\n\n"


def after_of(request: Request) -> int:
    """Where the page stands: after a broken line, what it got last; else what it was drawn with."""
    given = request.headers.get("last-event-id") or request.query_params.get("after", "")
    return int(given) if given.isdecimal() and len(given) < 16 else 0


def _standing(made: News) -> tuple[int, tuple[tuple[str, str, int], ...], int]:
    """What a page shows of it: as long as this stays, nothing has to be sent."""
    owed = tuple((each.id, each.status, len(each.attempts)) for each in made.deliveries)
    return made.stored.state.head, owed, len(made.stored.said_so_far)


def _is_over(made: News) -> bool:
    """Whether nothing can change any more."""
    status = made.stored.state.status
    return (
        status not in OPEN and status != "processing" and not any(each.status in UNSETTLED for each in made.deliveries)
    )
