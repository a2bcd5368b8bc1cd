"""Rounds of refinement, a run's phases and inputs, jobs that wait for a time."""

import sqlalchemy as sa
from alembic import op

revision = "hub_0002"
down_revision = "hub_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them."""
    op.add_column("jobs", sa.Column("not_before", sa.Float, nullable=False, server_default="0"))
    op.add_column(
        "runs",
        sa.Column("phase", sa.String(12), nullable=False, server_default="candidates"),
    )
    for name in ("pairs_asked", "pairs_answered", "pairs_undecided"):
        op.add_column("runs", sa.Column(name, sa.Integer, nullable=False, server_default="0"))
    op.create_table(
        "run_inputs",
        sa.Column("run", sa.String(32), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("submission", sa.String(32), nullable=False),
        sa.Column("party", sa.String(40), nullable=False),
        sa.Column("source", sa.String(40), nullable=False),
        sa.Column("manifest_hash", sa.String(71), nullable=False),
    )
    op.create_table(
        "refinement_rounds",
        sa.Column("id", sa.String(71), primary_key=True),
        sa.Column("run", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("envelope", sa.LargeBinary, nullable=False),
        sa.Column("answer_bytes", sa.Integer, nullable=False),
        sa.Column("opened", sa.String(20), nullable=False),
        sa.Column("closes", sa.String(20), nullable=False),
    )
    op.create_index("refinement_rounds_by_run", "refinement_rounds", ["run", "kind"], unique=True)
    op.create_table(
        "refinement_parties",
        sa.Column("round", sa.String(71), primary_key=True),
        sa.Column("party", sa.String(40), primary_key=True),
        sa.Column("questions", sa.Integer, nullable=False),
        sa.Column("batches", sa.Integer, nullable=False),
        sa.Column("refused", sa.String(80)),
        sa.Column("profiles_wanted", sa.Boolean, nullable=False),
        sa.Column("profiles", sa.LargeBinary),
    )
    op.create_table(
        "refinement_batches",
        sa.Column("round", sa.String(71), primary_key=True),
        sa.Column("party", sa.String(40), primary_key=True),
        sa.Column("batch", sa.Integer, primary_key=True),
        sa.Column("sha256", sa.String(71), nullable=False),
        sa.Column("answered", sa.Integer, nullable=False),
        sa.Column("received", sa.String(20), nullable=False),
    )
