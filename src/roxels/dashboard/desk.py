"""What the pages work with: the services of the API's door, who erases, and how a page is drawn."""

from typing import Literal, Protocol

import msgspec

from roxels.actions.eraser import Erased, Sweeping
from roxels.api.services import Services
from roxels.dashboard.pages import Pages
from roxels.storage.transaction import Environment


class Eraser(Protocol):
    """What erases for good (`actions.eraser.Eraser`)."""

    async def conversation(
        self, environment: Environment, conversation_id: str, reason: Literal["dashboard"]
    ) -> Erased | Sweeping:
        """Erase a conversation. Raises `NotFound`."""
        ...

    async def person(self, environment: Environment, person_id: str, reason: Literal["dashboard"]) -> Erased | Sweeping:
        """Erase a person with everything that leads to her. Raises `NotFound`."""
        ...


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """All that a page may need."""

    services: Services
    eraser: Eraser
    pages: Pages
