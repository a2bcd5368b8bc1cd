"""What analysts look at of a finished run: its pairs, records that are alone, other thresholds."""

import sqlalchemy as sa
from alembic import op

revision = "hub_0018"
down_revision = "hub_0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add it."""
    op.create_table(
        "links",
        sa.Column("run", sa.String(32), primary_key=True),
        sa.Column("left", sa.String(32), primary_key=True),
        sa.Column("right", sa.String(32), primary_key=True),
        sa.Column("similarity", sa.Float),
        sa.Column("probability", sa.Float, nullable=False),
    )
    op.create_index("links_by_right", "links", ["run", "right"])
    op.create_table(
        "unlinked",
        sa.Column("run", sa.String(32), primary_key=True),
        sa.Column("handle", sa.String(32), primary_key=True),
        sa.Column("barrier", sa.String(20), nullable=False),
    )
    op.add_column("runs", sa.Column("thresholds", sa.Text))
    op.add_column("runs", sa.Column("unlinked", sa.Text))
