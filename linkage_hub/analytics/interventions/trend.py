"""How families that were not helped fared over time, an earlier cohort's among them.

Families of a quarter that were not helped are weighed to the helped families' numbers of needs, so
that quarters can be held against each other. The earlier cohort are those whose whole time was over
before the first help began: nobody was helped then, so nobody had been chosen.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from linkage_hub.analytics.engagement.survival import Chance, wilson
from linkage_hub.analytics.interventions.cases import NOT_KNOWN, YES, Cases
from linkage_hub.analytics.needs import MET

LEAST: Final = 30
"""Cases of a quarter, or of the earlier cohort, of which something is said."""
_QUARTER: Final = 3


@dataclass(frozen=True, slots=True)
class Quarter:
    """Families that were not helped, by the quarter in which their time began.

    Attributes:
        month: the quarter's first.
        cases: how many, each family in each month that it is one.
        share: with progress, weighed.
    """

    month: int
    cases: int
    share: Chance


def quarters(cases: Cases) -> Iterator[Quarter]:
    """Quarters of which something is said, oldest first."""
    known = ~cases.helped & (cases.outcome != NOT_KNOWN)
    begins = cases.month // _QUARTER * _QUARTER
    for month in np.unique(begins[known]).tolist():
        here = known & (begins == month)
        share = weighed(cases, here)
        if share is not None:
            yield Quarter(int(month), int(here.sum()), share)


def earlier(cases: Cases, months: int) -> tuple[int, Chance] | None:
    """Cases whose time was over when help first began, and their share with progress.

    None where there are too few.
    """
    if not cases.helped.any():
        return None
    first = int(cases.month[cases.helped].min())
    here = ~cases.helped & (cases.outcome != NOT_KNOWN) & (cases.month + months <= first)
    share = weighed(cases, here)
    return None if share is None else (int(here.sum()), share)


def weighed(cases: Cases, here: NDArray[np.bool_]) -> Chance | None:
    """Share with progress, weighed to the helped families' numbers of needs.

    The interval counts families, not cases: a family is a case in many months.
    """
    if int(here.sum()) < LEAST:
        return None
    met = (cases.state == MET).sum(axis=1)
    wanted = np.bincount(met[cases.helped], minlength=len(cases.needs) + 1)
    have = np.bincount(met[here], minlength=len(cases.needs) + 1)
    weight = np.divide(wanted, have, out=np.zeros(len(have)), where=have > 0)[met[here]]
    if weight.sum() == 0:
        return None
    share = float(weight @ (cases.outcome[here] == YES) / weight.sum())
    families = len(set(cases.family[here].tolist()))
    spread = weight.sum() ** 2 / (weight**2).sum() / int(here.sum())  # Kish's share that is left
    return wilson(share, max(1.0, families * float(spread)))
