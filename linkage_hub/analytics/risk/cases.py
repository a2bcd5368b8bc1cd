"""What a model learns from: families as they were, and what had become of them later.

Rules: both files are of runs of one agreement, whose pseudonyms are kept from run to run; learnt
from are families that lived in the county, were not in the programme and did not have the outcome
then, and are still there now; a family that is gone, or of which nobody knows now whether it has
the outcome, is left out and counted: it has no outcome, and is not one without. The outcome is one
of what the runs say: that the family is in the programme now, by whichever way it came to it (where
nobody says so it counts as without: who helps it would know), that it was referred by the usual
route, or that a need of the agreement is met.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from governance.agreements.models import IN_PROGRAMME, Agreement
from linkage_hub.analytics.held import FamilyColumns
from linkage_hub.analytics.needs import MET, UNKNOWN, UNMET
from linkage_hub.analytics.risk.errors import NoSuchOutcome
from linkage_hub.analytics.risk.features import Features, features_of

Codes = NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Cases:
    """Families to learn from.

    Attributes:
        families: as they were.
        outcome: bool (f,).
        gone: families that were open to it and are not there any more.
        unknown: families that are there, and of which nobody knows.
    """

    families: Features
    outcome: NDArray[np.bool_]
    gone: int
    unknown: int


def outcomes_of(terms: Agreement) -> tuple[str, ...]:
    """What may be learnt under an agreement: the programme, referral, and needs."""
    return (IN_PROGRAMME, *terms.used_as("referral"), *terms.needs)


def require_outcome(terms: Agreement, outcome: str) -> None:
    """Check that the runs of an agreement say what is to be learnt.

    Raises:
        NoSuchOutcome: they do not.
    """
    if outcome not in outcomes_of(terms):
        raise NoSuchOutcome(
            f"runs of agreement {terms.id} say nothing of this outcome",
            next_step=f"one of {', '.join(outcomes_of(terms))}",
        )


def said_of(families: FamilyColumns, terms: Agreement, outcome: str) -> Codes:
    """What a run says of the outcome, codes of ``STATES``, int8 (f,).

    Args:
        families: with a column for the outcome where it is a need.
        terms: of the run.
        outcome: one of ``outcomes_of``.
    """
    if outcome == IN_PROGRAMME:
        return np.where(families.in_programme, MET, UNMET).astype(np.int8)
    if outcome in terms.used_as("referral"):
        return families.referred
    return families.state[:, families.needs.index(outcome)]


def open_to(families: FamilyColumns, said: Codes) -> NDArray[np.bool_]:
    """Families that live in the county, are not in the programme and lack the outcome, (f,)."""
    return np.asarray(families.resident & ~families.in_programme & (said != MET))


def cases(
    before: FamilyColumns, after: FamilyColumns, terms: Agreement, outcome: str, needs: int
) -> Cases:
    """Of two runs' families, the earlier first.

    Args:
        before: families as they were; the first columns are the model's needs.
        after: families as they are.
        terms: of both.
        outcome: one of ``outcomes_of``.
        needs: how many of the columns are the model's.
    """
    open_then = np.flatnonzero(open_to(before, said_of(before, terms, outcome)))
    at = pd.Index(after.family).get_indexer(pd.Index(before.family[open_then]))
    there = at >= 0
    now = said_of(after, terms, outcome)[at[there]]
    known = now != UNKNOWN
    rows = open_then[there][known]
    return Cases(
        features_of(before.needs[:needs], before.state[rows, :needs]),
        now[known] == MET,
        int((~there).sum()),
        int((~known).sum()),
    )
