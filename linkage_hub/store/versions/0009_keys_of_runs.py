"""Keys to synthetic records are a run's own, and end with it; those of runs that ended go."""

import sqlalchemy as sa
from alembic import op

revision = "hub_0009"
down_revision = "hub_0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table anew."""
    op.drop_table("sentinel_keys")
    op.create_table(
        "sentinel_keys",
        sa.Column("run", sa.String(32), primary_key=True),
        sa.Column("submission", sa.String(32), primary_key=True),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("received", sa.String(20), nullable=False),
    )
