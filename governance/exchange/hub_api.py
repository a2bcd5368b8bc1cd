"""JSON bodies of the hub's HTTP interface, shared by the hub and everyone who calls it.

Those about families and releases are in ``release_api``, those by which analysts look into runs in
``analysis_api``. Paths and callers are listed in docs/architecture.md. Errors are problem details
(RFC 9457) with ``reason`` and ``next_step``.
"""

from typing import Annotated, Final, Literal

from pydantic import Field

from governance.canonical import Frozen, Hash, Hex128, Slug, Time
from governance.identity.envelope import Envelope
from governance.ledger.payloads import Reason

Count = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]

TOO_FAST: Final = "request.rate"
"""Reason by which the hub tells a caller to slow down; everybody else is let in."""
EXPORTS: Final = (
    "records.csv",
    "families.csv",
    "members.csv",
    "needs.csv",
    "details.csv",
    "addresses.csv",
    "households.csv",
    "ids.csv",
    "history.csv",
    "flags.csv",
    "quality.json",
    "quality.csv",
    "effects.json",
)
"""Files of a finished run."""


class Problem(Frozen):
    """A refusal: RFC 9457 with this project's members."""

    type: str
    title: str
    status: int
    detail: str
    reason: Reason
    next_step: str


class SecretPost(Frozen):
    """``POST /v1/secrets``: one sealed secret (``linkage-secret/v1``) for each recipient."""

    secrets: Annotated[tuple[Envelope, ...], Field(min_length=1, max_length=64)]


class SubmissionPost(Frozen):
    """``POST /v1/submissions``: a manifest (``submission/v1``) signed by the party."""

    manifest: Envelope


class SubmissionView(Frozen):
    """Where a submission stands; ``offset`` is the number of bytes that the hub holds."""

    id: Hex128
    source: Slug
    agreement: Hash
    state: Literal["receiving", "verifying", "accepted", "refused", "replaced", "purged"]
    offset: Count
    size: Count
    records: Count
    reason: Reason | None
    message: str
    next_step: str
    received: Time


class SubmissionList(Frozen):
    """``GET /v1/submissions``: the caller's own, newest first."""

    submissions: tuple[SubmissionView, ...]


Mode = Literal["exact", "fast"]
"""How candidate pairs are found."""
Solver = Literal["average", "anonlink"]
"""What makes persons of weighed pairs: average linkage, or anonlink's solver."""


class RunPost(Frozen):
    """``POST /v1/runs``: start a link run.

    Attributes:
        mode: ``exact`` compares every pair, ``fast`` may miss a few in a thousand; without it the
            hub chooses by the number of records.
        questions: whether partners are asked about pairs, where the agreement allows it.
        solver: what makes persons of weighed pairs.
        id: random, the caller's own: the same again starts no second run, but is answered with
            where the first stands. The hub makes one where there is none.
    """

    agreement: Hash
    mode: Mode | None = None
    questions: bool = True
    solver: Solver = "average"
    id: Hex128 | None = None


class RunView(Frozen):
    """A link run: its progress, and its figures once it has finished.

    Attributes:
        flagged: families put forward; None is not told, since the agreement does not name analysis.
    """

    id: Hex128
    agreement: Hash
    mode: Mode
    solver: Solver
    state: Literal["queued", "running", "waiting", "finished", "failed"]
    phase: str
    progress: Share
    step: str
    seconds_left: int | None
    waiting_for: tuple[Slug, ...]
    reason: Reason | None
    created: Time
    finished: Time | None
    sources: Count
    records: Count
    persons: Count
    families: Count
    flagged: Count | None
    threshold: Share | None
    estimated_precision: Share | None
    estimated_recall: Share | None
    pairs_asked: Count
    pairs_answered: Count
    pairs_undecided: Count
    results_kept: bool = True
    """Whether its persons and records can be looked at; those of old runs give way to newer."""


class RunList(Frozen):
    """``GET /v1/runs?offset=&limit=``: of the caller's agreements, newest first."""

    runs: tuple[RunView, ...]
    total: Count


class ViewSimilarity(Frozen):
    """How alike two records are in one view of their encodings.

    Dice where there is one view; of several the share of equal bits, which is .5 for strangers.
    """

    view: Slug
    leaves_out: tuple[str, ...]  # features that the view does not hold
    similarity: Share


class ReviewPair(Frozen):
    """Two records that may be one person; ``changes`` counts pairs of records, expected."""

    left: Hex128
    right: Hex128
    left_source: Slug
    right_source: Slug
    probability: Share
    changes: Annotated[float, Field(ge=0)]
    flagged: bool | None  # a family that is put forward holds one of them; None is not told
    together: bool  # whether the run holds them for one person
    left_records: Count  # of the person that the run gave the left one to
    right_records: Count
    views: tuple[ViewSimilarity, ...]  # none where both are one source's: its agent compared them
    answer: Literal["yes", "no", "undecided"] | None  # of the agents; None: they were not asked


class ReviewList(Frozen):
    """``GET /v1/review/{agreement}``: pairs whose ruling would change most."""

    pairs: tuple[ReviewPair, ...]
    total: Count
    not_followed: Count = 0  # rulings that the current run could not follow


class RulingPost(Frozen):
    """``POST /v1/review/{agreement}/rulings``: whether two records are one person."""

    left: Hex128
    right: Hex128
    same: bool


class RulingView(Frozen):
    """A ruling, what the current run did with it, and what a next one would do.

    ``followed`` is null where no run has taken it up: it is newer than the current run's persons,
    or that run does not hold both records.
    """

    left: Hex128
    right: Hex128
    same: bool
    person: Hash
    party: Slug
    decided: Time
    followed: bool | None
    contradicted: bool = False  # by other rulings, as they stand now: no run can follow all


class RulingList(Frozen):
    """``GET /v1/review/{agreement}/rulings``: oldest first, the newest of each pair."""

    rulings: tuple[RulingView, ...]


class RevealTask(Frozen):
    """A submission of the caller whose synthetic records a run waits to learn."""

    run: Hex128
    agreement: Hash
    submission: Hex128
    manifest: Hash


class RevealList(Frozen):
    """``GET /v1/reveals``."""

    reveals: tuple[RevealTask, ...]


class Share3(Frozen):
    """A share and its 95 % interval."""

    value: Share
    low: Share
    high: Share


class QualityRow(Frozen):
    """One line of a run's quality; null where it is not estimated or not shown."""

    group: str
    value: str
    records: Count | None
    predicted_precision: Share3 | None
    predicted_recall: Share3 | None
    sentinel_pairs: Count
    sentinel_recall: Share3 | None
    sentinel_precision: Share3 | None
    note: str


class QualityTable(Frozen):
    """``GET /v1/runs/{run}/quality``."""

    rows: tuple[QualityRow, ...]
