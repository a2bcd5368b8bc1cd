"""What a pack of evidence about a period says.

Persisted format ``evidence-period/v1``: fields are never renamed or removed.
"""

from typing import Annotated, Literal

from pydantic import Field

from governance.agreements.models import IsoDate
from governance.canonical import Base64, Frozen, Hash, Slug, Time

Index = Annotated[int, Field(ge=0)]


class Stood(Frozen):
    """An agreement at the beginning and at the end of the period; None: not in the ledger yet."""

    hash: Hash
    id: Slug
    version: int
    title: str
    entry: Index
    at_start: str | None
    at_end: str
    next_step: str
    by: IsoDate | None
    valid_from: IsoDate
    review_by: IsoDate
    expires: IsoDate
    dpia_reference: str
    dpia_outcome: str
    dpia_approved_on: IsoDate


class Change(Frozen):
    """Something that happened to an agreement: by an entry, or by a date that it names."""

    agreement: Slug
    version: int
    time: Time
    what: str
    party: Slug | None
    reason: str
    entry: Index | None


class PartnerAnswer(Frozen):
    """What a partner did about a request."""

    party: Slug
    time: Time
    entry: Index
    released: int
    reason: str


class Approached(Frozen):
    """A request about a family, with all that became of it, also outside the period."""

    request: Hash
    entry: Index
    time: Time
    party: Slug
    purpose: Slug
    items: tuple[str, ...]
    decision: Literal["approve", "decline"] | None
    decision_entry: Index | None
    decided_by: Slug | None
    why: str
    answers: tuple[PartnerAnswer, ...]
    outcome: str


class Refusal(Frozen):
    """A refusal, by whom and for which reason."""

    time: Time
    entry: Index
    party: Slug
    what: str
    reason: str
    about: str


class Sent(Frozen):
    """A source's submissions."""

    party: Slug
    source: Slug
    accepted: int
    refused: int
    records: int
    entries: tuple[Index, ...]


class Run(Frozen):
    """A link run."""

    run: str
    time: Time
    entry: Index
    persons: int
    families: int
    flagged: int


class Round(Frozen):
    """What a partner did with questions about pairs."""

    party: Slug
    asked: int
    answered: int
    refused: dict[str, int]


class Destroyed(Frozen):
    """What was destroyed."""

    party: Slug
    time: Time
    entry: Index
    counts: dict[str, int]


class RightsLine(Frozen):
    """A request of a data subject: who asked is not in the ledger."""

    party: Slug
    kind: Slug
    received: IsoDate
    due: IsoDate
    entry: Index
    state: str
    overdue: bool


class Witnessed(Frozen):
    """When a party of an agreement signed the pack's checkpoint; None: it did not."""

    party: Slug
    time: Time | None
    hours_behind: int | None


class Period(Frozen):
    """Everything about a period, but for single consents."""

    first_day: IsoDate
    last_day: IsoDate
    ledger_until: Time
    entries_in_period: int
    events: dict[str, int]
    consents: dict[str, dict[str, int]]
    agreements: tuple[Stood, ...]
    changes: tuple[Change, ...]
    approaches: tuple[Approached, ...]
    refusals: tuple[Refusal, ...]
    reasons: dict[str, int]
    submissions: tuple[Sent, ...]
    runs: tuple[Run, ...]
    rounds: tuple[Round, ...]
    rulings: int
    destroyed: tuple[Destroyed, ...]
    rights: tuple[RightsLine, ...]
    inadmissible: dict[str, str]


class PeriodEvidence(Frozen):
    """``evidence.json`` of a pack about a period."""

    format: Literal["evidence-period/v1"] = "evidence-period/v1"
    log: str
    size: int
    root: Base64
    witnesses: tuple[Witnessed, ...]
    period: Period
