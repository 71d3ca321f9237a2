"""What an erasure under way says to everybody: whom it takes, and where something else is remembered by it."""

import sqlalchemy as sa
from alembic import op

from roxels.storage import schema

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward; there is no way back but a backup."""
    op.add_column("persons", sa.Column("is_estranged", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("conversations", sa.Column("memory_changed_at", schema.UtcDateTime(), nullable=True))
