"""A threshold for the duplicates of one source that stands alone.

There is no second source to compete with, so the shape of the best similarities must do: one
group of records that have a duplicate, one of records that have not, each normal in log-odds of
Dice. Without a clear gap nothing but near-identical pairs are called duplicates. See
docs/adr/0004-threshold-without-truth.md for what this does badly.
"""

import numpy as np
from sklearn.mixture import GaussianMixture

from linkage_hub.linkage.candidates import Floats, Indices
from linkage_hub.linkage.threshold import NEAR_IDENTICAL

FEWEST = 50  # records; fewer do not show two groups
SEPARATION = 2.0  # pooled standard deviations between the groups (Ashman's D)
EDGE = 1e-3  # keeps the log-odds of 1.0 finite


def within_threshold(
    similarity: Floats, left: Indices, right: Indices, size: int, floor: float
) -> float:
    """Dice similarity from which two records of one source are duplicates.

    Args:
        similarity: Dice of the candidate pairs, float64 (m,), descending.
        left: record numbers, int64 (m,).
        right: record numbers, int64 (m,).
        size: number of records.
        floor: similarity below which pairs were not kept.
    """
    best = np.full(size, floor)
    np.maximum.at(best, left, similarity)
    np.maximum.at(best, right, similarity)
    if size < FEWEST:
        return NEAR_IDENTICAL
    seen = np.clip(best, EDGE, 1 - EDGE)
    odds = np.log(seen / (1 - seen))[:, None]
    mixture = GaussianMixture(
        2, random_state=0, means_init=np.quantile(odds, [[0.1], [0.9]]), reg_covar=1e-3
    ).fit(odds)
    means = mixture.means_.ravel()
    spread = np.sqrt(mixture.covariances_.ravel())
    low, high = int(means.argmin()), int(means.argmax())
    apart = np.sqrt(2.0) * (means[high] - means[low]) / np.hypot(spread[low], spread[high])
    if apart < SEPARATION:
        return NEAR_IDENTICAL
    grid = np.linspace(means[low], means[high], 512)
    share = mixture.predict_proba(grid[:, None])[:, high]
    crossing = float(grid[int((share >= 0.5).argmax())])  # noqa: PLR2004 even odds
    return float(1.0 / (1.0 + np.exp(-crossing)))
