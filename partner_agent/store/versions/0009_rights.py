"""Data subjects' requests, the records that they are about, and what is blocked."""

import sqlalchemy as sa
from alembic import op

revision = "agent_0009"
down_revision = "agent_0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "rights_requests",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("agreement", sa.String(71), nullable=False),
        sa.Column("received", sa.String(10), nullable=False),
        sa.Column("due", sa.String(10), nullable=False),
        sa.Column("extended", sa.Boolean, nullable=False),
        sa.Column("opened", sa.String(20), nullable=False),
        sa.Column("carried_out", sa.String(20)),
        sa.Column("closed", sa.String(20)),
        sa.Column("outcome", sa.String(12)),
        sa.Column("lifted", sa.String(20)),
        sa.Column("named_after", sa.String(20)),
    )
    op.create_table(
        "rights_records",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("request", sa.String(32), nullable=False),
        sa.Column("source", sa.String(40), nullable=False),
        sa.Column("locator", sa.LargeBinary(32), nullable=False),
        sa.Column("handle", sa.LargeBinary(16)),
        sa.Column("digest", sa.LargeBinary(32)),
    )
    op.create_index("rights_records_by_request", "rights_records", ["request"])
    op.create_table(
        "rights_blocks",
        sa.Column("source", sa.String(40), primary_key=True),
        sa.Column("locator", sa.LargeBinary(32), primary_key=True),
        sa.Column("request", sa.String(32), primary_key=True),
    )
    op.create_table(
        "rights_events",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("request", sa.String(32), nullable=False),
        sa.Column("event", sa.LargeBinary, nullable=False),
        sa.Column("logged", sa.Boolean, nullable=False),
    )
