"""What the pages work with: the services of the API's door, and how a page is drawn."""

import msgspec

from roxels.api.services import Services
from roxels.dashboard.pages import Pages


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """All that a page may need."""

    services: Services
    pages: Pages
