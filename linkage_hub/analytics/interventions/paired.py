"""How outcomes of pairs differ.

The difference is of shares with progress, helped less others. Its interval is the percentile
bootstrap over clusters of pairs that share a family, seeded; beside it McNemar's exact test, which
looks at pairs whose two families did not fare alike.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from linkage_hub.analytics.outcomes.months import Ints
from linkage_hub.analytics.risk.features import Floats

DRAWS: Final = 1_000
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Table:
    """Pairs by who made progress."""

    both: int
    helped_only: int
    other_only: int
    neither: int

    @property
    def pairs(self) -> int:
        """How many."""
        return self.both + self.helped_only + self.other_only + self.neither

    @property
    def helped(self) -> float:
        """Share of helped families with progress."""
        return (self.both + self.helped_only) / self.pairs

    @property
    def other(self) -> float:
        """Share of the others with progress."""
        return (self.both + self.other_only) / self.pairs


@dataclass(frozen=True, slots=True)
class Difference:
    """Of shares, with a 95 % interval, and the ratio of shares likewise.

    Attributes:
        table: what it is the difference of.
        value, low, high: helped less others.
        ratio, ratio_low, ratio_high: helped over others; None where nobody of the others made
            progress.
        p: of McNemar's exact test, two-sided.
    """

    table: Table
    value: float
    low: float
    high: float
    ratio: float | None
    ratio_low: float | None
    ratio_high: float | None
    p: float

    @property
    def is_nothing(self) -> bool:
        """Whether the interval holds nought."""
        return self.low <= 0 <= self.high


def table_of(helped: Bools, other: Bools) -> Table:
    """Of pairs, progress of the helped and of the other family, bool (p,) each."""
    return Table(
        int((helped & other).sum()), int((helped & ~other).sum()), int((~helped & other).sum()),
        int((~helped & ~other).sum()),
    )  # fmt: skip


def difference(helped: Bools, other: Bools, cluster: Ints, seed: int) -> Difference:
    """Of some pairs.

    Args:
        helped: progress of helped families, bool (p,), at least one pair.
        other: progress of the others.
        cluster: which pairs are drawn together, int64 (p,).
        seed: of the draws.
    """
    table = table_of(helped, other)
    shares = _drawn(helped, other, cluster, np.random.default_rng(seed))
    low, high = np.quantile(shares[:, 0] - shares[:, 1], [0.025, 0.975])
    ratio = ratio_low = ratio_high = None
    if table.other > 0 and (shares[:, 1] > 0).all():
        ratio = table.helped / table.other
        ratio_low, ratio_high = map(float, np.quantile(shares[:, 0] / shares[:, 1], [0.025, 0.975]))
    return Difference(
        table, table.helped - table.other, float(low), float(high), ratio, ratio_low, ratio_high,
        mcnemar(table.helped_only, table.other_only),
    )  # fmt: skip


def _drawn(helped: Bools, other: Bools, cluster: Ints, random: np.random.Generator) -> Floats:
    """Shares of both kinds in draws of clusters, float64 (draws, 2)."""
    count = int(cluster.max()) + 1
    sums = np.column_stack(
        [np.bincount(cluster, each, minlength=count) for each in (np.ones(len(cluster)), helped,
                                                                 other)]
    )  # fmt: skip
    kinds, at = np.unique(sums, axis=0, return_inverse=True)  # few: draw how many of each
    size = np.bincount(at.reshape(-1))
    times = random.multinomial(count, size / count, DRAWS)
    total = times @ kinds
    return np.asarray(total[:, 1:] / total[:, :1])


def mcnemar(one: int, other: int) -> float:
    """Exact and two-sided, of pairs that did not fare alike; 1 where there are none."""
    if one + other == 0:
        return 1.0
    return min(1.0, 2 * float(binom.cdf(min(one, other), one + other, 0.5)))
