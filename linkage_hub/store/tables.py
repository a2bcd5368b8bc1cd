"""Tables of the hub. Pseudonyms, counts, hashes and signed envelopes; never a name.

Columns are added by migrations, never renamed or removed.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

metadata = MetaData()

submissions = Table(
    "submissions",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("party", String(40), nullable=False),
    Column("source", String(40), nullable=False),
    Column("agreement", String(71), nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("state", String(12), nullable=False),
    Column("reason", String(80)),
    Column("message", Text, nullable=False),
    Column("next_step", Text, nullable=False),
    Column("manifest", LargeBinary, nullable=False),
    Column("manifest_hash", String(71), nullable=False),
    Column("key_check_value", String(71), nullable=False),
    Column("test_vectors", String(71), nullable=False),
    Column("content_sha256", String(71), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("received_bytes", BigInteger, nullable=False),
    Column("records", Integer, nullable=False),
    Column("received", String(20), nullable=False),
    Column("created", String(20), nullable=False),  # by the manifest
    Index("submissions_by_agreement", "agreement", "source", "state"),
)

secrets = Table(
    "secrets",
    metadata,
    Column("agreement", String(71), primary_key=True),
    Column("epoch", Integer, primary_key=True),
    Column("recipient", String(71), primary_key=True),
    Column("envelope", LargeBinary, nullable=False),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("subject", String(71), nullable=False),
    Column("state", String(10), nullable=False),  # queued, running, done, failed
    Column("progress", Float, nullable=False),
    Column("free", Float, nullable=False, server_default="0"),  # of it found done, not worked on
    Column("step", String(200), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("worker", String(32)),
    Column("lease", Float, nullable=False),  # seconds since 1970; a running job past it is taken up
    Column("started", Float),  # seconds since 1970
    Column("created", Float, nullable=False),
    Column("not_before", Float, nullable=False, server_default="0"),  # seconds since 1970
    Index("jobs_by_state", "state", "created"),
    Index("jobs_by_subject", "kind", "subject"),
)

runs = Table(
    "runs",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("agreement", String(71), nullable=False),
    Column("state", String(10), nullable=False),  # queued, running, finished, failed
    Column("is_current", Boolean, nullable=False),
    Column("reason", String(80)),
    Column("created", String(20), nullable=False),
    Column("finished", String(20)),
    Column("sources", Integer, nullable=False),
    Column("records", Integer, nullable=False),
    Column("persons", Integer, nullable=False),
    Column("families", Integer, nullable=False),
    Column("flagged", Integer, nullable=False),
    Column("threshold", Float),
    Column("estimated_precision", Float),
    Column("estimated_recall", Float),
    Column("quality", Text),  # JSON: figures of each pair of sources
    Column("quality_table", Text),  # JSON: linkage_hub.analytics.exports.KeptQuality
    Column("thresholds", Text),  # JSON: list of governance.exchange.analysis_api.ThresholdRow
    Column("unlinked", Text),  # JSON: by source, records, those that are alone, those left out
    Column("receipt", LargeBinary),  # the payload that the ledger is given, canonical JSON
    Column("program", Text),  # JSON: governance.transparency.models.Program that made it
    Column("phase", String(12), nullable=False, server_default="candidates"),
    Column("plan", Text),  # JSON: seconds by kind of job (runs.plan)
    Column("mode", String(5), nullable=False, server_default="exact"),  # exact, fast
    Column("solver", String(8), nullable=False, server_default="average"),  # average, anonlink
    Column("questions", Boolean, nullable=False, server_default="1"),  # to partners, if agreed
    Column("pairs_asked", Integer, nullable=False, server_default="0"),
    Column("pairs_answered", Integer, nullable=False, server_default="0"),
    Column("pairs_undecided", Integer, nullable=False, server_default="0"),
)

run_inputs = Table(
    "run_inputs",
    metadata,
    Column("run", String(32), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("submission", String(32), nullable=False),
    Column("party", String(40), nullable=False),
    Column("source", String(40), nullable=False),
    Column("manifest_hash", String(71), nullable=False),
)

refinement_rounds = Table(
    "refinement_rounds",
    metadata,
    Column("id", String(71), primary_key=True),  # hash of the signed document
    Column("run", String(32), nullable=False),
    Column("kind", String(10), nullable=False),
    Column("state", String(8), nullable=False),  # opening, open, closed
    Column("envelope", LargeBinary, nullable=False),
    Column("answer_bytes", Integer, nullable=False),
    Column("opened", String(20), nullable=False),
    Column("closes", String(20), nullable=False),
    Index("refinement_rounds_by_run", "run", "kind", unique=True),
)

refinement_parties = Table(
    "refinement_parties",
    metadata,
    Column("round", String(71), primary_key=True),
    Column("party", String(40), primary_key=True),
    Column("questions", Integer, nullable=False),
    Column("batches", Integer, nullable=False),
    Column("refused", String(80)),  # why the party answers nothing of the round
    Column("profiles_wanted", Boolean, nullable=False),
    Column("profiles", LargeBinary),  # what its sources say about themselves, canonical JSON
)

refinement_batches = Table(
    "refinement_batches",
    metadata,
    Column("round", String(71), primary_key=True),
    Column("party", String(40), primary_key=True),
    Column("batch", Integer, primary_key=True),
    Column("sha256", String(71), nullable=False),
    Column("answered", Integer, nullable=False),
    Column("received", String(20), nullable=False),
)

sentinel_runs = Table(
    "sentinel_runs",
    metadata,
    Column("run", String(32), primary_key=True),
    Column("opened", String(20), nullable=False),
    Column("closes", String(20), nullable=False),
)

sentinel_keys = Table(
    "sentinel_keys",
    metadata,
    Column("run", String(32), primary_key=True),  # destroyed when it ends
    Column("submission", String(32), primary_key=True),
    Column("content", LargeBinary, nullable=False),  # sentinel-key/v1
    Column("received", String(20), nullable=False),
)

person_records = Table(
    "person_records",
    metadata,
    Column("run", String(32), primary_key=True),
    Column("handle", String(32), primary_key=True),
    Column("person", String(34), nullable=False),
    Column("party", String(40), nullable=False),
    Column("source", String(40), nullable=False),
    Index("person_records_by_person", "run", "person"),
)

links = Table(  # pairs that the run compared, of one person or likely enough to be
    "links",
    metadata,
    Column("run", String(32), primary_key=True),
    Column("left", String(32), primary_key=True),  # handle; the lower of the two
    Column("right", String(32), primary_key=True),
    Column("similarity", Float),  # of the full encodings; null within a source
    Column("probability", Float, nullable=False),
    Index("links_by_right", "run", "right"),
)

unlinked = Table(  # records that are alone although something speaks against it
    "unlinked",
    metadata,
    Column("run", String(32), primary_key=True),
    Column("handle", String(32), primary_key=True),
    Column("barrier", String(20), nullable=False),
)

families = Table(
    "families",
    metadata,
    Column("run", String(32), primary_key=True),
    Column("family", String(34), primary_key=True),
    Column("confidence", Float, nullable=False),
    Column("reasons", Text, nullable=False),  # JSON list of codes
    Column("members", Integer, nullable=False),
    Column("adults", Integer, nullable=False),
    Column("children", Integer, nullable=False),
    Column("needs_met", Integer, nullable=False),
    Column("needs_unknown", Integer, nullable=False),
    Column("in_programme", Boolean, nullable=False),
    Column("is_resident", Boolean, nullable=False),
    Column("flagged", Boolean, nullable=False),
    Column("referred", String(8), nullable=False, server_default="unknown"),  # STATES
    Column("residence", String(8)),  # RESIDENCE; null in runs of before it was asked
    Column("told_month", Integer),  # last for which a source tells of an address
)
Index(  # of the list, and covers its commonest condition
    "families_by_order",
    families.c.run,
    families.c.needs_met.desc(),
    families.c.confidence.desc(),
    families.c.family,
    families.c.flagged,
)

family_members = Table(
    "family_members",
    metadata,
    Column("run", String(32), primary_key=True),
    Column("family", String(34), primary_key=True),
    Column("person", String(34), primary_key=True),
    Column("role", String(20), nullable=False),
    Column("age_band", String(10)),
    Column("adult", Boolean, nullable=False),
    Column("confidence", Float, nullable=False),
    Column("is_primary", Boolean, nullable=False),
    Column("reasons", Text, nullable=False, server_default="[]"),  # JSON list of codes
    Index("family_members_by_person", "run", "person"),
    Index("family_members_by_age", "run", "age_band", "family"),
)

family_needs = Table(
    "family_needs",
    metadata,
    Column("run", String(32), primary_key=True),
    Column("family", String(34), primary_key=True),
    Column("need", String(40), primary_key=True),
    Column("state", String(8), nullable=False),
    Column("sources", Integer, nullable=False),
    Index("family_needs_by_need", "run", "need", "state", "family"),
)

family_categories = Table(  # counted by, and never shown beside a family's needs
    "family_categories",
    metadata,
    Column("run", String(32), primary_key=True),
    Column("family", String(34), primary_key=True),
    Column("use", String(10), primary_key=True),  # area, team, engagement
    Column("category", String(40), nullable=False),  # an indicator's id, or "*": several
)

released_tables = Table(  # what was published of a run, and can be published no other way
    "released_tables",
    metadata,
    Column("run", String(32), primary_key=True),
    Column("table", String(90), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("least", Integer, nullable=False),
    Column("hash", String(71), nullable=False),  # of the published form
    Column("numbers", Text, nullable=False),  # JSON: governance.disclosure.register.ReleasedNumber
    Column("published", Text),  # JSON: the form itself; null of one from a register file
    Column("released", String(20), nullable=False),
    Column("newest", String(32)),  # of several runs, where ``run`` stands for them together
    Column("forgotten", String(20)),  # when true counts of several runs were destroyed
)

reports = Table(  # figures for staff, made here or shared (ADR 47)
    "reports",
    metadata,
    Column("id", String(71), primary_key=True),  # hash of the document as it was made or shared
    Column("made_of", String(71), nullable=False, unique=True),  # the same again gives this one
    Column("agreement", String(71), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("title", Text, nullable=False),
    Column("newest", String(32), nullable=False),  # of its runs, with which it goes
    Column("shared", Boolean, nullable=False),  # and not made here
    Column("listed", Boolean, nullable=False),  # has tables that list families
    Column("lines_gone", Boolean, nullable=False),  # some of these tables' lines, or all
    Column("code", String(71), nullable=False),  # hash of the program that made it
    Column("person", String(71), nullable=False),  # thumbprint of who asked for it or shared it
    Column("party", String(40), nullable=False),
    Column("made", String(20), nullable=False),
    Column("document", Text, nullable=False),  # JSON: governance.reports.models.Report
    Index("reports_by_agreement", "agreement", "made"),
    Index("reports_by_newest", "newest"),
)

report_runs = Table(  # that a report was made from
    "report_runs",
    metadata,
    Column("report", String(71), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),  # oldest first
    Column("run", String(32), nullable=False),
    Index("report_runs_by_run", "run"),
)

family_details = Table(  # of indicators that tell more of others, and of the programme (ADR 41)
    "family_details",
    metadata,
    Column("run", String(32), primary_key=True),
    Column("family", String(34), primary_key=True),
    Column("indicator", String(40), primary_key=True),
    Column("state", String(8), nullable=False),
)

family_addresses = Table(
    "family_addresses",
    metadata,
    Column("run", String(32), primary_key=True),
    Column("family", String(34), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("household", String(32), nullable=False),
    Column("first_month", Integer, nullable=False),
    Column("last_month", Integer),
)

household_members = Table(
    "household_members",
    metadata,
    Column("run", String(32), primary_key=True),
    Column("person", String(34), primary_key=True),
    Column("household", String(32), primary_key=True),
    Column("first_month", Integer, nullable=False),
    Column("last_month", Integer),  # null while the address holds
    Column("is_dated", Boolean, nullable=False),  # some source says since when
    Column("is_home", Boolean, nullable=False),  # of the person's addresses the home
    Column("is_institutional", Boolean, nullable=False),
)

id_events = Table(
    "id_events",
    metadata,
    Column("run", String(32), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("kind", String(8), nullable=False),
    Column("id", String(34), nullable=False),
    Column("others", Text, nullable=False),  # JSON list
)

review_pairs = Table(
    "review_pairs",
    metadata,
    Column("run", String(32), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("left", String(32), nullable=False),  # handle; the lower of the two
    Column("right", String(32), nullable=False),
    Column("left_source", String(40), nullable=False),
    Column("right_source", String(40), nullable=False),
    Column("probability", Float, nullable=False),
    Column("changes", Float, nullable=False),  # pairs of records, expected
    Column("together", Boolean, nullable=False, server_default="0"),  # one person in the run
    Column("left_records", Integer, nullable=False, server_default="1"),  # of the left one's person
    Column("right_records", Integer, nullable=False, server_default="1"),
    Column("views", Text, nullable=False, server_default="[]"),  # JSON: hub_api.ViewSimilarity
    Column("answer", String(9)),  # of the partners' agents: yes, no, undecided; null: not asked
)

rulings = Table(
    "rulings",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("agreement", String(71), nullable=False),
    Column("left", String(32), nullable=False),  # handle; the lower of the two
    Column("right", String(32), nullable=False),
    Column("same", Boolean, nullable=False),
    Column("person", String(71), nullable=False),  # thumbprint of who ruled
    Column("party", String(40), nullable=False),
    Column("decided", String(20), nullable=False),
    Column("event", String(32)),  # id of the ledger's event
    Column("salt", LargeBinary(16)),  # opens its commitment to the pair
    Index("rulings_by_agreement", "agreement", "number"),
)

run_rulings = Table(  # those that a run was given
    "run_rulings",
    metadata,
    Column("run", String(32), primary_key=True),
    Column("ruling", Integer, primary_key=True, autoincrement=False),
    Column("followed", Boolean, nullable=False),
)

requests = Table(
    "requests",
    metadata,
    Column("id", String(71), primary_key=True),  # hash of the request's exact bytes
    Column("family", String(34), nullable=False),
    Column("requester", String(71), nullable=False),
    Column("agreement", String(71), nullable=False),
    Column("envelope", LargeBinary, nullable=False),
    Column("document", LargeBinary, nullable=False),  # the members that it names
    Column("approval", LargeBinary),
    Column("state", String(20), nullable=False),
    Column("reason", String(80)),
    Column("created", String(20), nullable=False),
    Column("expires", String(20), nullable=False),
    Column("outcome", String(20)),
)

answers = Table(
    "answers",
    metadata,
    Column("request", String(71), primary_key=True),
    Column("party", String(40), primary_key=True),
    Column("sealed", LargeBinary),
    Column("reason", String(80)),
    Column("answered", String(20), nullable=False),
)

left_out = Table(  # handles that take no part any more, for as long as their request stands
    "left_out",
    metadata,
    Column("party", String(40), primary_key=True),
    Column("handle", String(32), primary_key=True),
    Column("request", String(32), primary_key=True),
)

rights_requests = Table(
    "rights_requests",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("party", String(40), nullable=False),
    Column("begun", String(20), nullable=False),
    Column("records", Integer, nullable=False),  # of those named, that the hub held
    Column("files", Integer, nullable=False),  # that they were taken out of
    Column("runs", Integer, nullable=False),  # from whose results they were taken
)

purges = Table(
    "purges",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("event", LargeBinary, nullable=False),  # counts, as POST /v1/events takes it
    Column("logged", Boolean, nullable=False),
)

epsilon_spends = Table(  # what private models cost; rows are never changed and never go
    "epsilon_spends",
    metadata,
    Column("project", String(40), primary_key=True),  # agreement's id, whatever its version
    Column("year", Integer, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("agreement", String(71), nullable=False),
    Column("outcome", String(40), nullable=False),
    Column("epsilon_millionths", BigInteger, nullable=False),
    Column("delta_trillionths", BigInteger, nullable=False),
    Column("spent", String(20), nullable=False),
)

epsilon_events = Table(
    "epsilon_events",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("event", LargeBinary, nullable=False),  # a cost, as POST /v1/events takes it
    Column("logged", Boolean, nullable=False),
)

risk_models = Table(  # that this hub has trained; the model itself only of the one that is shared
    "risk_models",
    metadata,
    Column("hash", String(71), primary_key=True),  # of the whole document
    Column("agreement", String(71), nullable=False),
    Column("event", String(32), nullable=False),  # id of the ledger's epsilon.spent
    Column("trained", String(20), nullable=False),
    Column("shared", String(20)),
    Column("document", Text),  # canonical JSON: linkage_hub.analytics.risk.documents.ModelDocument
    Index("risk_models_by_agreement", "agreement"),
)
