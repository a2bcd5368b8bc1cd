"""What a pair to rule on shows: similarities, answers, what a ruling would change."""

import sqlalchemy as sa
from alembic import op

revision = "hub_0015"
down_revision = "hub_0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them."""
    for column in (
        sa.Column("together", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("left_records", sa.Integer, nullable=False, server_default="1"),
        sa.Column("right_records", sa.Integer, nullable=False, server_default="1"),
        sa.Column("views", sa.Text, nullable=False, server_default="[]"),
        sa.Column("answer", sa.String(9)),
    ):
        op.add_column("review_pairs", column)
