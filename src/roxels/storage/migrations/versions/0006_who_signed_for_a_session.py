"""Sessions say which identity secret signed for them; of those that stand already nobody knows it."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward; there is no way back but a backup."""
    op.add_column("sessions", sa.Column("identity_secret_id", sa.String(), nullable=True))
    op.create_index(op.f("ix_sessions_identity_secret_id"), "sessions", ["identity_secret_id"])
