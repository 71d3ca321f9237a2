"""A conversation says whether it tries a version out. Those that stand already do not: there was no way to."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward; there is no way back but a backup."""
    op.add_column("conversations", sa.Column("is_trial", sa.Boolean(), server_default=sa.false(), nullable=False))
