"""Reports of figures for staff, made here or shared by an analyst."""

import sqlalchemy as sa
from alembic import op

revision = "hub_0025"
down_revision = "hub_0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add both tables, with the indexes by which reports are listed and go."""
    op.create_table(
        "reports",
        sa.Column("id", sa.String(71), primary_key=True),
        sa.Column("made_of", sa.String(71), nullable=False, unique=True),
        sa.Column("agreement", sa.String(71), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("newest", sa.String(32), nullable=False),
        sa.Column("shared", sa.Boolean, nullable=False),
        sa.Column("listed", sa.Boolean, nullable=False),
        sa.Column("lines_gone", sa.Boolean, nullable=False),
        sa.Column("code", sa.String(71), nullable=False),
        sa.Column("person", sa.String(71), nullable=False),
        sa.Column("party", sa.String(40), nullable=False),
        sa.Column("made", sa.String(20), nullable=False),
        sa.Column("document", sa.Text, nullable=False),
    )
    op.create_index("reports_by_agreement", "reports", ["agreement", "made"])
    op.create_index("reports_by_newest", "reports", ["newest"])
    op.create_table(
        "report_runs",
        sa.Column("report", sa.String(71), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("run", sa.String(32), nullable=False),
    )
    op.create_index("report_runs_by_run", "report_runs", ["run"])
