"""Which rulings a run was given, and whether it followed them."""

import sqlalchemy as sa
from alembic import op

revision = "hub_0012"
down_revision = "hub_0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "run_rulings",
        sa.Column("run", sa.String(32), primary_key=True),
        sa.Column("ruling", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("followed", sa.Boolean, nullable=False),
    )
