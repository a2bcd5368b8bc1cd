"""One-to-one links of two files that hold each person once, through anonlink's solver."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from anonlink.solving import greedy_solve, pairs_from_groups
from numpy.typing import NDArray

from linkage_hub.linkage.candidates import (
    Encodings,
    Indices,
    PairBlock,
    Progress,
    anonlink_pairs,
    empty_block,
    find_candidates,
    silent,
)
from linkage_hub.linkage.threshold import MATCH, Estimate, fit_block

PER_RECORD = 200  # candidates of a record: two files bear a lower floor than twenty do


@dataclass(frozen=True, slots=True)
class OneToOne:
    """Links of two files.

    Attributes:
        left, right: linked record numbers, int64 (m,), ascending in ``left``.
        threshold: Dice similarity, chosen or given.
        estimate: expected precision and recall; None with a given threshold.
        candidates: the candidate pairs that were weighed.
    """

    left: Indices
    right: Indices
    threshold: float
    estimate: Estimate | None
    candidates: PairBlock


def one_to_one(
    first: Encodings,
    second: Encodings,
    *,
    threshold: float | None = None,
    progress: Progress = silent,
) -> OneToOne:
    """Link each record of one file to at most one of the other.

    With a given threshold this is anonlink's greedy solution of all pairs at or above it;
    without one, the pairs that are more likely matches than not.

    Args:
        first: encodings, uint8 (v, n, width).
        second: encodings of the other file.
        threshold: Dice similarity; chosen without truth when None.
        progress: told the share done, 0 to 1.

    Raises:
        LinkageError: the encodings do not fit together.
    """
    blocks = find_candidates([first, second], per_record=PER_RECORD, progress=progress)
    block = blocks[0] if blocks else empty_block(0, 1, 1.0, len(first))
    if threshold is not None:
        left, right = solve(block, block.similarity >= threshold)
        return OneToOne(left, right, threshold, None, block)
    fit = fit_block(block, first, second)
    left, right = solve(block, fit.probability >= MATCH)
    return OneToOne(left, right, fit.threshold, fit.estimate, block)


def solve(block: PairBlock, wanted: NDArray[np.bool_]) -> tuple[Indices, Indices]:
    """The greedy solution by anonlink, ascending in the left record."""
    links: Sequence[tuple[int, int]] = sorted(
        pairs_from_groups(greedy_solve(anonlink_pairs([block.where(wanted)])))
    )
    table = np.array(links, dtype=np.int64).reshape(-1, 2)
    return table[:, 0], table[:, 1]
