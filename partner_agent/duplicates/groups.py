"""From pairs, each judged by itself, to groups of rows that agree with one another.

Rows that pairs connect are one group at most. Within it every pair is compared, those that no key
brought together too, and the likeliest pairs join their sides first, as in Kruskal's algorithm.
Two sides join while the pair's log odds outweigh half the mean of what speaks against it among
all pairs across: so a row between two relatives joins one of them and does not glue them together,
and two rows of a person that share little are joined by a third that shares much with both.
"""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

GROUP_MOST: Final = 60  # rows: more are parted at higher odds before every pair is compared
AGAINST: Final = 0.5  # weight of the mean of what speaks against joining two sides
_HIGHER: Final = 1.0  # log odds by which the floor rises for groups that are too large
_STEPS: Final = 40

Rows = NDArray[np.int64]
Float = NDArray[np.float64]


def consistent(
    left: Rows, right: Rows, odds: Float, rows: int, judge: Callable[[Rows, Rows], Float]
) -> tuple[Rows, Rows, Float]:
    """Pairs of rows of one group, with the log odds that both are of one person.

    Args:
        left: int64 (m,), rows of candidate pairs.
        right: int64 (m,), larger.
        odds: float64 (m,), log odds of each by itself.
        rows: of the source.
        judge: log odds of any pairs.

    Returns:
        pairs with log odds above 0, ordered by row.
    """
    group = _groups(left, right, odds, rows)
    sizes = np.bincount(group, minlength=1)
    order = np.argsort(group, kind="stable")
    order = order[sizes[group[order]] > 1]
    begins = np.flatnonzero(np.diff(group[order], prepend=-1)) if len(order) else order
    ends = np.append(begins[1:], len(order))
    lengths = ends - begins
    total = int((lengths * (lengths - 1) // 2).sum())
    one, other = np.empty(total, dtype=np.int64), np.empty(total, dtype=np.int64)
    _all_pairs(order, begins, ends, one, other)
    alone = judge(one, other)
    joined = np.empty(total)
    _join(alone, lengths, joined)
    kept = joined > 0.0
    by_row = np.lexsort((other[kept], one[kept]))
    return one[kept][by_row], other[kept][by_row], joined[kept][by_row]


def _groups(left: Rows, right: Rows, odds: Float, rows: int) -> NDArray[np.int64]:
    """Number of the group of each row: connected at odds above 0, higher where too many are."""
    floor = 0.0
    kept = odds > floor
    group = np.zeros(rows, dtype=np.int64)
    for _ in range(_STEPS):
        ends = (left[kept], right[kept])
        graph = coo_array((np.ones(len(ends[0]), dtype=np.int8), ends), shape=(rows, rows))
        group = connected_components(graph, directed=False)[1].astype(np.int64)
        large = np.bincount(group)[group] > GROUP_MOST
        if not large.any():
            return group
        floor += _HIGHER
        kept &= ~large[left] | (odds > floor)
    alone = np.bincount(group)[group] > GROUP_MOST
    group[alone] = rows + np.flatnonzero(alone)
    found: NDArray[np.int64] = np.unique(group, return_inverse=True)[1]
    return found


@njit(cache=True, nogil=True)
def _all_pairs(order: Any, begins: Any, ends: Any, one: Any, other: Any) -> None:
    count = 0
    for group in range(len(begins)):
        for i in range(begins[group], ends[group]):
            for j in range(i + 1, ends[group]):
                one[count] = order[i]
                other[count] = order[j]
                count += 1


@njit(cache=True, nogil=True)
def _join(alone: Any, lengths: Any, joined: Any) -> None:
    """Fill the log odds that each pair is of one person, -1 where its sides were not joined.

    Args:
        alone: float64 (pairs,), groups one after another, of each the upper triangle by rows.
        lengths: int64 (groups,), rows of each.
        joined: float64 (pairs,); filled.
    """
    start = 0
    for size in lengths:
        end = start + size * (size - 1) // 2
        ends = np.empty((end - start, 2), dtype=np.int64)
        odds = np.empty((size, size))
        at = 0
        for i in range(size):
            for j in range(i + 1, size):
                ends[at, 0], ends[at, 1] = i, j
                odds[i, j] = odds[j, i] = alone[start + at]
                at += 1
        held = np.full((size, size), np.inf)
        label = np.arange(size)
        for pair in np.argsort(-alone[start:end], kind="mergesort"):
            i, j = ends[pair]
            if odds[i, j] > 0.0 and label[i] != label[j]:
                gain = _gain(odds, label, i, j)
                if gain > 0.0:
                    _unite(held, label, i, j, gain)
        for pair in range(end - start):
            i, j = ends[pair]
            joined[start + pair] = held[i, j] if label[i] == label[j] else -1.0
        start = end


@njit(cache=True, nogil=True)
def _gain(odds: Any, label: Any, i: Any, j: Any) -> Any:
    """The pair's log odds, less what speaks against the others across its two sides."""
    against, across = 0.0, -1
    for a in np.flatnonzero(label == label[i]):
        for b in np.flatnonzero(label == label[j]):
            against += min(0.0, odds[a, b])
            across += 1
    return odds[i, j] + AGAINST * against / max(1, across)


@njit(cache=True, nogil=True)
def _unite(held: Any, label: Any, i: Any, j: Any, gain: Any) -> None:
    """Join two sides: a pair across is as sure as the least sure step between its rows."""
    mine, theirs = np.flatnonzero(label == label[i]), np.flatnonzero(label == label[j])
    for a in mine:
        for b in theirs:
            held[a, b] = held[b, a] = min(gain, held[a, i], held[j, b])
    label[theirs] = label[i]
