"""The console's first tables."""

import sqlalchemy as sa
from alembic import op

revision = "console_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create them."""
    op.create_table(
        "account",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("label", sa.String(60), nullable=False),
        sa.Column("created", sa.String(20), nullable=False),
        sa.Column("invited_by", sa.String(32)),
        sa.Column("closed", sa.String(20)),
    )
    op.create_table(
        "credential",
        sa.Column("id", sa.String(1400), primary_key=True),
        sa.Column("account", sa.String(32), sa.ForeignKey("account.id"), nullable=False),
        sa.Column("public_key", sa.Text, nullable=False),
        sa.Column("sign_count", sa.BigInteger, nullable=False),
        sa.Column("created", sa.String(20), nullable=False),
        sa.Column("used", sa.String(20)),
    )
    op.create_index("credential_by_account", "credential", ["account"])
    op.create_table(
        "invitation",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("account", sa.String(32), sa.ForeignKey("account.id"), nullable=False),
        sa.Column("token_hash", sa.String(71), nullable=False, unique=True),
        sa.Column("created", sa.String(20), nullable=False),
        sa.Column("expires", sa.String(20), nullable=False),
        sa.Column("used", sa.String(20)),
        sa.Column("revoked", sa.String(20)),
    )
    op.create_index("invitation_by_account", "invitation", ["account"])
    op.create_table(
        "session",
        sa.Column("token_hash", sa.String(71), primary_key=True),
        sa.Column("account", sa.String(32), sa.ForeignKey("account.id"), nullable=False),
        sa.Column("started", sa.String(20), nullable=False),
        sa.Column("seen", sa.String(20), nullable=False),
    )
    op.create_index("session_by_account", "session", ["account"])
    op.create_table(
        "used_challenge",
        sa.Column("digest", sa.String(71), primary_key=True),
        sa.Column("expires", sa.String(20), nullable=False),
    )
    op.create_table(
        "key_document",
        sa.Column("thumbprint", sa.String(71), primary_key=True),
        sa.Column("account", sa.String(32), sa.ForeignKey("account.id"), nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("wrapped", sa.Text),
        sa.Column("created", sa.String(20), nullable=False),
    )
    op.create_index("key_document_by_account", "key_document", ["account"])
    op.create_table(
        "audit",
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer, "sqlite"),
            primary_key=True,
            autoincrement=True,
        ),
        sa.Column("at", sa.String(20), nullable=False),
        sa.Column("account", sa.String(32)),
        sa.Column("route", sa.String(100), nullable=False),
        sa.Column("object", sa.String(200), nullable=False),
        sa.Column("refused", sa.Boolean, nullable=False),
    )
    op.create_index("audit_by_account", "audit", ["account", "number"])
