"""Families in the order of their list, by need, by age and by person are found by indexes."""

import sqlalchemy as sa
from alembic import op

revision = "hub_0019"
down_revision = "hub_0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them."""
    needs, confidence = sa.text("needs_met DESC"), sa.text("confidence DESC")
    op.create_index(
        "families_by_order", "families", ["run", needs, confidence, "family", "flagged"]
    )
    op.create_index("family_members_by_person", "family_members", ["run", "person"])
    op.create_index("family_members_by_age", "family_members", ["run", "age_band", "family"])
    op.create_index("family_needs_by_need", "family_needs", ["run", "need", "state", "family"])
