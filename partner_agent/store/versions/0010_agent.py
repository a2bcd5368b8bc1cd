"""Imported consents, from the row of a file to the entry of the ledger; when people withdrew."""

import sqlalchemy as sa
from alembic import op

revision = "agent_0010"
down_revision = "agent_0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them."""
    op.create_table(
        "consent_imports",
        sa.Column("key", sa.LargeBinary(32), primary_key=True),
        sa.Column("handle", sa.LargeBinary(16), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("row", sa.Integer, nullable=False),
        sa.Column("record", sa.LargeBinary),
        sa.Column("event", sa.LargeBinary),
        sa.Column("progress", sa.String(8), nullable=False),
    )
    op.create_index("consent_imports_by_progress", "consent_imports", ["progress", "day", "row"])
    op.add_column("withdrawals", sa.Column("said", sa.String(10)))
