"""Whether matched families were alike before help began, and how many there are like them.

The standardised mean difference is that of means over the root of the mean variance of both kinds
before matching (Austin 2009), for every column that likeness is measured by. Rule: one above
``MOST`` in size and the comparison is not given.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from linkage_hub.analytics.interventions.cases import Cases
from linkage_hub.analytics.interventions.matching import Matched, columns_of
from linkage_hub.analytics.risk.features import Floats, names_of

MOST: Final = 0.1
COUNT: Final = "number of needs met"
PROPENSITY: Final = "propensity to be helped"


@dataclass(frozen=True, slots=True)
class Balance:
    """One column.

    Attributes:
        column: such as ``debt:met``.
        helped, others: means before matching.
        before, after: standardised differences.
    """

    column: str
    helped: float
    others: float
    before: float
    after: float


def balance(cases: Cases, pairs: Matched) -> list[Balance]:
    """Of every column, and of the propensity."""
    values = np.column_stack([columns_of(cases), pairs.log_odds])
    one, other = values[cases.helped], values[~cases.helped]
    spread = np.sqrt((one.var(axis=0) + other.var(axis=0)) / 2)
    before = _over(one.mean(axis=0) - other.mean(axis=0), spread)
    if len(pairs):
        gap = values[pairs.helped].mean(axis=0) - values[pairs.other].mean(axis=0)
    else:
        gap = np.zeros(values.shape[1])
    after = _over(gap, spread)
    names = (*names_of(cases.needs), COUNT, PROPENSITY)
    rows = zip(names, one.mean(axis=0), other.mean(axis=0), before, after, strict=True)
    return [Balance(name, *map(float, numbers)) for name, *numbers in rows]


def _over(difference: Floats, spread: Floats) -> Floats:
    """Where nothing varies, nothing differs."""
    return np.divide(difference, spread, out=np.zeros_like(difference), where=spread > 0)
