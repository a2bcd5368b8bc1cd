"""What the model's probabilities are worth, learnt on pairs whose answer is known.

A pair's probability is passed through a curve, log odds in, log odds out, a straight line of two
coefficients (J. Platt, 1999), fitted to pairs of synthetic records with a prior about the model
being right. Joined pairs and parted ones have a curve each: that other pairs spoke against a
parted one is not in its probability. True pairs that the model did not see at all are counted in
proportion to those that it saw and left, as among synthetic records.

The fit is repeated on resampled synthetic people (Efron's bootstrap, people being the clusters),
from which the estimates' uncertainty follows.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from linkage_hub.quality.pairs import Floats, Indices, RecordPairs

LOWEST: Final = 1e-4  # a probability is not taken to be nearer to 0 or 1 than this
REPLICATES: Final = 60
_SEED: Final = 20261124  # the same run, the same table
_PRIOR_MEAN: Final = np.array([0.0, 1.0])  # the model is right
_PRIOR_PRECISION: Final = np.array([1 / 3.0**2, 1 / 0.5**2])
_STEPS: Final = 40  # of Newton's method
_SETTLED: Final = 1e-5  # a smaller step changes nothing
_HALF: Final = 0.5
BANDS: Final = 200  # of probability, in which pairs are counted for the replicates
_LOWEST: Final = float(np.log(LOWEST / (1.0 - LOWEST)))
_MIDDLES: Final = _LOWEST - 2.0 * _LOWEST * (np.arange(BANDS) + 0.5) / BANDS
_CENTRES: Final = 1.0 / (1.0 + np.exp(-_MIDDLES))

Coefficients = NDArray[np.float64]  # (2,): offset and slope


@dataclass(frozen=True, slots=True)
class Known:
    """Pairs with a synthetic record, by whether they are right.

    Attributes:
        pairs: of records.
        right: whether the two are one synthetic person, float64 (n,).
        weight: of each, float64 (n,).
        cluster: the synthetic person that a pair counts for, int64 (n,).
    """

    pairs: RecordPairs
    right: Floats
    weight: Floats
    cluster: Indices


@dataclass(frozen=True, slots=True)
class Curves:
    """The two curves, and what was not seen.

    Attributes:
        joined, parted: coefficients, float64 (2,).
        unseen: missed pairs that the model did not see, for each that it did.
    """

    joined: Coefficients
    parted: Coefficients
    unseen: float


def log_odds(probability: Floats) -> Floats:
    """Of probabilities, kept away from 0 and 1."""
    kept = np.clip(probability, LOWEST, 1.0 - LOWEST)
    found: Floats = np.log(kept / (1.0 - kept))
    return found


def worth(probability: Floats, coefficients: Coefficients) -> Floats:
    """Probabilities through a curve."""
    score = np.clip(coefficients[0] + coefficients[1] * log_odds(probability), -30.0, 30.0)
    found: Floats = 1.0 / (1.0 + np.exp(-score))
    return found


@dataclass(frozen=True, slots=True)
class Fitted:
    """Curves, and those of resampled synthetic people.

    Attributes:
        joined_excess, parted_excess: variance of the numbers of right pairs by person, for each
            unit of what independent pairs would have; at least 1.
    """

    central: Curves
    replicates: list[Curves]
    joined_excess: float
    parted_excess: float

    def spread(
        self, joined: RecordPairs, weight: Floats, parted: RecordPairs, doubt: Floats
    ) -> tuple[float, float]:
        """Variance of the log odds of precision and recall that is due to the curves.

        Args:
            joined: pairs that are looked at.
            weight: of each of them, float64 (n,).
            parted: likewise, of pairs that were left.
            doubt: their weights.
        """
        if not self.replicates:
            return 0.0, 0.0
        here, there = _counted(joined, weight), _counted(parted, doubt)
        total = float(weight.sum())
        odds = []
        for each in self.replicates:
            right = float(here @ worth(_CENTRES, each.joined)) + _HALF
            missed = float(there @ worth(_CENTRES, each.parted)) * (1.0 + each.unseen) + _HALF
            wrong = max(0.0, total - right) + _HALF
            odds.append((np.log(right / wrong), np.log(right / missed)))
        precision, recall = np.var(np.array(odds), axis=0, ddof=1)
        return float(precision), float(recall)


def _counted(pairs: RecordPairs, weight: Floats) -> Floats:
    """Weights by bands of probability, float64 (BANDS,)."""
    place = (log_odds(pairs.probability) - _LOWEST) / (-2.0 * _LOWEST) * BANDS
    at = np.clip(place.astype(np.int64), 0, BANDS - 1)
    return np.bincount(at, weight, minlength=BANDS).astype(np.float64)


def fit(joined: Known, parted: Known, true_pairs: Floats) -> Fitted:
    """The curves of known pairs, and those of resampled people.

    Args:
        joined: pairs that were joined.
        parted: pairs that the model saw and left.
        true_pairs: of each synthetic person, float64 (people,).
    """
    people = len(true_pairs)
    rng = np.random.default_rng(_SEED)
    replicates = []
    for _ in range(REPLICATES if people else 0):
        times = rng.multinomial(people, np.full(people, 1.0 / people)).astype(np.float64)
        again = _again(joined, times), _again(parted, times)
        replicates.append(_curves(*again, float((times * true_pairs).sum())))
    central = _curves(joined, parted, float(true_pairs.sum()))
    return Fitted(
        central, replicates, _excess(joined, central.joined), _excess(parted, central.parted)
    )


def _excess(known: Known, coefficients: Coefficients) -> float:
    """Overdispersion of right pairs by person."""
    if not len(known.pairs):
        return 1.0
    guess = worth(known.pairs.probability, coefficients)
    _, person = np.unique(known.pairs.cluster, return_inverse=True)
    together = np.bincount(person, known.weight * (known.right - guess))
    apart = float((known.weight**2 * guess * (1.0 - guess)).sum())
    return max(1.0, float((together**2).sum()) / apart) if apart > 0 else 1.0


def _curves(joined: Known, parted: Known, true_pairs: float) -> Curves:
    right = float((joined.weight * joined.right).sum())
    left = float((parted.weight * parted.right).sum())
    unseen = max(0.0, true_pairs - right - left)
    return Curves(_fitted(joined), _fitted(parted), (unseen + _HALF) / (left + 2 * _HALF))


def _again(known: Known, times: Floats) -> Known:
    return Known(known.pairs, known.right, known.weight * times[known.cluster], known.cluster)


def _fitted(known: Known) -> Coefficients:
    """Newton's method, steps halved until they help, for logistic regression with a prior."""
    rows = np.column_stack([np.ones(len(known.pairs)), log_odds(known.pairs.probability)])
    found = _PRIOR_MEAN.copy()
    loss = _loss(found, rows, known)
    for _ in range(_STEPS):
        guess = 1.0 / (1.0 + np.exp(-np.clip(rows @ found, -30.0, 30.0)))
        slope = rows.T @ (known.weight * (known.right - guess)) - _PRIOR_PRECISION * (
            found - _PRIOR_MEAN
        )
        bend = (rows.T * (known.weight * guess * (1.0 - guess))) @ rows + np.diag(_PRIOR_PRECISION)
        step = np.linalg.solve(bend, slope)
        better = _loss(found + step, rows, known)
        while better > loss and float(np.abs(step).max()) > _SETTLED:
            step = step / 2.0
            better = _loss(found + step, rows, known)
        if float(np.abs(step).max()) <= _SETTLED:
            break
        found, loss = found + step, better
    return found


def _loss(coefficients: Coefficients, rows: Floats, known: Known) -> float:
    score = rows @ coefficients
    doubt = np.logaddexp(0.0, score) - known.right * score
    away = _PRIOR_PRECISION * (coefficients - _PRIOR_MEAN) ** 2
    return float((known.weight * doubt).sum() + away.sum() / 2.0)
