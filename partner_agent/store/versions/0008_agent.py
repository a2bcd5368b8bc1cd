"""Parameters that decisions were given under, by agreement."""

import sqlalchemy as sa
from alembic import op

revision = "agent_0008"
down_revision = "agent_0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "refinement_parameters",
        sa.Column("agreement", sa.LargeBinary(32), primary_key=True),
        sa.Column("parameters", sa.LargeBinary(32), primary_key=True),
        sqlite_with_rowid=False,
    )
