"""The installation itself: whether its database answers, and the few facts that belong to no environment."""

from sqlalchemy import select

from roxels.storage.database import Backend
from roxels.storage.schema import installation
from roxels.storage.transaction import INSERT, Across


def answers(view: Across) -> bool:
    """Ask the database for something small. Raises what it raises."""
    view.first(select(installation.c.name).limit(1))
    return True


def get(database: Backend, name: str) -> str | None:
    """A fact of the installation; outside any transaction, since it is asked before anybody is served."""
    with database.readers.begin() as connection:
        value: str | None = connection.execute(select(installation.c.value).where(installation.c.name == name)).scalar()
        return value


def put(database: Backend, facts: dict[str, str]) -> None:
    """Keep facts of the installation. Before serving, or through `Store.alone`."""
    with database.writer.begin() as connection:
        new = INSERT[connection.dialect.name](installation)
        or_else = new.on_conflict_do_update(index_elements=["name"], set_={"value": new.excluded.value})
        connection.execute(or_else, [{"name": name, "value": value} for name, value in facts.items()])
