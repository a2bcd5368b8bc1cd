"""What may be learnt of families, what a run says of it, and which families are open to it.

Rules: the outcome is one of what the runs say: that the family is in the programme now, by
whichever way it came to it (where nobody says so it counts as without: who helps it would know),
that it was referred by the usual route, or that a need of the agreement is met.
"""

import numpy as np
from numpy.typing import NDArray

from governance.agreements.models import IN_PROGRAMME, Agreement
from linkage_hub.analytics.held import FamilyColumns
from linkage_hub.analytics.needs import MET, UNMET
from linkage_hub.analytics.risk.errors import NoSuchOutcome

Codes = NDArray[np.int8]


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


def columns_for(terms: Agreement, needs: tuple[str, ...], outcome: str) -> tuple[str, ...]:
    """Needs to read of a run: a model's, in its order, then the outcome where it is another."""
    more = (outcome,) if outcome in set(terms.needs) - set(needs) else ()
    return (*needs, *more)
