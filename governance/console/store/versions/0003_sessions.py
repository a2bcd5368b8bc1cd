"""Sessions by an id that pages may name, and when their person last proved who they are."""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "console_0003"
down_revision = "console_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them: sessions that are open stay open, and do nothing that takes a recent sign-in."""
    op.add_column("session", sa.Column("id", sa.String(32)))
    op.add_column("session", sa.Column("authenticated", sa.String(20)))
    session = sa.table("session", sa.column("token_hash"), sa.column("id"))
    connection = op.get_bind()
    for token_hash in connection.scalars(sa.select(session.c.token_hash)).all():
        connection.execute(
            sa.update(session)
            .where(session.c.token_hash == token_hash)
            .values(id=secrets.token_hex(16))
        )
    with op.batch_alter_table("session") as batch:
        batch.alter_column("id", existing_type=sa.String(32), nullable=False)
    op.create_index("session_by_id", "session", ["id"], unique=True)
