"""What makes a run's persons of weighed pairs."""

import sqlalchemy as sa
from alembic import op

revision = "hub_0013"
down_revision = "hub_0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add it."""
    op.add_column(
        "runs", sa.Column("solver", sa.String(8), nullable=False, server_default="average")
    )
