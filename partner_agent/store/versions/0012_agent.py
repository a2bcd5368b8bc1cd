"""Checks of the national data opt-out: when, and who was let through."""

import sqlalchemy as sa
from alembic import op

revision = "agent_0012"
down_revision = "agent_0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them."""
    op.create_table(
        "opt_out_lists",
        sa.Column("source", sa.String(40), primary_key=True),
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("checked", sa.String(10), nullable=False),
        sa.Column("imported", sa.String(20), nullable=False),
        sa.Column("numbers", sa.Integer, nullable=False),
    )
    op.create_table(
        "opt_out_passed",
        sa.Column("source", sa.String(40), primary_key=True),
        sa.Column("hash", sa.LargeBinary(16), primary_key=True),
        sqlite_with_rowid=False,
    )
