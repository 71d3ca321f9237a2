"""The installation itself: whether its database answers, and the few facts that belong to no environment."""

from sqlalchemy import delete, insert, select

from roxels.storage.database import Database
from roxels.storage.schema import installation
from roxels.storage.transaction import Across


def answers(view: Across) -> bool:
    """Ask the database for something small. Raises what it raises."""
    view.first(select(installation.c.name).limit(1))
    return True


def get(database: Database, name: str) -> str | None:
    """A fact of the installation; outside any transaction, since it is asked before anybody is served."""
    with database.readers.begin() as connection:
        value: str | None = connection.execute(select(installation.c.value).where(installation.c.name == name)).scalar()
        return value


def put(database: Database, facts: dict[str, str]) -> None:
    """Keep facts of the installation. Before serving, or through `Store.alone`."""
    with database.writer.begin() as connection:
        connection.execute(delete(installation).where(installation.c.name.in_(facts)))
        connection.execute(insert(installation), [{"name": name, "value": value} for name, value in facts.items()])
