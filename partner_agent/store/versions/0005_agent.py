"""Rounds of refinement: what was asked and answered, and what the budgets count."""

import sqlalchemy as sa
from alembic import op

revision = "agent_0005"
down_revision = "agent_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them."""
    op.create_table(
        "refinement_rounds",
        sa.Column("round", sa.String(71), primary_key=True),
        sa.Column("run", sa.String(32), nullable=False),
        sa.Column("agreement", sa.String(71), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("asked", sa.Integer, nullable=False),
        sa.Column("closes", sa.String(20), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("reason", sa.String(80)),
        sa.Column("event", sa.LargeBinary),
        sa.Column("logged", sa.Boolean, nullable=False),
        sa.Column("begun", sa.String(20), nullable=False),
    )
    op.create_index("refinement_rounds_by_run", "refinement_rounds", ["run"])
    op.create_table(
        "refinement_batches",
        sa.Column("round", sa.String(71), primary_key=True),
        sa.Column("batch", sa.Integer, primary_key=True),
        sa.Column("asked", sa.Integer, nullable=False),
        sa.Column("answered", sa.Integer, nullable=False),
        sa.Column("refused", sa.Text, nullable=False),
        sa.Column("delivered", sa.Boolean, nullable=False),
    )
    op.create_table(
        "refinement_pairs",
        sa.Column("pair", sa.LargeBinary(16), primary_key=True),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "refinement_counts",
        sa.Column("submission", sa.LargeBinary(16), primary_key=True),
        sa.Column("handle", sa.LargeBinary(16), primary_key=True),
        sa.Column("pairs", sa.Integer, nullable=False),
        sa.Column("calibrated", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )
