"""Bring a database to the schema that the code expects. Alembic is heavy, so this is imported only to take a step."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, func, select

from roxels.storage.database import Backend

#: The advisory lock of whoever migrates.
MIGRATING = 7_697_365
FOLDER = Path(__file__).parent / "migrations"


def upgrade(database: Backend) -> None:
    """Take every step that is missing, in one transaction; of several processes that start at once, one does."""
    with database.writer.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(select(func.pg_advisory_xact_lock(MIGRATING)))
        command.upgrade(_config(connection), "head")


def write_revision(database: Backend, number: str, message: str) -> Path:
    """Write the step from this database to `storage.schema` into a new file, to be read and mended by a person."""
    with database.writer.begin() as connection:
        command.revision(_config(connection), message=message, autogenerate=True, rev_id=number)
    return next((FOLDER / "versions").glob(f"{number}_*.py"))


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
