"""When what an answer holds was destroyed; the mark of a used request stays."""

import sqlalchemy as sa
from alembic import op

revision = "agent_0013"
down_revision = "agent_0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("answers", sa.Column("destroyed", sa.String(20)))
