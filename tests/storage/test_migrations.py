"""A migrated database is the schema, and migrating what is migrated changes nothing (docs/house.md, habit 13)."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from roxels.storage.database import Database, newest_revision
from roxels.storage.migrate import upgrade
from roxels.storage.schema import metadata


@pytest.fixture
def migrated(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "migrated.db")
    upgrade(database)
    yield database
    database.close()


def definitions(database: Database) -> list[tuple[str, str]]:
    """What SQLite says of its tables and indexes, without the layout of the text."""
    with database.readers.connect() as connection:
        rows = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
        return sorted((name, " ".join(sql.replace('"', "").split())) for name, sql in rows)


def test_migrated_is_what_the_schema_says(migrated: Database) -> None:
    with migrated.readers.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_migrated_and_made_at_once_are_the_same(migrated: Database, tmp_path: Path) -> None:
    made = Database(tmp_path / "made.db")
    made.create_all()
    own = [each for each in definitions(migrated) if each[0] != "alembic_version"]
    assert [name for name, _ in own] == [name for name, _ in definitions(made)]
    made.close()


def test_a_missing_column_is_found(migrated: Database) -> None:
    with migrated.writer.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE erasures DROP COLUMN kind")
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata)


def test_starting_twice_is_harmless(migrated: Database) -> None:
    before = definitions(migrated)
    upgrade(migrated)
    assert definitions(migrated) == before
    assert migrated.revision() == newest_revision()


def test_an_empty_database_has_no_revision(tmp_path: Path) -> None:
    database = Database(tmp_path / "empty.db")
    assert database.revision() is None
    database.close()
