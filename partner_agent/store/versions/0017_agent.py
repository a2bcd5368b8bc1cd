"""What orders of the last day named, to count how often people are asked about in other ways."""

import sqlalchemy as sa
from alembic import op

revision = "agent_0017"
down_revision = "agent_0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "choices",
        sa.Column("key", sa.LargeBinary(16), primary_key=True),
        sa.Column("request", sa.LargeBinary(32), primary_key=True),
        sa.Column("choice", sa.LargeBinary(32), nullable=False),
        sa.Column("taken", sa.String(20), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("choices_by_time", "choices", ["taken"])
