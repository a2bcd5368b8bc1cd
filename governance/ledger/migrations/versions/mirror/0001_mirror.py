"""A mirror's leaves, perfect subtrees and head, what it cosigned, and evidence."""

import sqlalchemy as sa
from alembic import op

revision = "mirror_0001"
down_revision = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "mirror_head",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("vkey", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("frontier", sa.LargeBinary, nullable=False),
        sa.Column("note", sa.Text),
        sa.CheckConstraint("id = 1", name="one_mirror_head"),
    )
    op.create_table(
        "mirror_leaf",
        sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("event_id", sa.String(32), nullable=False),
        sa.Column("leaf", sa.LargeBinary, nullable=False),
        sa.Column("salt", sa.LargeBinary),
        sa.Column("payload", sa.LargeBinary),
        sa.CheckConstraint("(salt IS NULL) = (payload IS NULL)", name="mirror_erased_together"),
    )
    op.create_table(
        "mirror_node",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "mirror_cosigned",
        sa.Column("size", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("witness", sa.String(255), primary_key=True),
        sa.Column("root", sa.LargeBinary, nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("line", sa.Text, nullable=False),
    )
    op.create_table(
        "mirror_evidence",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("time", sa.String(20), nullable=False),
        sa.Column("reason", sa.String(80), nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("ours", sa.Text),
        sa.Column("theirs", sa.Text, nullable=False),
    )


def downgrade() -> None:
    """Drop the tables."""
    for table in ("evidence", "cosigned", "node", "leaf", "head"):
        op.drop_table(f"mirror_{table}")
