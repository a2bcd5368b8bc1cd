"""Where an agreement is in its life, what that permits, and what to do next and by when.

Rules: the one judge of what is permitted is ``policy.in_force``; each of its refusals is one state,
in its order, so that the state shown and the refusal given never differ. What is permitted is in
force, or due for review from ``REVIEW_NOTICE`` before ``review_by`` on, when a new version takes
that long to agree. Where a later version has taken its place, nobody has to do anything, in
whichever state it is.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Final

from governance.agreements.errors import (
    AgreementExpired,
    AgreementNotYetValid,
    AgreementRefusal,
    AgreementReviewOverdue,
    AgreementSuperseded,
    AgreementSuspended,
    AgreementUnsigned,
)
from governance.agreements.models import Agreement
from governance.agreements.policy import Standing, in_force

REVIEW_NOTICE: Final = timedelta(days=60)


class LifeState(StrEnum):
    """States of an agreement; only ``in_force`` and ``review_due`` permit anything."""

    DRAFT = "draft"
    REVIEW = "review"
    SIGNED = "signed"
    IN_FORCE = "in_force"
    REVIEW_DUE = "review_due"
    REVIEW_OVERDUE = "review_overdue"
    SUSPENDED = "suspended"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"


PERMITS: Final = frozenset({LifeState.IN_FORCE, LifeState.REVIEW_DUE})
_REFUSED: Final[dict[type[AgreementRefusal], LifeState]] = {
    AgreementUnsigned: LifeState.REVIEW,
    AgreementNotYetValid: LifeState.SIGNED,
    AgreementExpired: LifeState.EXPIRED,
    AgreementReviewOverdue: LifeState.REVIEW_OVERDUE,
    AgreementSuspended: LifeState.SUSPENDED,
    AgreementSuperseded: LifeState.SUPERSEDED,
}


@dataclass(frozen=True)
class Life:
    """An agreement's state at a time.

    Attributes:
        state: where it is.
        reason: the reason code of every refusal under it, or an empty string.
        who: parties that have to do something next.
        next_step: what, in words; empty where nothing is left to do.
        by: the last day for it, or None where there is none.
    """

    state: LifeState
    reason: str
    who: tuple[str, ...]
    next_step: str
    by: date | None

    @property
    def permits(self) -> bool:
        """Whether anything may be done under it."""
        return self.state in PERMITS


def draft() -> Life:
    """The life of an agreement that is a file and not in the ledger."""
    return Life(
        LifeState.DRAFT, "agreement.unknown", (), "a party proposes it: agreement import FILE", None
    )


def life(standing: Standing, now: datetime) -> Life:
    """Where an agreement is in its life.

    Args:
        standing: as the ledger has it.
        now: aware time; days are UTC, as for ``in_force``.
    """
    try:
        in_force(standing, now)
    except AgreementRefusal as refusal:
        return _stopped(standing, _REFUSED[type(refusal)], refusal.reason)
    agreement = standing.agreement
    review = date.fromisoformat(agreement.review_by)
    if review - now.astimezone(UTC).date() <= REVIEW_NOTICE:
        step = f"review it, and sign version {agreement.version + 1} that supersedes it"
        return Life(LifeState.REVIEW_DUE, "", _parties(agreement), step, review)
    return Life(LifeState.IN_FORCE, "", (), "", review)


def _stopped(standing: Standing, state: LifeState, reason: str) -> Life:
    agreement = standing.agreement
    if standing.superseded:
        return Life(state, reason, (), "", None)
    everyone = _parties(agreement)
    anew = f"agree and sign version {agreement.version + 1}, which supersedes it"
    starts = date.fromisoformat(agreement.valid_from)
    steps: dict[LifeState, tuple[tuple[str, ...], str, date | None]] = {
        LifeState.REVIEW: (
            tuple(party for party in everyone if party not in standing.signed_by),
            "read it and sign: agreement sign",
            starts,
        ),
        LifeState.SIGNED: ((), f"nothing: it begins on {agreement.valid_from}", None),
        LifeState.REVIEW_OVERDUE: (everyone, f"review it; {anew}", None),
        LifeState.SUSPENDED: (
            tuple(sorted(standing.suspended_by)),
            "settle why it was suspended, then: agreement resume",
            None,
        ),
        LifeState.EXPIRED: (everyone, anew, None),
    }
    who, step, by = steps[state]
    return Life(state, reason, who, step, by)


def _parties(agreement: Agreement) -> tuple[str, ...]:
    return tuple(party.party for party in agreement.parties)
