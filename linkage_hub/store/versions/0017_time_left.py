"""What time left is told from: a run's plan, and the share of a job that cost nothing."""

import sqlalchemy as sa
from alembic import op

revision = "hub_0017"
down_revision = "hub_0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add it."""
    op.add_column("jobs", sa.Column("free", sa.Float, nullable=False, server_default="0"))
    op.add_column("runs", sa.Column("plan", sa.Text))
