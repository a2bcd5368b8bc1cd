"""Entries of the audit log by a chain of hashes, and where it ends."""

import sqlalchemy as sa
from alembic import op

from governance.canonical import hash_of

revision = "console_0004"
down_revision = "console_0003"
branch_labels = None
depends_on = None

_ENTRY = ("number", "at", "account", "route", "object", "refused")
_NONE = "sha256:" + "0" * 64


def upgrade() -> None:
    """Chain what is there: from now on it shows whether it is changed."""
    op.add_column("audit", sa.Column("chain", sa.String(71)))
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("at", sa.String(20), nullable=False),
        sa.Column("chain", sa.String(71), nullable=False),
    )
    audit = sa.table("audit", *(sa.column(name) for name in (*_ENTRY, "chain")))
    head = sa.table("audit_head", *(sa.column(name) for name in ("id", "number", "at", "chain")))
    connection = op.get_bind()
    number, at, chain = 0, "", _NONE
    while rows := connection.execute(
        sa.select(*(audit.c[name] for name in _ENTRY))
        .where(audit.c.number > number)
        .order_by(audit.c.number)
        .limit(5_000)
    ).all():
        for row in rows:
            number, at = row.number, row.at
            refused = bool(row.refused)
            chain = hash_of({"previous": chain, **row._asdict(), "refused": refused})
            connection.execute(sa.update(audit).where(audit.c.number == number).values(chain=chain))
    connection.execute(sa.insert(head).values(id=1, number=number, at=at, chain=chain))
