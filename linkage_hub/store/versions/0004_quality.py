"""Keys to synthetic records, and the table of a run's quality."""

import sqlalchemy as sa
from alembic import op

revision = "hub_0004"
down_revision = "hub_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them."""
    op.create_table(
        "sentinel_runs",
        sa.Column("run", sa.String(32), primary_key=True),
        sa.Column("opened", sa.String(20), nullable=False),
        sa.Column("closes", sa.String(20), nullable=False),
    )
    op.create_table(
        "sentinel_keys",
        sa.Column("submission", sa.String(32), primary_key=True),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("received", sa.String(20), nullable=False),
    )
    op.add_column("runs", sa.Column("quality_table", sa.Text))
