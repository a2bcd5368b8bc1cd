"""What was destroyed at the end of its retention, as the ledger is told."""

import sqlalchemy as sa
from alembic import op

revision = "agent_0007"
down_revision = "agent_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "purges",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("event", sa.LargeBinary, nullable=False),
        sa.Column("logged", sa.Boolean, nullable=False),
    )
