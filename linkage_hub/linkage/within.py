"""A threshold for duplicates within one source (docs/adr/0004-threshold-without-truth.md).

1. Beside other sources: two records that have different partners in another source are two
   people. Relatives in one home are contradicted like that; duplicates are not, for they share
   a partner. The threshold is where contradictions fall below half their usual rate.
2. Alone: the shape of the best similarities must do, two groups, each normal in log-odds of Dice.
3. Where neither says anything, only near-identical records are duplicates.
"""

import numpy as np
from sklearn.isotonic import IsotonicRegression
from sklearn.mixture import GaussianMixture

from linkage_hub.linkage.candidates import Floats, Indices
from linkage_hub.linkage.threshold import NEAR_IDENTICAL

RARE = 0.01  # usual rate of contradiction; below it nothing can be learned
NULL_SHARE = 0.5  # the less similar part of the candidates, which holds no duplicates
FEWEST = 50  # records; fewer do not show two groups
SEPARATION = 2.0  # pooled standard deviations between the groups (Ashman's D)
EDGE = 1e-3  # keeps the log-odds of 1.0 finite


def contradicted_threshold(similarity: Floats, contradicted: Floats) -> float:
    """Dice similarity from which pairs within a source are contradicted less than half as often.

    Args:
        similarity: Dice of candidate pairs within the source, float64 (m,).
        contradicted: one where the two records have different partners in some other source,
            zero otherwise, float64 (m,).
    """
    if len(similarity) < FEWEST:
        return NEAR_IDENTICAL
    usual = float(contradicted[similarity <= np.quantile(similarity, NULL_SHARE)].mean())
    if usual < RARE:
        return NEAR_IDENTICAL
    rate = IsotonicRegression(increasing=False).fit_transform(similarity, contradicted)
    below = similarity[rate < usual / 2.0]
    return float(below.min()) if len(below) else NEAR_IDENTICAL


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
