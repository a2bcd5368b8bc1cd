"""Candidate pairs: rows that share a key, for many narrow keys.

A key whose blocks together make too many pairs keeps its smallest blocks, so rare values are
compared where common ones are not; what one key does not use is left to the keys after it.
"""

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

PAIRS_A_RECORD: Final = 16  # over all keys, those that two keys make counted twice
LEAST_PAIRS: Final = 500_000  # however few rows there are
BLOCK_MOST: Final = 2_000  # rows

Rows = NDArray[np.int64]


def candidates(keys: Iterable[NDArray[np.int64]], rows: int, count: int) -> tuple[Rows, Rows]:
    """Pairs of rows that share a key, each once, the smaller row first, in order.

    Args:
        keys: int64 (rows,) each, -1 where a row has none; narrow keys first.
        rows: of the source.
        count: of keys.
    """
    if rows * (rows - 1) // 2 <= LEAST_PAIRS:
        left, right = np.triu_indices(rows, 1)
        return left.astype(np.int64), right.astype(np.int64)
    budget = PAIRS_A_RECORD * rows + LEAST_PAIRS
    found = []
    for at, key in enumerate(keys):
        made = _sharing(key, budget // max(1, count - at))
        budget -= len(made)
        found.append(made)
    whole = np.concatenate(found) if found else np.zeros(0, dtype=np.int64)
    found.clear()
    whole.sort()
    whole = whole[np.diff(whole, prepend=-1) != 0]  # faster than numpy's unique
    left = whole // max(1, rows)
    return left, np.remainder(whole, max(1, rows), out=whole)


def _sharing(key: NDArray[np.int64], most: int) -> Rows:
    """Pairs ``left * rows + right`` of one key, the smallest blocks first, ``most`` of them."""
    held = np.flatnonzero(key >= 0)
    order = held[np.argsort(key[held], kind="stable")]
    if len(order) == 0:
        return np.zeros(0, dtype=np.int64)
    edges = np.flatnonzero(np.diff(key[order])) + 1
    begins = np.concatenate(([0], edges))
    sizes = np.diff(np.append(begins, len(order)))
    wanted = (sizes > 1) & (sizes <= BLOCK_MOST)
    begins, sizes = begins[wanted], sizes[wanted]
    by_size = np.argsort(sizes, kind="stable")
    made = np.cumsum(sizes[by_size] * (sizes[by_size] - 1) // 2)
    kept = by_size[: int(np.searchsorted(made, most, side="right"))]
    total = int((sizes[kept] * (sizes[kept] - 1) // 2).sum())
    out = np.empty(total, dtype=np.int64)
    _fill(order, begins[kept], sizes[kept], len(key), out)
    return out


@njit(cache=True, nogil=True)
def _fill(order: Any, begins: Any, sizes: Any, rows: Any, out: Any) -> None:
    count = 0
    for block in range(len(begins)):
        members = order[begins[block] : begins[block] + sizes[block]]
        for i in range(len(members)):
            for j in range(i + 1, len(members)):
                out[count] = members[i] * rows + members[j]
                count += 1
