"""What a model learns from: families as they were, and what had become of them later.

Rules: both files are of runs of one agreement, whose pseudonyms are kept from run to run; learnt
from are families that lived in the county, were not in the programme and did not have the outcome
then, and are still in the later file; a family that is gone from it, or of which nobody knows now
whether it has the outcome, is left out and counted: it has no outcome, and is not one without. One
that has left the county meanwhile and is known not to have it is one without: some of those who
are listed will leave too, and a figure says what becomes of all of them (cumulative incidence).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from governance.agreements.models import Agreement
from linkage_hub.analytics.held import FamilyColumns
from linkage_hub.analytics.needs import MET, UNKNOWN
from linkage_hub.analytics.risk.features import Features, features_of
from linkage_hub.analytics.risk.outcome import open_to, said_of


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
