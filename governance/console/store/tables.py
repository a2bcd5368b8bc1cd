"""The console's tables. Times are RFC 3339 UTC to the second, as text.

No secret is kept that would open anything: of links and sessions only hashes, of passkeys the
public key, of a sealing key what only its owner can unwrap.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

metadata = MetaData()

account = Table(
    "account",
    metadata,
    Column("id", String(32), primary_key=True),  # the person's random id in the ledger
    Column("role", String(20)),
    Column("label", String(60)),  # what colleagues call it; leaves this database never
    Column("created", String(20)),
    Column("invited_by", String(32)),  # None: from the terminal
    Column("closed", String(20)),
)
credential = Table(
    "credential",
    metadata,
    Column("id", String(1400), primary_key=True),  # base64, WebAuthn allows 1,023 bytes
    Column("account", String(32), ForeignKey("account.id")),
    Column("public_key", Text),
    Column("sign_count", BigInteger),
    Column("created", String(20)),
    Column("used", String(20)),
)
subject = Table(
    "subject",
    metadata,
    Column("issuer", String(255), primary_key=True),  # an OpenID provider
    Column("subject", String(255), primary_key=True),  # its name of a person
    Column("account", String(32), ForeignKey("account.id")),
    Column("created", String(20)),
    Column("used", String(20)),
)
invitation = Table(
    "invitation",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("account", String(32), ForeignKey("account.id")),
    Column("token_hash", String(71), unique=True),
    Column("created", String(20)),
    Column("expires", String(20)),
    Column("used", String(20)),
    Column("revoked", String(20)),
)
session = Table(
    "session",
    metadata,
    Column("token_hash", String(71), primary_key=True),
    Column("id", String(32), unique=True),  # what pages call it; opens nothing
    Column("account", String(32), ForeignKey("account.id")),
    Column("started", String(20)),
    Column("seen", String(20)),
    Column("authenticated", String(20)),  # when its person proved who they are; None: not told
)
used_challenge = Table(
    "used_challenge",
    metadata,
    Column("digest", String(71), primary_key=True),
    Column("expires", String(20)),
)
key_document = Table(
    "key_document",
    metadata,
    Column("thumbprint", String(71), primary_key=True),
    Column("account", String(32), ForeignKey("account.id")),
    Column("document", Text),  # the self-signed person-keys/v1, as JSON
    Column("wrapped", Text),  # the sealing key, wrapped in the browser, as JSON; None: none
    Column("created", String(20)),
)
audit = Table(
    "audit",
    metadata,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("at", String(20)),
    Column("account", String(32)),  # None: nobody was signed in
    Column("route", String(100)),
    Column("object", String(200)),
    Column("refused", Boolean),
    Column("chain", String(71)),  # of this entry and the chain so far
)
audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True),  # the one row, which whoever writes an entry takes
    Column("number", BigInteger, nullable=False),  # of the last entry; 0: none
    Column("at", String(20), nullable=False),
    Column("chain", String(71), nullable=False),
)
