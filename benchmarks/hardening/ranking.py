"""Where a record's true partners stand among its candidates, every pair compared."""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
BEST: Final = 5
COMBINATIONS: Final[Mapping[str, Callable[[Floats], Floats]]] = {
    "mean": lambda views: views.mean(axis=0),
    "largest": lambda views: views.max(axis=0),
}


def dice_of_all(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> Floats:
    """Dice of every pair in every view: uint8 (v, n, width), (v, m, width) to (v, n, m)."""
    return np.stack([_dice(a, b) for a, b in zip(first, second, strict=True)])


def _dice(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> Floats:
    a = np.unpackbits(first, axis=1).astype(np.float32)
    b = np.unpackbits(second, axis=1).astype(np.float32)
    total = a.sum(axis=1)[:, None] + b.sum(axis=1)[None, :]
    found: Floats = 2 * (a @ b.T) / np.maximum(total, 1)
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
