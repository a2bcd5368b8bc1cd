"""Synthetic rows of submissions, and the keys to them."""

import sqlalchemy as sa
from alembic import op

revision = "agent_0004"
down_revision = "agent_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them."""
    op.create_table(
        "synthetic_keys",
        sa.Column("submission", sa.String(32), primary_key=True),
        sa.Column("source", sa.String(40), nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("prepared_on", sa.String(10), nullable=False),
    )
    op.create_table(
        "synthetic_rows",
        sa.Column("handle", sa.LargeBinary(16), primary_key=True),
        sa.Column("submission", sa.String(32), nullable=False),
        sa.Column("nonce", sa.LargeBinary(12), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary, nullable=False),
    )
    op.create_index("synthetic_rows_by_submission", "synthetic_rows", ["submission"])
