"""The agent's first tables."""

import sqlalchemy as sa
from alembic import op

revision = "agent_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create them."""
    op.create_table(
        "records",
        sa.Column("handle", sa.LargeBinary(16), primary_key=True),
        sa.Column("source", sa.String(40), nullable=False),
        sa.Column("locator", sa.LargeBinary(32), nullable=False),
        sa.Column("occurrence", sa.Integer, nullable=False),
        sa.Column("nonce", sa.LargeBinary(12), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary, nullable=False),
        sa.Column("protected", sa.Boolean, nullable=False),
        sa.Column("prepared_on", sa.String(10), nullable=False),
        sa.UniqueConstraint("source", "locator", "occurrence"),
    )
    op.create_table(
        "submissions",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("source", sa.String(40), nullable=False),
        sa.Column("agreement", sa.String(71), nullable=False),
        sa.Column("manifest", sa.LargeBinary, nullable=False),
        sa.Column("content_sha256", sa.String(71), nullable=False),
        sa.Column("content_bytes", sa.Integer, nullable=False),
        sa.Column("records", sa.Integer, nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("reason", sa.String(80)),
        sa.Column("created", sa.String(20), nullable=False),
    )
    op.create_index("submissions_by_source", "submissions", ["source", "created"])
    op.create_table(
        "withdrawals",
        sa.Column("grant_id", sa.String(32), primary_key=True),
        sa.Column("event", sa.LargeBinary, nullable=False),
        sa.Column("accepted", sa.String(20), nullable=False),
        sa.Column("logged", sa.Boolean, nullable=False),
    )
    op.create_table(
        "answers",
        sa.Column("request", sa.String(71), primary_key=True),
        sa.Column("sealed", sa.LargeBinary),
        sa.Column("reason", sa.String(80)),
        sa.Column("event", sa.LargeBinary, nullable=False),
        sa.Column("answered", sa.String(20), nullable=False),
        sa.Column("logged", sa.Boolean, nullable=False),
        sa.Column("delivered", sa.Boolean, nullable=False),
    )
    op.create_index("answers_by_time", "answers", ["answered"])
