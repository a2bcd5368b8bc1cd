"""Whether a run asks partners about pairs."""

import sqlalchemy as sa
from alembic import op

revision = "hub_0006"
down_revision = "hub_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add it."""
    op.add_column(
        "runs", sa.Column("questions", sa.Boolean, nullable=False, server_default=sa.true())
    )
