"""Which program made a run: its version and the hash of its files."""

import sqlalchemy as sa
from alembic import op

revision = "hub_0021"
down_revision = "hub_0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add it; of older runs nobody knows."""
    op.add_column("runs", sa.Column("program", sa.Text))
