"""Parts of a component that no matrix can hold, and that stricter edges do not cut.

So many pairs that all look certain are hardly people: a field that everybody shares, or encodings
made to match. Nobody may be brought together by them whom a ruling keeps apart. In order:

1. What rulings bind is one.
2. Pairs are taken from the heaviest down; of equal ones the lower numbers first. Two parts are
   merged where the mean weight between them is above zero, absent pairs included: the rule of
   average linkage, whose order alone is given up for memory linear in the pairs.
3. Never two parts of which one node each is kept apart, however many pairs speak for them.
"""

import numba
import numpy as np
from numpy.typing import NDArray

from linkage_hub.linkage.candidates import Floats, Indices

_Counts = NDArray[np.int64]


def strongest_first(
    group: Indices,
    left: Indices,
    right: Indices,
    weight: Floats,
    absent: Floats,
    together: float,
    apart: float,
) -> Indices:
    """The part of each node, by one of its nodes, int64 (n,).

    Args:
        group: group of each node, int64 (n,).
        left: one end of each edge, int64 (m,); of two equal edges the last counts.
        right: the other end, int64 (m,).
        weight: of each edge, float64 (m,).
        absent: weight of two nodes without an edge, at most 0, by their groups, float64 (g, g).
        together: weight of an edge that binds.
        apart: weight of an edge that keeps apart.
    """
    low, high = np.minimum(left, right), np.maximum(left, right)
    key = low * np.int64(len(group)) + high
    _, backwards = np.unique(key[::-1], return_index=True)
    last = len(key) - 1 - backwards
    low, high, weight = low[last], high[last], weight[last]
    order = np.lexsort((high, low, -weight))
    ends, others = np.concatenate([low, high]), np.concatenate([high, low])
    by_end = np.argsort(ends, kind="stable")
    starts = np.searchsorted(ends[by_end], np.arange(len(group) + 1))
    counts = np.zeros((len(group), len(absent)), dtype=np.int64)
    counts[np.arange(len(group)), group] = 1
    return _joined(
        low[order], high[order], weight[order], group, absent, together, apart,
        starts, others[by_end], np.concatenate([weight, weight])[by_end], counts,
    )  # fmt: skip


@numba.njit(cache=True, nogil=True)
def _joined(
    low: Indices,
    high: Indices,
    weight: Floats,
    group: Indices,
    absent: Floats,
    together: float,
    apart: float,
    starts: Indices,
    others: Indices,
    weights: Floats,
    counts: _Counts,
) -> Indices:  # pragma: no cover - compiled
    """Parts; ``counts`` are the nodes of each part by group, and change."""
    size = len(group)
    part, following, last = np.arange(size), np.full(size, -1, np.int64), np.arange(size)
    members = np.ones(size, np.int64)
    for edge in range(len(weight)):
        a, b = part[low[edge]], part[high[edge]]
        if weight[edge] <= 0.0:
            break
        if a == b:
            continue
        if members[a] < members[b]:
            a, b = b, a
        if weight[edge] != together and not _nearer(
            a, b, part, following, group, absent, apart, starts, others, weights, counts
        ):
            continue
        node = b
        while node >= 0:
            part[node] = a
            node = following[node]
        following[last[a]], last[a] = b, last[b]
        members[a] += members[b]
        counts[a] += counts[b]
    return part


@numba.njit(cache=True, nogil=True)
def _nearer(
    large: int,
    small: int,
    part: Indices,
    following: Indices,
    group: Indices,
    absent: Floats,
    apart: float,
    starts: Indices,
    others: Indices,
    weights: Floats,
    counts: _Counts,
) -> bool:  # pragma: no cover - compiled
    """Whether the mean weight between two parts is above zero, and nothing keeps them apart."""
    total = 0.0
    for one in range(len(absent)):
        for other in range(len(absent)):
            total += counts[large, one] * counts[small, other] * absent[one, other]
    node = small
    while node >= 0:
        for at in range(starts[node], starts[node + 1]):
            if part[others[at]] == large:
                if weights[at] == apart:
                    return False
                total += weights[at] - absent[group[node], group[others[at]]]
        node = following[node]
    return total > 0.0
