"""What private models cost, by project and year, and the word for the ledger."""

import sqlalchemy as sa
from alembic import op

revision = "hub_0020"
down_revision = "hub_0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add both tables."""
    op.create_table(
        "epsilon_spends",
        sa.Column("project", sa.String(40), primary_key=True),
        sa.Column("year", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("agreement", sa.String(71), nullable=False),
        sa.Column("outcome", sa.String(40), nullable=False),
        sa.Column("epsilon_millionths", sa.BigInteger, nullable=False),
        sa.Column("delta_trillionths", sa.BigInteger, nullable=False),
        sa.Column("spent", sa.String(20), nullable=False),
    )
    op.create_table(
        "epsilon_events",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("event", sa.LargeBinary, nullable=False),
        sa.Column("logged", sa.Boolean, nullable=False),
    )
