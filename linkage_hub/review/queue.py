"""Which pairs are worth a person's time: those whose answer would change most.

A pair that is apart and may be one person would bring together every record of the one with
every record of the other; a pair that is together and may be two would part a record from the
rest. The expected number of pairs of records changed is that count times the probability that
the model is wrong about the pair.
"""

from dataclasses import dataclass

import numpy as np

from linkage_hub.linkage.candidates import Floats, Indices
from linkage_hub.linkage.persons import LinkResult

SURE = 0.01  # probability of being wrong below which nobody is asked
MOST = 1_000  # pairs kept for one run


@dataclass(frozen=True, slots=True)
class Doubtful:
    """Pairs to rule on, those that would change most first; int64 or float64 (k,) each."""

    first: Indices
    second: Indices
    left: Indices
    right: Indices
    probability: Floats
    changes: Floats


def doubtful_pairs(linked: LinkResult, most: int = MOST) -> Doubtful:
    """The pairs of a run that are worth a ruling; at most one for each two persons."""
    size = np.bincount(np.concatenate([np.empty(0, dtype=np.int64), *linked.person_of]))
    rows, shares, changes, keys = [np.empty((0, 4), dtype=np.int64)], [], [], []
    for pair in linked.pairs:
        one = linked.person_of[pair.first][pair.left]
        other = linked.person_of[pair.second][pair.right]
        apart = one != other
        wrong = np.where(apart, pair.probability, 1.0 - pair.probability)
        touched = np.where(apart, size[one] * size[other], size[one] - 1)
        at = np.flatnonzero(wrong >= SURE)
        ends = (np.full(len(at), pair.first), np.full(len(at), pair.second))
        rows.append(np.column_stack([*ends, pair.left[at], pair.right[at]]))
        shares.append(pair.probability[at])
        changes.append((wrong * touched)[at])
        keys.append(np.column_stack([np.minimum(one, other), np.maximum(one, other)])[at])
    table = np.concatenate(rows)
    probability = np.concatenate([np.empty(0), *shares])
    worth = np.concatenate([np.empty(0), *changes])
    key = np.concatenate([np.empty((0, 2), dtype=np.int64), *keys])
    order = np.lexsort((table[:, 3], table[:, 2], table[:, 1], table[:, 0], -worth))
    _, best = np.unique(key[order], axis=0, return_index=True)
    chosen = order[np.sort(best)][:most]
    first, second, left, right = table[chosen].T
    return Doubtful(first, second, left, right, probability[chosen], worth[chosen])
