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
    Text,
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
    Column("said", String(10)),  # ISO date of the person's word; null: that of ``accepted``
)

consent_imports = Table(  # what it says of a decision goes once the ledger has it
    "consent_imports",
    metadata,
    Column("key", LargeBinary(32), primary_key=True),  # of handle and decision
    Column("handle", LargeBinary(16), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("state", String(12), nullable=False),
    Column("day", String(10), nullable=False),  # ISO date of the decision
    Column("row", Integer, nullable=False),  # of the file that it came in
    Column("record", LargeBinary),  # canonical JSON
    Column("event", LargeBinary),  # as POST /v1/events takes it, before it is sent
    Column("progress", String(8), nullable=False),  # staged, written, done
    Index("consent_imports_by_progress", "progress", "day", "row"),
)

opt_out_lists = Table(
    "opt_out_lists",
    metadata,
    Column("source", String(40), primary_key=True),
    Column("id", String(32), nullable=False),
    Column("checked", String(10), nullable=False),  # ISO date of the check
    Column("imported", String(20), nullable=False),
    Column("numbers", Integer, nullable=False),  # let through
)

opt_out_passed = Table(  # who was let through; never who opted out
    "opt_out_passed",
    metadata,
    Column("source", String(40), primary_key=True),
    Column("hash", LargeBinary(16), primary_key=True),  # keyed, of an NHS number
    sqlite_with_rowid=False,
)

protections = Table(  # hashes are keyed: nothing here says who or where
    "protections",
    metadata,
    Column("entry", Integer, primary_key=True),
    Column("hash", LargeBinary(32), primary_key=True),
    Column("kind", String(16), nullable=False),  # of what the hash is made
    Column("what", String(8), nullable=False),  # person, home
    Column("source", String(40), nullable=False),  # of a person's record; else empty
    Column("added", String(20), nullable=False),
    Index("protections_by_hash", "hash"),
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
    Column("here", String(80)),  # the reason as this partner knows it, where it tells another
    Column("destroyed", String(20)),  # when all but the mark of a used request was
    Column("given_up", String(20)),  # when: the hub did not take it while its request lived
    Index("answers_by_time", "answered"),
)

choices = Table(  # of who is left out, for some days; see ``releases/choices.py``
    "choices",
    metadata,
    Column("key", LargeBinary(16), primary_key=True),  # keyed hash: a record, a person or a home
    Column("request", LargeBinary(32), primary_key=True),  # its hash
    Column("choice", LargeBinary(32), nullable=False),  # hash of who is asked for and left out
    Column("taken", String(20), nullable=False),
    Index("choices_by_time", "taken"),
    sqlite_with_rowid=False,
)

purges = Table(
    "purges",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("event", LargeBinary, nullable=False),  # counts, as POST /v1/events takes it
    Column("logged", Boolean, nullable=False),
)

dead_handles = Table(  # of consents in the ledger whose row is gone
    "dead_handles",
    metadata,
    Column("handle", LargeBinary(16), primary_key=True),
    Column("day", String(10), nullable=False),  # ISO date on which that was first seen
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

refinement_rounds = Table(
    "refinement_rounds",
    metadata,
    Column("round", String(71), primary_key=True),  # hash of the signed document
    Column("run", String(32), nullable=False),
    Column("agreement", String(71), nullable=False),
    Column("kind", String(10), nullable=False),
    Column("asked", Integer, nullable=False),
    Column("closes", String(20), nullable=False),
    Column("state", String(8), nullable=False),  # open, done, refused
    Column("reason", String(80)),  # why nothing of the round is answered
    Column("event", LargeBinary),  # JSON list: counts and refusal, as POST /v1/events takes them
    Column("logged", Boolean, nullable=False),
    Column("begun", String(20), nullable=False),
    Index("refinement_rounds_by_run", "run"),
)

refinement_batches = Table(
    "refinement_batches",
    metadata,
    Column("round", String(71), primary_key=True),
    Column("batch", Integer, primary_key=True),
    Column("asked", Integer, nullable=False),
    Column("answered", Integer, nullable=False),
    Column("refused", Text, nullable=False),  # JSON: counts by reason
    Column("delivered", Boolean, nullable=False),
)

refinement_pairs = Table(
    "refinement_pairs",
    metadata,
    Column("pair", LargeBinary(16), primary_key=True),  # digest of manifests and handles
    sqlite_with_rowid=False,
)

refinement_counts = Table(
    "refinement_counts",
    metadata,
    Column("submission", LargeBinary(16), primary_key=True),  # of its manifest's hash
    Column("handle", LargeBinary(16), primary_key=True),
    Column("pairs", Integer, nullable=False),
    sqlite_with_rowid=False,
)

refinement_parameters = Table(  # that decisions were given under; outlives submissions
    "refinement_parameters",
    metadata,
    Column("agreement", LargeBinary(32), primary_key=True),  # its hash
    Column("parameters", LargeBinary(32), primary_key=True),  # hash of them and of the sources
    sqlite_with_rowid=False,
)

refinement_calibrated = Table(  # outlives submissions: each record is calibrated once for ever
    "refinement_calibrated",
    metadata,
    Column("agreement", LargeBinary(32), primary_key=True),  # its hash
    Column("source", String(40), primary_key=True),
    Column("handle", LargeBinary(16), primary_key=True),
    sqlite_with_rowid=False,
)

refinement_profiles = Table(  # what a submission said of itself, the same in every round
    "refinement_profiles",
    metadata,
    Column("submission", LargeBinary(32), primary_key=True),  # its manifest's hash
    Column("round", String(71), primary_key=True),
    Column("profile", LargeBinary, nullable=False),  # canonical JSON: shares, no value
    sqlite_with_rowid=False,
)

rights_requests = Table(
    "rights_requests",
    metadata,
    Column("id", String(32), primary_key=True),  # as in the ledger
    Column("kind", String(16), nullable=False),
    Column("agreement", String(71), nullable=False),
    Column("received", String(10), nullable=False),  # ISO date
    Column("due", String(10), nullable=False),  # ISO date
    Column("extended", Boolean, nullable=False),
    Column("opened", String(20), nullable=False),
    Column("carried_out", String(20)),
    Column("closed", String(20)),
    Column("outcome", String(12)),
    Column("lifted", String(20)),
    Column("named_after", String(20)),  # when the hub named a record that it said was gone
)

rights_records = Table(
    "rights_records",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("request", String(32), nullable=False),
    Column("source", String(40), nullable=False),
    Column("locator", LargeBinary(32), nullable=False),  # as in ``records``
    Column("handle", LargeBinary(16)),  # null where the vault held no row
    Column("digest", LargeBinary(32)),  # HMAC of the row as it was, for a rectification
    Index("rights_records_by_request", "request"),
)

rights_blocks = Table(  # rows that are not encoded again, nor released
    "rights_blocks",
    metadata,
    Column("source", String(40), primary_key=True),
    Column("locator", LargeBinary(32), primary_key=True),
    Column("request", String(32), primary_key=True),
)

rights_events = Table(
    "rights_events",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("request", String(32), nullable=False),
    Column("event", LargeBinary, nullable=False),  # as POST /v1/events takes it
    Column("logged", Boolean, nullable=False),
)
