"""Which models of risk this hub has trained, and which one is shared with managers and analysts."""

import sqlalchemy as sa
from alembic import op

revision = "hub_0029"
down_revision = "hub_0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them; of models that were trained before nothing is known, so none can be shared."""
    op.create_table(
        "risk_models",
        sa.Column("hash", sa.String(71), primary_key=True),
        sa.Column("agreement", sa.String(71), nullable=False),
        sa.Column("event", sa.String(32), nullable=False),
        sa.Column("trained", sa.String(20), nullable=False),
        sa.Column("shared", sa.String(20)),
        sa.Column("document", sa.Text),
        sa.Index("risk_models_by_agreement", "agreement"),
    )
