"""Which pairs to ask about where many sources become persons.

A yes or no is worth most where it decides whether two groups of records are one person, so:
1. Pairs that are sure need no question; the records that they connect are one group already, and
   so are those of one source that its agent holds for one person. Nobody is asked about two
   records of one source: the agent has compared them.
2. Among the others, likeliest first, a pair is asked about when it connects two groups that
   nothing connects yet: a spanning forest, so that each question can change the grouping.
3. Then again over pairs not asked yet: a second forest, and more, since one answer may be wrong
   and a person's records may hang together by another pair, as many as the budgets bear
   (a sparse certificate of connectivity, Nagamochi and Ibaraki 1992).
4. No record is asked about more often than its budget, and no pair twice.
"""

from collections.abc import Sequence

import numba
import numpy as np
from numpy.typing import NDArray

from linkage_hub.linkage.candidates import Indices
from linkage_hub.linkage.weighing import Weighed

SURE = 0.995  # probability from which nobody is asked
ONE_ENTRY = 0.9  # probability, by its agent, from which two records of a source are one group
LEAST = 0.002  # probability below which a question is not worth its budget
FORESTS = 8

Table = NDArray[np.int64]


def persons_questions(
    weighed: Sequence[Weighed],
    sizes: Sequence[int],
    *,
    asked: Sequence[Indices],
    per_record: int,
    most: int,
    exclude: Table,
) -> Table:
    """Pairs worth a question, those that decide most first.

    Args:
        weighed: pairs between datasets and within them by the first stage.
        sizes: number of records of each dataset.
        asked: how often each record of each dataset was asked about before, int64 (n,).
        per_record: how often a record may be asked about in all.
        most: pairs in all.
        exclude: pairs asked about before: first, second, left, right, int64 (k, 4).

    Returns:
        first, second, left, right, int64 (m, 4).
    """
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    rows, likely = [np.empty((0, 4), dtype=np.int64)], [np.empty(0)]
    known_same = [np.empty(0, dtype=np.bool_)]
    for each in weighed:
        at = np.flatnonzero(each.likely >= (ONE_ENTRY if each.inside else LEAST))
        block = each.block
        ends = (np.full(len(at), block.first), np.full(len(at), block.second))
        rows.append(np.column_stack([*ends, block.left[at], block.right[at]]))
        likely.append(each.likely[at])
        known_same.append(likely[-1] >= (ONE_ENTRY if each.inside else SURE))
    pairs, worth, sure = np.concatenate(rows), np.concatenate(likely), np.concatenate(known_same)
    order = np.lexsort((pairs[:, 3], pairs[:, 2], pairs[:, 1], pairs[:, 0], -worth))
    pairs, worth, sure = pairs[order], worth[order], sure[order]
    left, right = pairs[:, 2] + offsets[pairs[:, 0]], pairs[:, 3] + offsets[pairs[:, 1]]
    total = int(offsets[-1])
    known = (exclude[:, 2] + offsets[exclude[:, 0]]) * total
    known += exclude[:, 3] + offsets[exclude[:, 1]]
    barred = np.isin(left * total + right, known)
    room = per_record - np.concatenate([np.empty(0, dtype=np.int64), *asked]).astype(np.int64)
    chosen = _forests(left, right, sure, barred, room, min(most, len(pairs)), FORESTS)
    return np.ascontiguousarray(pairs[chosen])


@numba.njit(cache=True, nogil=True)
def _find(root: Indices, node: int) -> int:  # pragma: no cover - compiled
    while root[node] != node:
        root[node] = root[root[node]]
        node = root[node]
    return node


@numba.njit(cache=True, nogil=True)
def _forests(
    left: Indices,
    right: Indices,
    sure: NDArray[np.bool_],
    barred: NDArray[np.bool_],
    room: Indices,
    most: int,
    forests: int,
) -> Indices:  # pragma: no cover - compiled
    """Numbers of the pairs to ask, by forest; ``room`` is used up."""
    chosen = np.empty(most, np.int64)
    count = 0
    open_ = ~(sure | barred)
    for _ in range(forests):
        root = np.arange(len(room))
        for pair in range(len(left)):
            if sure[pair]:
                root[_find(root, right[pair])] = _find(root, left[pair])
        for pair in range(len(left)):
            a, b = left[pair], right[pair]
            if count == most or not open_[pair] or room[a] < 1 or room[b] < 1:
                continue
            one, other = _find(root, a), _find(root, b)
            if one != other:
                root[other] = one
                open_[pair] = False
                room[a] -= 1
                room[b] -= 1
                chosen[count] = pair
                count += 1
    return chosen[:count]
