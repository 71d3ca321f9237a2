"""A migrated database is the schema, and migrating what is migrated changes nothing (docs/house.md, habit 13)."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from roxels.storage.database import Backend, Database, newest_revision
from roxels.storage.migrate import upgrade
from roxels.storage.postgresql import PostgreSQL
from roxels.storage.schema import metadata
from tests.cluster import BOTH, Cluster


@pytest.fixture(params=BOTH)
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    """A database without anything."""
    if request.param == "sqlite":
        database: Backend = Database(tmp_path / "empty.db")
        yield database
        database.close()
        return
    cluster: Cluster = request.getfixturevalue("cluster")
    url = cluster.database(empty=True)
    database = PostgreSQL(url)
    yield database
    database.close()
    cluster.drop(url)


@pytest.fixture
def migrated(empty: Backend) -> Backend:
    upgrade(empty)
    return empty


def definitions(database: Backend) -> dict[str, object]:
    """What the database says of its tables, columns, keys and indexes."""
    asked = inspect(database.readers)
    return {
        name: (
            [(each["name"], str(each["type"]), each["nullable"]) for each in asked.get_columns(name)],
            asked.get_pk_constraint(name),
            sorted(asked.get_foreign_keys(name), key=str),
            sorted(asked.get_unique_constraints(name), key=str),
            sorted(asked.get_indexes(name), key=str),
        )
        for name in asked.get_table_names()
        if name != "alembic_version"
    }


def test_migrated_is_what_the_schema_says(migrated: Backend) -> None:
    with migrated.readers.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_migrated_and_made_at_once_are_the_same(migrated: Backend, database: Backend) -> None:
    if migrated.readers.dialect.name == database.readers.dialect.name:
        assert definitions(migrated) == definitions(database)
        assert set(definitions(database)) == set(metadata.tables)


def test_a_missing_column_is_found(migrated: Backend) -> None:
    with migrated.writer.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE erasures DROP COLUMN kind")
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata)


def test_starting_twice_is_harmless(migrated: Backend) -> None:
    before = definitions(migrated)
    upgrade(migrated)
    assert definitions(migrated) == before
    assert migrated.revision() == newest_revision()


def test_an_empty_database_has_no_revision(empty: Backend) -> None:
    assert empty.revision() is None
