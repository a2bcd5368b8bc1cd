"""How a run finds candidate pairs."""

import sqlalchemy as sa
from alembic import op

revision = "hub_0005"
down_revision = "hub_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add it."""
    op.add_column("runs", sa.Column("mode", sa.String(5), nullable=False, server_default="exact"))
