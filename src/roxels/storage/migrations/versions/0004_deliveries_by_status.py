"""Deliveries are found by status, and audit lines by whom they are about, newest first."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward; there is no way back but a backup."""
    op.create_index(
        op.f("ix_deliveries_environment_status_created_at_id"),
        "deliveries",
        ["environment", "status", "created_at", "id"],
    )
    op.drop_index(op.f("ix_audit_environment_subject"), "audit")
    op.create_index(op.f("ix_audit_environment_subject_at_id"), "audit", ["environment", "subject", "at", "id"])
