"""What is known of families by indicators that are no needs: the programme, bands, the start."""

import sqlalchemy as sa
from alembic import op

revision = "hub_0023"
down_revision = "hub_0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table; of older runs nothing is known."""
    op.create_table(
        "family_details",
        sa.Column("run", sa.String(32), primary_key=True),
        sa.Column("family", sa.String(34), primary_key=True),
        sa.Column("indicator", sa.String(40), primary_key=True),
        sa.Column("state", sa.String(8), nullable=False),
    )
