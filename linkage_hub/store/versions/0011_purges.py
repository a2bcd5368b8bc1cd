"""What was destroyed and the ledger is told of."""

import sqlalchemy as sa
from alembic import op

revision = "hub_0011"
down_revision = "hub_0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "purges",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("event", sa.LargeBinary, nullable=False),
        sa.Column("logged", sa.Boolean, nullable=False),
    )
