"""What persons are found by; those who are there already are found by it too."""

import sqlalchemy as sa
from alembic import op

from roxels.storage import schema
from roxels.storage.finding import keys_of

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

#: Persons that are read at once.
AT_ONCE = 1000

persons = sa.table("persons", *map(sa.column, ("id", "environment", "external_id", "name", "email")))


def upgrade() -> None:
    """Forward; there is no way back but a backup."""
    words = op.create_table(
        "person_words",
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("word", schema.Letters, nullable=False),
        sa.Column("environment", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_person_words_person_id")),
        sa.PrimaryKeyConstraint("person_id", "word", name=op.f("pk_person_words")),
    )
    _fill(words)
    op.create_index(
        op.f("ix_person_words_environment_word_person_id"), "person_words", ["environment", "word", "person_id"]
    )


def _fill(words: sa.Table) -> None:
    connection, last = op.get_bind(), ""
    while True:
        query = sa.select(persons).where(persons.c.id > last).order_by(persons.c.id).limit(AT_ONCE)
        found = connection.execute(query).all()
        if not found:
            return
        last = found[-1].id
        rows = [
            {"person_id": row.id, "environment": row.environment, "word": word}
            for row in found
            for word in keys_of(row.external_id, row.name, row.email)
        ]
        if rows:
            connection.execute(sa.insert(words), rows)
