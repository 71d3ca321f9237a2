"""Open a database for use: it answers, and stands at the schema that this code expects, or a sentence says why not."""

import importlib

from sqlalchemy.exc import DBAPIError

from roxels.storage.database import Backend, newest_revision


class Unusable(Exception):
    """The database cannot be used. Mend what the sentence names, then start again."""

    code = "database_unusable"


def revision(database: Backend) -> str | None:
    """The migration it stands at, None where it is empty. Raises `Unusable`."""
    try:
        return database.revision()
    except DBAPIError as fault:
        kind = type(fault.orig).__name__
        raise Unusable(f"The database does not answer ({kind}). Check its address, and that its server runs.") from None


def bring_up_to_date(database: Backend) -> None:
    """Take the steps that are missing. Raises `Unusable`, also where a newer version was at work."""
    stands, newest = revision(database), newest_revision()
    if stands is not None and stands > newest:
        raise Unusable(f"The database stands at {stands}; this version knows {newest}. Install a newer version.")
    if stands != newest:
        importlib.import_module("roxels.storage.migrate").upgrade(database)
