"""Deliveries of a person are found by their order; an index of the person alone was the beginning of that one."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward; there is no way back but a backup."""
    op.drop_index(op.f("ix_deliveries_person_id"), "deliveries")
