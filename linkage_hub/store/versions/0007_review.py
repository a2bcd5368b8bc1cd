"""Pairs to rule on, and rulings."""

import sqlalchemy as sa
from alembic import op

revision = "hub_0007"
down_revision = "hub_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them."""
    op.create_table(
        "review_pairs",
        sa.Column("run", sa.String(32), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("left", sa.String(32), nullable=False),
        sa.Column("right", sa.String(32), nullable=False),
        sa.Column("left_source", sa.String(40), nullable=False),
        sa.Column("right_source", sa.String(40), nullable=False),
        sa.Column("probability", sa.Float, nullable=False),
        sa.Column("changes", sa.Float, nullable=False),
    )
    op.create_table(
        "rulings",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("agreement", sa.String(71), nullable=False),
        sa.Column("left", sa.String(32), nullable=False),
        sa.Column("right", sa.String(32), nullable=False),
        sa.Column("same", sa.Boolean, nullable=False),
        sa.Column("person", sa.String(71), nullable=False),
        sa.Column("party", sa.String(40), nullable=False),
        sa.Column("decided", sa.String(20), nullable=False),
    )
    op.create_index("rulings_by_agreement", "rulings", ["agreement", "number"])
