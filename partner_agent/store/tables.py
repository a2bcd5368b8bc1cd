"""Tables of the agent's database. Columns are added by migrations, never renamed or removed."""

from sqlalchemy import (
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

metadata = MetaData()

records = Table(
    "records",
    metadata,
    Column("handle", LargeBinary(16), primary_key=True),
    Column("source", String(40), nullable=False),
    Column("locator", LargeBinary(32), nullable=False),  # HMAC of source and record id
    Column("occurrence", Integer, nullable=False),  # rows of one record id, in file order
    Column("nonce", LargeBinary(12), nullable=False),
    Column("ciphertext", LargeBinary, nullable=False),
    Column("protected", Boolean, nullable=False),
    Column("prepared_on", String(10), nullable=False),  # ISO date, for retention
    UniqueConstraint("source", "locator", "occurrence"),
)

submissions = Table(
    "submissions",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("source", String(40), nullable=False),
    Column("agreement", String(71), nullable=False),
    Column("manifest", LargeBinary, nullable=False),  # the signed envelope, canonical JSON
    Column("content_sha256", String(71), nullable=False),
    Column("content_bytes", Integer, nullable=False),
    Column("records", Integer, nullable=False),
    Column("state", String(12), nullable=False),  # prepared, sent, accepted, refused, replaced
    Column("reason", String(80)),
    Column("created", String(20), nullable=False),
    Index("submissions_by_source", "source", "created"),
)

withdrawals = Table(
    "withdrawals",
    metadata,
    Column("grant_id", String(32), primary_key=True),
    Column("event", LargeBinary, nullable=False),  # as POST /v1/events takes it
    Column("accepted", String(20), nullable=False),
    Column("logged", Boolean, nullable=False),
)

answers = Table(
    "answers",
    metadata,
    Column("request", String(71), primary_key=True),
    Column("sealed", LargeBinary),  # signed envelope, or null for a refusal
    Column("reason", String(80)),
    Column("event", LargeBinary, nullable=False),  # receipt or refusal, as POST /v1/events takes it
    Column("answered", String(20), nullable=False),
    Column("logged", Boolean, nullable=False),
    Column("delivered", Boolean, nullable=False),
    Column("order_document", LargeBinary),  # what a sealed answer answers, canonical JSON
    Column("retraction", LargeBinary),  # the refusal that takes a sealed answer back, as an event
    Index("answers_by_time", "answered"),
)

vault_check = Table(
    "vault_check",
    metadata,
    Column("id", Integer, primary_key=True),  # always 1
    Column("value", LargeBinary(32), nullable=False),  # HMAC of a constant under the vault's key
)

synthetic_keys = Table(
    "synthetic_keys",
    metadata,
    Column("submission", String(32), primary_key=True),
    Column("source", String(40), nullable=False),
    Column("content", LargeBinary, nullable=False),  # sentinel-key/v1
    Column("prepared_on", String(10), nullable=False),  # ISO date, for retention
)

synthetic_rows = Table(
    "synthetic_rows",
    metadata,
    Column("handle", LargeBinary(16), primary_key=True),
    Column("submission", String(32), nullable=False),
    Column("nonce", LargeBinary(12), nullable=False),
    Column("ciphertext", LargeBinary, nullable=False),
    Index("synthetic_rows_by_submission", "submission"),
)
