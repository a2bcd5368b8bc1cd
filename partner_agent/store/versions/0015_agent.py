"""When an answer was given up, since the hub did not take it while its request lived."""

import sqlalchemy as sa
from alembic import op

revision = "agent_0015"
down_revision = "agent_0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("answers", sa.Column("given_up", sa.String(20)))
