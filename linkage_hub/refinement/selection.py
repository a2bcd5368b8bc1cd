"""Which pairs the agents are asked about.

In order:
1. Between two sources, a pair that the first stage holds for a match with probability ``SURE`` is
   a match; nobody is asked. Its two records are out of every other question.
2. Among the rest a record's likeliest candidates are asked about, likeliest pairs first by
   their own evidence: a pair that lost the first stage's competition may be the match,
   until a record has ``per_record`` questions or the run has ``most``.
3. The prior of such a pair is that of two records which both still look for their match.
4. Calibration takes each record once at most, from the best of the pairs to ask, likely matches
   more often than unlikely ones: it has to show how matches agree.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from linkage_hub.linkage.candidates import Indices, PairBlock
from linkage_hub.linkage.weighing import Weighed

SURE: Final = 0.999
LEAST_DRAWN: Final = 0.02
_LEAST_EXPECTED: Final = 0.5  # true pairs; an expectation of none would forbid every match


class Questions(NamedTuple):
    """Pairs of records, int64 (n,) each; ``first < second`` are dataset numbers."""

    first: Indices
    second: Indices
    left: Indices
    right: Indices


def calibration_pairs(
    weighed: Sequence[Weighed], sizes: Sequence[int], most: Sequence[int], *, seed: int = 1
) -> Questions:
    """Pairs whose fields the agents compare level by level; a record is in one at most.

    They are drawn from the pairs that would be asked about, each record's best only, since the
    errors of those differ from the errors of pairs that need no question; each with a chance in
    proportion to its probability by its own evidence, though never less than ``LEAST_DRAWN``.

    Args:
        weighed: candidate pairs of each pair of datasets by the first stage.
        sizes: number of records of each dataset.
        most: records of each dataset that may be used.
        seed: of the draw.
    """
    draw = np.random.default_rng(seed)
    found, likely = [np.empty((0, 4), dtype=np.int64)], [np.empty(0)]
    for each in weighed:
        grey = grey_of_block(each, sizes, 1)
        found.append(_table(each.block, grey))
        likely.append(chance_of(each, grey))
    worth = np.concatenate(likely)
    pairs = np.concatenate(found)[np.argsort(draw.exponential(size=len(worth)) / worth)]
    room = np.array(most, dtype=np.int64)
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    keep = _one_each(pairs, offsets, np.zeros(int(offsets[-1]), dtype=np.int64), room)
    return Questions(*np.ascontiguousarray(pairs[keep].T))


def chance_of(weighed: Weighed, at: Indices) -> NDArray[np.float64]:
    """In proportion to what pairs of a block are drawn to calibrate, float64 (n,).

    Args:
        weighed: candidate pairs of two datasets by the first stage.
        at: positions of the pairs, int64 (n,); -1 for one that is no candidate any more.
    """
    return np.maximum(np.where(at < 0, 0.0, weighed.likely[at]), LEAST_DRAWN)


def grey_of_block(weighed: Weighed, sizes: Sequence[int], per_record: int) -> Indices:
    """Positions in a block of the pairs to ask, likeliest first.

    Args:
        weighed: candidate pairs of two datasets by the first stage.
        sizes: number of records of each dataset.
        per_record: questions that one record may be in.
    """
    block, sure = weighed.block, weighed.probability >= SURE
    size = (sizes[block.first], sizes[block.second])
    free = np.flatnonzero(_free(block.left, sure, size[0]) & _free(block.right, sure, size[1]))
    free = free[np.argsort(-weighed.likely[free], kind="stable")]
    keep = _few_each(block.left[free], block.right[free], *size, per_record)
    return np.asarray(free[keep], dtype=np.int64)


def prior_odds(weighed: Weighed, sizes: Sequence[int]) -> float:
    """Log2 odds that two records which both still look for a match are one person.

    Args:
        weighed: candidate pairs of two datasets by the first stage.
        sizes: number of records of each dataset.
    """
    sure = int((weighed.probability >= SURE).sum())
    left, right = sizes[weighed.block.first] - sure, sizes[weighed.block.second] - sure
    expected = max(float(weighed.probability.sum()) - sure, _LEAST_EXPECTED)
    return float(np.log2(expected / max(1.0, float(left) * float(right))))


def _free(side: Indices, sure: NDArray[np.bool_], size: int) -> NDArray[np.bool_]:
    taken = np.zeros(size, dtype=bool)
    taken[side[sure]] = True
    return np.asarray(~taken[side])


def _table(block: PairBlock, at: Indices) -> NDArray[np.int64]:
    return np.column_stack(
        [
            np.full(len(at), block.first),
            np.full(len(at), block.second),
            block.left[at],
            block.right[at],
        ]
    ).astype(np.int64)


@njit(cache=True)
def _few_each(
    left: Indices, right: Indices, left_size: int, right_size: int, most: int
) -> NDArray[np.bool_]:
    """The pairs, in order, that leave no record with more than ``most``."""
    asked_left = np.zeros(left_size, dtype=np.int64)
    asked_right = np.zeros(right_size, dtype=np.int64)
    keep = np.zeros(len(left), dtype=np.bool_)
    for at in range(len(left)):
        if asked_left[left[at]] < most and asked_right[right[at]] < most:
            keep[at] = True
            asked_left[left[at]] += 1
            asked_right[right[at]] += 1
    return keep


@njit(cache=True)
def _one_each(
    pairs: NDArray[np.int64], offsets: Indices, used: Indices, room: Indices
) -> NDArray[np.bool_]:
    """The pairs, in order, that use no record twice and no dataset beyond its room."""
    keep = np.zeros(len(pairs), dtype=np.bool_)
    for at in range(len(pairs)):
        first, second = pairs[at, 0], pairs[at, 1]
        left = offsets[first] + pairs[at, 2]
        right = offsets[second] + pairs[at, 3]
        if used[left] or used[right] or room[first] < 1 or room[second] < 1:
            continue
        keep[at] = True
        used[left] = used[right] = 1
        room[first] -= 1
        room[second] -= 1
    return keep
