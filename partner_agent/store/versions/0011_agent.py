"""The register of protected people and homes; reasons of refusals as they are known here."""

import sqlalchemy as sa
from alembic import op

revision = "agent_0011"
down_revision = "agent_0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them."""
    op.create_table(
        "protections",
        sa.Column("entry", sa.Integer, primary_key=True),
        sa.Column("hash", sa.LargeBinary(32), primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("what", sa.String(8), nullable=False),
        sa.Column("source", sa.String(40), nullable=False),
        sa.Column("added", sa.String(20), nullable=False),
    )
    op.create_index("protections_by_hash", "protections", ["hash"])
    op.add_column("answers", sa.Column("here", sa.String(80)))
