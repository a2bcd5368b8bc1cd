"""What an answer rests on and what took it back; which key the vault was made with."""

import sqlalchemy as sa
from alembic import op

revision = "agent_0002"
down_revision = "agent_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them."""
    op.add_column("answers", sa.Column("order_document", sa.LargeBinary))
    op.add_column("answers", sa.Column("retraction", sa.LargeBinary))
    op.create_table(
        "vault_check",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("value", sa.LargeBinary(32), nullable=False),
    )
