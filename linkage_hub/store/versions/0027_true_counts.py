"""Of published tables of several runs: the newest run, and when their true counts were destroyed.

What was published of several runs before names none: nothing more is published of those, and their
true counts go with the first purge.
"""

import sqlalchemy as sa
from alembic import op

revision = "hub_0027"
down_revision = "hub_0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    op.add_column("released_tables", sa.Column("newest", sa.String(32)))
    op.add_column("released_tables", sa.Column("forgotten", sa.String(20)))
