"""Handles of consents in the ledger whose row is gone, and since when."""

import sqlalchemy as sa
from alembic import op

revision = "agent_0016"
down_revision = "agent_0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "dead_handles",
        sa.Column("handle", sa.LargeBinary(16), primary_key=True),
        sa.Column("day", sa.String(10), nullable=False),
    )
