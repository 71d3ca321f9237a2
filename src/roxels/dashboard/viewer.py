"""Who looks at a page."""

import msgspec

from roxels.storage.audit import Actor
from roxels.storage.operators import Operator
from roxels.storage.transaction import Environment


class Viewer(msgspec.Struct, frozen=True, kw_only=True):
    """An operator who is signed in, and which environment they look at. `csrf` belongs into their forms."""

    operator: Operator
    environment: Environment
    token: str
    csrf: str

    @property
    def actor(self) -> Actor:
        """The operator, as the audit log calls them."""
        return Actor("operator", self.operator.id)
