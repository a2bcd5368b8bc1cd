"""What families are counted by, whether they were referred, and what was published of a run."""

import sqlalchemy as sa
from alembic import op

revision = "hub_0024"
down_revision = "hub_0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them; of older runs nothing is known, and nothing was published here."""
    op.add_column(
        "families", sa.Column("referred", sa.String(8), nullable=False, server_default="unknown")
    )
    op.create_table(
        "family_categories",
        sa.Column("run", sa.String(32), primary_key=True),
        sa.Column("family", sa.String(34), primary_key=True),
        sa.Column("use", sa.String(10), primary_key=True),
        sa.Column("category", sa.String(40), nullable=False),
    )
    op.create_table(
        "released_tables",
        sa.Column("run", sa.String(32), primary_key=True),
        sa.Column("table", sa.String(90), primary_key=True),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("least", sa.Integer, nullable=False),
        sa.Column("hash", sa.String(71), nullable=False),
        sa.Column("numbers", sa.Text, nullable=False),
        sa.Column("published", sa.Text),
        sa.Column("released", sa.String(20), nullable=False),
    )
