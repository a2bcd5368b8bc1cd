"""Anonlink's own solver on candidate pairs at one similarity threshold: no model, no questions."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from anonlink.solving import greedy_solve

from linkage_hub.linkage.candidates import PairBlock, anonlink_pairs

SWEEP: Final = tuple(round(0.40 + 0.02 * step, 2) for step in range(29))

Labels = npt.NDArray[np.int64]


def greedy_groups(blocks: Sequence[PairBlock], sizes: Sequence[int], threshold: float) -> Labels:
    """Anonlink's greedy groups of the pairs at or above a threshold.

    A group holds one record of a source at most.

    Args:
        blocks: candidate pairs, one block for each pair of sources.
        sizes: records of each source.
        threshold: similarity.

    Returns:
        The group of each record over all sources, int64 (n,).
    """
    starts = np.cumsum([0, *sizes])
    label = np.arange(starts[-1], dtype=np.int64)
    kept = [block.where(block.similarity >= threshold) for block in blocks]
    for group in greedy_solve(anonlink_pairs(kept)):
        members = [int(starts[source]) + record for source, record in group]
        label[members] = members[0]
    return label


def swept(blocks: Sequence[PairBlock], sizes: Sequence[int]) -> Iterator[tuple[float, Labels]]:
    """The groups at each threshold of the sweep at which every candidate is known."""
    lowest = min((block.floor for block in blocks), default=1.0)
    for threshold in SWEEP:
        if threshold >= lowest:
            yield threshold, greedy_groups(blocks, sizes, threshold)
