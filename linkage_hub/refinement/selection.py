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

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from linkage_hub.linkage.candidates import Indices, PairBlock
from linkage_hub.linkage.cores import on_all_cores
from linkage_hub.linkage.threshold import PairFit, fit_pair

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
    blocks: Sequence[PairBlock],
    sizes: Sequence[int],
    most: Sequence[int],
    *,
    fits: Sequence[PairFit] | None = None,
    seed: int = 1,
) -> Questions:
    """Pairs whose fields the agents compare level by level; a record is in one at most.

    They are drawn from the pairs that would be asked about, each record's best only, since the
    errors of those differ from the errors of pairs that need no question; each with a chance in
    proportion to its probability by its own evidence, though never less than ``LEAST_DRAWN``.

    Args:
        blocks: candidate pairs of each pair of datasets.
        sizes: number of records of each dataset.
        most: records of each dataset that may be used.
        fits: of the first stage, one for each block; fitted here where not given.
        seed: of the draw.
    """
    draw = np.random.default_rng(seed)
    found, likely = [np.empty((0, 4), dtype=np.int64)], [np.empty(0)]
    for block, fit in zip(blocks, fits or fitted_all(blocks, sizes), strict=True):
        size = (sizes[block.first], sizes[block.second])
        grey = grey_of_block(block, fit, sure_pairs(fit), size, 1)
        found.append(_table(block, grey))
        likely.append(chance_of(fit)[grey])
    worth = np.concatenate(likely)
    pairs = np.concatenate(found)[np.argsort(draw.exponential(size=len(worth)) / worth)]
    room = np.array(most, dtype=np.int64)
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    keep = _one_each(pairs, offsets, np.zeros(int(offsets[-1]), dtype=np.int64), room)
    return Questions(*np.ascontiguousarray(pairs[keep].T))


def chance_of(fit: PairFit) -> NDArray[np.float64]:
    """In proportion to what the pairs of a block are drawn to calibrate, float64 (m,)."""
    return np.maximum(fit.likely, LEAST_DRAWN)


def sure_pairs(fit: PairFit) -> NDArray[np.bool_]:
    """Pairs of a block that need no question, bool (m,)."""
    return np.asarray(fit.probability >= SURE)


def grey_of_block(
    block: PairBlock,
    fit: PairFit,
    sure: NDArray[np.bool_],
    sizes: Sequence[int],
    per_record: int,
) -> Indices:
    """Positions in a block of the pairs to ask, likeliest first.

    Args:
        block: candidate pairs.
        fit: of the first stage.
        sure: pairs that are matches without a question, bool (m,).
        sizes: records of the two datasets.
        per_record: questions that one record may be in.
    """
    free = np.flatnonzero(_free(block.left, sure, sizes[0]) & _free(block.right, sure, sizes[1]))
    free = free[np.argsort(-fit.likely[free], kind="stable")]
    keep = _few_each(block.left[free], block.right[free], sizes[0], sizes[1], per_record)
    return np.asarray(free[keep], dtype=np.int64)


def prior_odds(fit: PairFit, sure: NDArray[np.bool_], sizes: Sequence[int]) -> float:
    """Log2 odds that two records which both still look for a match are one person.

    Args:
        fit: of the first stage.
        sure: pairs that are matches without a question, bool (m,).
        sizes: records of the two datasets.
    """
    left = sizes[0] - int(sure.sum())
    right = sizes[1] - int(sure.sum())
    expected = max(fit.estimate.true_pairs - float(sure.sum()), _LEAST_EXPECTED)
    return float(np.log2(expected / max(1.0, float(left) * float(right))))


def _free(side: Indices, sure: NDArray[np.bool_], size: int) -> NDArray[np.bool_]:
    taken = np.zeros(size, dtype=bool)
    taken[side[sure]] = True
    return np.asarray(~taken[side])


def fitted(block: PairBlock, sizes: Sequence[int]) -> PairFit:
    """The first stage's model of a block by its similarities."""
    return fit_pair(
        block.similarity,
        block.left,
        block.right,
        sizes=(sizes[block.first], sizes[block.second]),
    )


def fitted_all(blocks: Sequence[PairBlock], sizes: Sequence[int]) -> Iterator[PairFit]:
    """The model of each block."""
    return on_all_cores(lambda block: fitted(block, sizes), blocks)


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
