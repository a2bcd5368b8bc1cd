"""A family like it for each family that was helped.

Rules: likeness is by what was known before help began: needs, met and unknown apart. Of one month
and as many needs that are met, the propensity to be helped (logistic regression on these columns
and on how many needs are met) is within a caliper of a fifth of its standard deviation on the log
odds (Austin 2011). What differs counts one over its variance (as Mahalanobis' distance without what
columns share): else what is rare would be matched with what is common. Among the ``SHORT`` least
different the one is taken that leaves the columns of all pairs so far the most alike, then the
lower pseudonym: nothing is drawn. Whoever is hardest to match comes first. A family stands for
another once; whoever finds nobody is left out and counted. The outcome is not looked at.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from linkage_hub.analytics.interventions.cases import Cases
from linkage_hub.analytics.needs import MET, UNKNOWN
from linkage_hub.analytics.outcomes.months import Ints
from linkage_hub.analytics.risk.features import Features, Floats, features_of

CALIPER: Final = 0.2
"""Of the standard deviation of the log odds."""
SHORT: Final = 10
"""The least different, among which balance decides."""


@dataclass(frozen=True, slots=True)
class Matched:
    """Pairs of cases.

    Attributes:
        helped, other: rows of the cases, int64 (p,) each.
        log_odds: of being helped, of every case, float64 (n,).
    """

    helped: Ints
    other: Ints
    log_odds: Floats

    def __len__(self) -> int:
        return len(self.helped)

    def where(self, kept: NDArray[np.bool_]) -> "Matched":
        """Some of the pairs."""
        return Matched(self.helped[kept], self.other[kept], self.log_odds)


def columns_of(cases: Cases) -> Floats:
    """What likeness is measured by, float64 (n, 2k + 1): met, unknown, how many are met."""
    features = features_of(cases.needs, cases.state)
    return np.column_stack([_columns(features), features.met.sum(axis=1)])


def _columns(features: Features) -> Floats:
    """Met, then unknown, float64 (n, 2k)."""
    columns: Floats = features.values  # noqa: PD011 - no frame of pandas
    return columns


def propensity(cases: Cases) -> Floats:
    """Log odds of being helped, float64 (n,).

    Equal rows are put together: there are many fewer profiles than cases.
    """
    profile = pd.DataFrame(_bits(cases.state)).groupby([0, 1], sort=True)
    at = profile.ngroup().to_numpy(np.int64)
    _, first = np.unique(at, return_index=True)
    profiles = columns_of(cases.rows(first))
    helped = np.bincount(at, cases.helped, minlength=len(profiles))
    others = np.bincount(at, ~cases.helped, minlength=len(profiles))
    rows = np.concatenate([profiles, profiles])
    wanted = np.repeat([1, 0], len(profiles))
    weight = np.concatenate([helped, others])
    some = weight > 0
    found = LogisticRegression(C=1.0, solver="newton-cholesky").fit(
        rows[some], wanted[some], weight[some]
    )
    return np.asarray(found.decision_function(profiles)[at])


def match(cases: Cases, usable: NDArray[np.bool_]) -> Matched:
    """Pairs among cases.

    Args:
        cases: of both kinds.
        usable: those that may be in a pair, bool (n,): such of which the outcome is known.
    """
    log_odds = propensity(cases)
    caliper = CALIPER * float(log_odds.std())
    family, count = cases.number, (cases.state == MET).sum(axis=1)
    free = np.ones(int(family.max(initial=0)) + 1, dtype=np.bool_)
    scaled = _scaled(features_of(cases.needs, cases.state))
    gap = np.zeros(scaled.shape[1])
    pairs = []
    for month in np.unique(cases.month[cases.helped & usable]).tolist():
        here = (cases.month == month) & usable
        helped, pool = np.flatnonzero(here & cases.helped), np.flatnonzero(here & ~cases.helped)
        pool = pool[np.argsort(family[pool])]
        hardest = np.lexsort((family[helped], -log_odds[helped]))
        for row in helped[hardest].tolist():
            like = pool[free[family[pool]] & (count[pool] == count[row])]
            near = like[np.abs(log_odds[like] - log_odds[row]) <= caliper]
            if len(near):
                found = _alike(row, near, scaled, gap)
                gap += scaled[row] - scaled[found]
                free[family[found]] = False
                pairs.append((row, found))
    chosen = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return Matched(chosen[:, 0], chosen[:, 1], log_odds)


def _bits(state: NDArray[np.int8]) -> NDArray[np.uint64]:
    """Which needs are met and which unknown, as two numbers, uint64 (n, 2)."""
    weight = np.uint64(1) << np.arange(state.shape[1], dtype=np.uint64)
    met = ((state == MET) * weight).sum(axis=1, dtype=np.uint64)
    unknown = ((state == UNKNOWN) * weight).sum(axis=1, dtype=np.uint64)
    return np.column_stack([met, unknown])


def _scaled(features: Features) -> Floats:
    """Columns over their standard deviations, float64 (n, 2k)."""
    columns = _columns(features)
    spread = columns.std(axis=0)
    return np.asarray(columns / np.where(spread > 0, spread, 1.0))


def _alike(row: int, near: Ints, scaled: Floats, gap: Floats) -> int:
    """The case that stands for a helped one; ``gap``: sums of differences of all pairs so far."""
    apart = scaled[row] - scaled[near]
    differ = np.round((apart**2).sum(axis=1), 6)
    short = np.argsort(differ, kind="stable")[:SHORT]
    left = np.round(((gap + apart[short]) ** 2).sum(axis=1), 6)
    return int(near[short[left.argmin()]])


def clusters(cases: Cases, pairs: Matched) -> Ints:
    """Number of each pair's cluster, int64 (p,): pairs that share a family are in one.

    A family may stand for another and be helped later itself.
    """
    family = cases.number
    parent = np.arange(int(family.max(initial=0)) + 1)

    def root(of: int) -> int:
        while parent[of] != of:
            parent[of] = parent[parent[of]]
            of = int(parent[of])
        return of

    for one, other in zip(family[pairs.helped].tolist(), family[pairs.other].tolist(), strict=True):
        parent[root(one)] = root(other)
    roots = np.array([root(each) for each in family[pairs.helped].tolist()], dtype=np.int64)
    return np.asarray(np.unique(roots, return_inverse=True)[1], dtype=np.int64)
