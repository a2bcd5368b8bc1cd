"""Profiles of submissions that were told to a hub, and in which rounds."""

import sqlalchemy as sa
from alembic import op

revision = "agent_0014"
down_revision = "agent_0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "refinement_profiles",
        sa.Column("submission", sa.LargeBinary(32), primary_key=True),
        sa.Column("round", sa.String(71), primary_key=True),
        sa.Column("profile", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
