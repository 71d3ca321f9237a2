"""What the pages work with: the services of the API's door, how a page is drawn, and how a look at one is noted."""

from datetime import timedelta

import msgspec

from roxels.actions.audit import Action
from roxels.api.services import Services
from roxels.dashboard.pages import Pages
from roxels.dashboard.viewer import Viewer
from roxels.domain.receipts import Kind, subject_of
from roxels.storage import audit
from roxels.storage.pages import Span
from roxels.storage.transaction import Writing


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """All that a page may need."""

    services: Services
    pages: Pages

    async def note_view(
        self, viewer: Viewer, action: Action, about: tuple[Kind, str], *, since: timedelta | None = None
    ) -> None:
        """Note that the operator looks at it; with `since`, unless that was noted so lately that it is one look."""

        def work(tx: Writing) -> None:
            if since is None or not _is_noted(tx, since):
                self.services.audit.note(tx, viewer.actor, action, about)

        def _is_noted(tx: Writing, lately: timedelta) -> bool:
            wanted = audit.AuditFilter(
                action=action,
                actor_id=viewer.actor.id,
                subjects=[subject_of(self.services.audit.salt, *about)],
                since=tx.now - lately,
            )
            return bool(audit.listed(tx, wanted, Span(limit=1)).items)

        await self.services.store.write(viewer.environment, work)
