"""What PostgreSQL still knows of deleted rows, made forgotten as far as a client of it can.

it keeps                                     until
the rows' own space                          VACUUM frees it; overwritten by what is written there next
samples of values for its planner            ANALYZE takes new ones; of a table that has become empty it keeps
(`pg_stats`), which any query can read       the old ones, so there they are dropped
old pages in its log                         it recycles them: docs/operations.md

All of this takes the owner of the tables. Another role's VACUUM is passed over by the server in silence, so it is said
here.
"""

import logging

from sqlalchemy import Connection, Engine, Table, literal, select, text

from roxels.storage.schema import metadata

logger = logging.getLogger(__name__)

_OWNED = """
SELECT bool_and(pg_has_role(current_user, tableowner, 'USAGE')) FROM pg_tables WHERE schemaname = current_schema()
"""
_SAMPLED = """
SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS kind
FROM pg_stats s JOIN pg_attribute a ON a.attrelid = CAST(:quoted AS regclass) AND a.attname = s.attname
WHERE s.schemaname = current_schema() AND s.tablename = :name
"""


def vacuum(engine: Engine) -> None:
    """Free the space of deleted rows, and let the planner forget them."""
    with engine.connect() as connection:
        connection = connection.execution_options(isolation_level="AUTOCOMMIT")
        if not connection.execute(text(_OWNED)).scalar():
            logger.warning(
                "Nothing was vacuumed: the server's role does not own the tables. Run VACUUM (ANALYZE) as their owner.",
                extra={"action": "vacuum"},
            )
            return
        for table in metadata.sorted_tables:
            connection.execute(text(f"VACUUM (ANALYZE) {_quoted(connection, table)}"))
    for table in metadata.sorted_tables:
        with engine.begin() as connection:
            if _is_empty(connection, table):
                _drop_samples(connection, table)


def _drop_samples(connection: Connection, table: Table) -> None:
    """Drop the samples of an empty table: a change of a column's type does so, here a change to the type it has."""
    quoted = _quoted(connection, table)
    columns = connection.execute(text(_SAMPLED), {"quoted": quoted, "name": table.name}).all()
    if not columns:
        return
    connection.execute(text(f"LOCK TABLE {quoted} IN ACCESS EXCLUSIVE MODE"))
    if _is_empty(connection, table):
        changes = ", ".join(f'ALTER COLUMN "{column.name}" TYPE {column.kind}' for column in columns)
        connection.execute(text(f"ALTER TABLE {quoted} {changes}"))


def _is_empty(connection: Connection, table: Table) -> bool:
    return connection.execute(select(literal(1)).select_from(table).limit(1)).first() is None


def _quoted(connection: Connection, table: Table) -> str:
    return connection.dialect.identifier_preparer.format_table(table)
