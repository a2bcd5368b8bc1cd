"""Whether families live here still, and the last month for which a source tells."""

import sqlalchemy as sa
from alembic import op

revision = "hub_0028"
down_revision = "hub_0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add both; of older runs nobody asked."""
    op.add_column("families", sa.Column("residence", sa.String(8)))
    op.add_column("families", sa.Column("told_month", sa.Integer))
