"""Which records were calibrated, by agreement and source, whatever the submission."""

import sqlalchemy as sa
from alembic import op

revision = "agent_0006"
down_revision = "agent_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table; what replaces a column goes."""
    op.create_table(
        "refinement_calibrated",
        sa.Column("agreement", sa.LargeBinary(32), primary_key=True),
        sa.Column("source", sa.String(40), primary_key=True),
        sa.Column("handle", sa.LargeBinary(16), primary_key=True),
        sqlite_with_rowid=False,
    )
    op.drop_column("refinement_counts", "calibrated")
