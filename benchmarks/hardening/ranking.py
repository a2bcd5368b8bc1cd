"""Where a record's true partners stand among its candidates, every pair compared."""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from linkage_hub.linkage.candidates import combine

Floats = NDArray[np.float32]
BEST: Final = 5


def together(views: Floats) -> Floats:
    """Views as the hub puts them together (``candidates.combine``), (v, n, m) to (n, m)."""
    found = [combine(row.T.astype(np.float64)) for row in views.transpose(1, 0, 2)]
    return np.stack(found).astype(np.float32)


COMBINATIONS: Final[Mapping[str, Callable[[Floats], Floats]]] = {
    "together": together,
    "mean": lambda views: views.mean(axis=0),
    "largest": lambda views: views.max(axis=0),
}


def similarity_of_all(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> Floats:
    """Similarity of every pair in every view: uint8 (v, n, width), (v, m, width) to (v, n, m).

    Dice of one encoding, of several the share of equal bits, as the hub has them.
    """
    one = len(first) == 1
    return np.stack([_similarity(a, b, dice=one) for a, b in zip(first, second, strict=True)])


def _similarity(first: NDArray[np.uint8], second: NDArray[np.uint8], *, dice: bool) -> Floats:
    a = np.unpackbits(first, axis=1).astype(np.float32)
    b = np.unpackbits(second, axis=1).astype(np.float32)
    total = a.sum(axis=1)[:, None] + b.sum(axis=1)[None, :]
    twice = 2 * (a @ b.T)
    found: Floats = twice / np.maximum(total, 1) if dice else 1 + (twice - total) / a.shape[1]
    return found


def recall_of_best(scores: Floats, same: NDArray[np.bool_]) -> float:
    """Share of true pairs among each row's five best columns.

    Args:
        scores: (n, m), larger is better.
        same: (n, m), whether a pair is of one person.
    """
    best = np.argpartition(-scores, BEST, axis=1)[:, :BEST]
    return float(np.take_along_axis(same, best, axis=1).sum() / max(1, same.sum()))


def recall_over(views: Floats, same: NDArray[np.bool_], floor: float) -> float:
    """Share of true pairs of which some view is over a floor."""
    return float((views.max(axis=0)[same] >= floor).mean()) if same.any() else 0.0
