"""The hub's first tables."""

import sqlalchemy as sa
from alembic import op

revision = "hub_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create them."""
    op.create_table(
        "submissions",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("party", sa.String(40), nullable=False),
        sa.Column("source", sa.String(40), nullable=False),
        sa.Column("agreement", sa.String(71), nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("reason", sa.String(80)),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("next_step", sa.Text, nullable=False),
        sa.Column("manifest", sa.LargeBinary, nullable=False),
        sa.Column("manifest_hash", sa.String(71), nullable=False),
        sa.Column("key_check_value", sa.String(71), nullable=False),
        sa.Column("test_vectors", sa.String(71), nullable=False),
        sa.Column("content_sha256", sa.String(71), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("received_bytes", sa.BigInteger, nullable=False),
        sa.Column("records", sa.Integer, nullable=False),
        sa.Column("received", sa.String(20), nullable=False),
        sa.Column("created", sa.String(20), nullable=False),
    )
    op.create_index("submissions_by_agreement", "submissions", ["agreement", "source", "state"])
    op.create_table(
        "secrets",
        sa.Column("agreement", sa.String(71), primary_key=True),
        sa.Column("epoch", sa.Integer, primary_key=True),
        sa.Column("recipient", sa.String(71), primary_key=True),
        sa.Column("envelope", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("subject", sa.String(71), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("progress", sa.Float, nullable=False),
        sa.Column("step", sa.String(200), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("worker", sa.String(32)),
        sa.Column("lease", sa.Float, nullable=False),
        sa.Column("started", sa.Float),
        sa.Column("created", sa.Float, nullable=False),
    )
    op.create_index("jobs_by_state", "jobs", ["state", "created"])
    op.create_index("jobs_by_subject", "jobs", ["kind", "subject"])
    op.create_table(
        "runs",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("agreement", sa.String(71), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("is_current", sa.Boolean, nullable=False),
        sa.Column("reason", sa.String(80)),
        sa.Column("created", sa.String(20), nullable=False),
        sa.Column("finished", sa.String(20)),
        sa.Column("sources", sa.Integer, nullable=False),
        sa.Column("records", sa.Integer, nullable=False),
        sa.Column("persons", sa.Integer, nullable=False),
        sa.Column("families", sa.Integer, nullable=False),
        sa.Column("flagged", sa.Integer, nullable=False),
        sa.Column("threshold", sa.Float),
        sa.Column("estimated_precision", sa.Float),
        sa.Column("estimated_recall", sa.Float),
        sa.Column("quality", sa.Text),
        sa.Column("receipt", sa.LargeBinary),
    )
    op.create_table(
        "person_records",
        sa.Column("run", sa.String(32), primary_key=True),
        sa.Column("handle", sa.String(32), primary_key=True),
        sa.Column("person", sa.String(34), nullable=False),
        sa.Column("party", sa.String(40), nullable=False),
        sa.Column("source", sa.String(40), nullable=False),
    )
    op.create_index("person_records_by_person", "person_records", ["run", "person"])
    op.create_table(
        "families",
        sa.Column("run", sa.String(32), primary_key=True),
        sa.Column("family", sa.String(34), primary_key=True),
        sa.Column("confidence", sa.Float, nullable=False),
        sa.Column("reasons", sa.Text, nullable=False),
        sa.Column("members", sa.Integer, nullable=False),
        sa.Column("adults", sa.Integer, nullable=False),
        sa.Column("children", sa.Integer, nullable=False),
        sa.Column("needs_met", sa.Integer, nullable=False),
        sa.Column("needs_unknown", sa.Integer, nullable=False),
        sa.Column("in_programme", sa.Boolean, nullable=False),
        sa.Column("is_resident", sa.Boolean, nullable=False),
        sa.Column("flagged", sa.Boolean, nullable=False),
    )
    op.create_table(
        "family_members",
        sa.Column("run", sa.String(32), primary_key=True),
        sa.Column("family", sa.String(34), primary_key=True),
        sa.Column("person", sa.String(34), primary_key=True),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("age_band", sa.String(10)),
        sa.Column("adult", sa.Boolean, nullable=False),
        sa.Column("confidence", sa.Float, nullable=False),
        sa.Column("is_primary", sa.Boolean, nullable=False),
    )
    op.create_table(
        "family_needs",
        sa.Column("run", sa.String(32), primary_key=True),
        sa.Column("family", sa.String(34), primary_key=True),
        sa.Column("need", sa.String(40), primary_key=True),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("sources", sa.Integer, nullable=False),
    )
    op.create_table(
        "family_addresses",
        sa.Column("run", sa.String(32), primary_key=True),
        sa.Column("family", sa.String(34), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("household", sa.String(32), nullable=False),
        sa.Column("first_month", sa.Integer, nullable=False),
        sa.Column("last_month", sa.Integer),
    )
    op.create_table(
        "id_events",
        sa.Column("run", sa.String(32), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("id", sa.String(34), nullable=False),
        sa.Column("others", sa.Text, nullable=False),
    )
    op.create_table(
        "requests",
        sa.Column("id", sa.String(71), primary_key=True),
        sa.Column("family", sa.String(34), nullable=False),
        sa.Column("requester", sa.String(71), nullable=False),
        sa.Column("agreement", sa.String(71), nullable=False),
        sa.Column("envelope", sa.LargeBinary, nullable=False),
        sa.Column("document", sa.LargeBinary, nullable=False),
        sa.Column("approval", sa.LargeBinary),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("reason", sa.String(80)),
        sa.Column("created", sa.String(20), nullable=False),
        sa.Column("expires", sa.String(20), nullable=False),
        sa.Column("outcome", sa.String(20)),
    )
    op.create_table(
        "answers",
        sa.Column("request", sa.String(71), primary_key=True),
        sa.Column("party", sa.String(40), primary_key=True),
        sa.Column("sealed", sa.LargeBinary),
        sa.Column("reason", sa.String(80)),
        sa.Column("answered", sa.String(20), nullable=False),
    )
