"""The installation itself: whether its database answers."""

from sqlalchemy import select

from roxels.storage.schema import installation
from roxels.storage.transaction import Across


def answers(view: Across) -> bool:
    """Ask the database for something small. Raises what it raises."""
    view.first(select(installation.c.name).limit(1))
    return True
