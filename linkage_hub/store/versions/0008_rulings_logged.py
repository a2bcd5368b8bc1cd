"""Which event of the ledger says that there is a ruling."""

import sqlalchemy as sa
from alembic import op

revision = "hub_0008"
down_revision = "hub_0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    op.add_column("rulings", sa.Column("event", sa.String(32)))
    op.add_column("rulings", sa.Column("salt", sa.LargeBinary(16)))
