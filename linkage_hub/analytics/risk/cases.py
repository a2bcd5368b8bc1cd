"""What a model learns from: families as they were, and what had become of them later.

Rules: both files are of runs of one agreement, whose pseudonyms are kept from run to run; learnt
from are families that lived in the county and were not in the programme then and are still there
now; the outcome is that they are in the programme now, by whichever way they came to it. A family
that is gone is left out and counted: it has no outcome, and is not one without.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from linkage_hub.analytics.held import FamilyColumns
from linkage_hub.analytics.risk.features import Features, features_of


@dataclass(frozen=True, slots=True)
class Cases:
    """Families to learn from.

    Attributes:
        families: as they were.
        outcome: bool (f,).
        gone: families that were open to the programme and are not there any more.
    """

    families: Features
    outcome: NDArray[np.bool_]
    gone: int


def cases(before: FamilyColumns, after: FamilyColumns) -> Cases:
    """Of two runs' families, the earlier first."""
    open_then = np.flatnonzero(before.resident & ~before.in_programme)
    at = pd.Index(after.family).get_indexer(pd.Index(before.family[open_then]))
    there = at >= 0
    families = features_of(before.needs, before.state[open_then[there]])
    return Cases(families, after.in_programme[at[there]], int((~there).sum()))
