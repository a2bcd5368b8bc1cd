"""Records that are left out at a data subject's request, and how far each request is."""

import sqlalchemy as sa
from alembic import op

revision = "hub_0010"
down_revision = "hub_0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them."""
    op.create_table(
        "left_out",
        sa.Column("party", sa.String(40), primary_key=True),
        sa.Column("handle", sa.String(32), primary_key=True),
        sa.Column("request", sa.String(32), primary_key=True),
    )
    op.create_table(
        "rights_requests",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("party", sa.String(40), nullable=False),
        sa.Column("begun", sa.String(20), nullable=False),
        sa.Column("records", sa.Integer, nullable=False),
        sa.Column("files", sa.Integer, nullable=False),
        sa.Column("runs", sa.Integer, nullable=False),
    )
