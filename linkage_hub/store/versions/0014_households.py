"""Who lived at which household when, and on what a membership of a family rests."""

import sqlalchemy as sa
from alembic import op

revision = "hub_0014"
down_revision = "hub_0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them."""
    op.create_table(
        "household_members",
        sa.Column("run", sa.String(32), primary_key=True),
        sa.Column("person", sa.String(34), primary_key=True),
        sa.Column("household", sa.String(32), primary_key=True),
        sa.Column("first_month", sa.Integer, nullable=False),
        sa.Column("last_month", sa.Integer),
        sa.Column("is_dated", sa.Boolean, nullable=False),
        sa.Column("is_home", sa.Boolean, nullable=False),
        sa.Column("is_institutional", sa.Boolean, nullable=False),
    )
    op.add_column(
        "family_members", sa.Column("reasons", sa.Text, nullable=False, server_default="[]")
    )
