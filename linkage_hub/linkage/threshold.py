"""A threshold chosen without truth, for one pair of datasets.

The idea, in order (docs/adr/0004-threshold-without-truth.md argues it):
1. A record that has found its match tells what chance offers: its best candidate among the
   records still free is a *decoy*, a pair that is known to be wrong, drawn in the same
   competition that a record without a match goes through.
2. A record without a match would yield a decoy-like pair as often, so the number of wrong pairs
   among the mutual-best pairs is known but for the number of unmatched records.
3. A logistic model of similarity and of the margins over each side's second choice separates
   mutual-best pairs from decoys; its probabilities give that number; iterate to a fixed point.
4. The same probabilities give expected precision and recall, and the similarity threshold that
   maximises expected F1.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linkage_hub.linkage.candidates import Floats, Indices
from linkage_hub.linkage.logistic import fit_logistic, probabilities

Mask = NDArray[np.bool_]

MATCH = 0.5  # a pair is a match from this probability on: least expected errors
START_PROBABILITY = 0.9  # of the pairs that start the iteration
OUTER_ROUNDS = 10
INNER_ROUNDS = 10
TOLERANCE = 1e-3  # largest change of a probability that still counts as movement
FEW = 10  # fewer starting pairs than this say nothing; only near-identical pairs are matched
NEAR_IDENTICAL = 0.95  # Dice


@dataclass(frozen=True, slots=True)
class Estimate:
    """What the model expects of its own matches, without truth.

    Attributes:
        matches: number of pairs matched.
        true_pairs: expected number of true pairs between the datasets above the floor.
        precision, recall: expected, 0 to 1; recall counts only what the floor let through.
    """

    matches: int
    true_pairs: float
    precision: float
    recall: float


@dataclass(frozen=True, slots=True)
class PairFit:
    """The model of one pair of datasets.

    Attributes:
        probability: of a match, for each candidate pair, float64 (m,); zero unless each record
            is the other's best free candidate.
        threshold: Dice similarity that maximises expected F1.
        estimate: what to expect of the pairs at or above ``MATCH``.
    """

    probability: Floats
    threshold: float
    estimate: Estimate


@dataclass(frozen=True, slots=True)
class Pairs:
    """Candidate pairs of one pair of datasets, most similar first."""

    similarity: Floats
    left: Indices
    right: Indices
    left_size: int
    right_size: int
    floor: float


@dataclass(frozen=True, slots=True)
class _Competition:
    """Mutual-best pairs (targets) and decoys, with features (similarity, two margins)."""

    targets: Indices
    features: Floats
    left_decoys: Floats
    right_decoys: Floats


def fit_pair(
    similarity: Floats,
    left: Indices,
    right: Indices,
    *,
    sizes: tuple[int, int],
    floor: float,
) -> PairFit:
    """Fit the model to the candidate pairs of two datasets that hold each person once.

    Args:
        similarity: Dice, float64 (m,), descending.
        left: record numbers in the first dataset, int64 (m,).
        right: record numbers in the second, int64 (m,).
        sizes: numbers of records of the two datasets.
        floor: similarity below which pairs were not kept.
    """
    pairs = Pairs(similarity, left, right, sizes[0], sizes[1], floor)
    probability = np.zeros(len(similarity))
    matched = mutual_best(pairs)
    if matched.sum() < FEW:
        probability[matched & (similarity >= NEAR_IDENTICAL)] = START_PROBABILITY
        return _finished(pairs, probability)
    probability[matched] = START_PROBABILITY
    for _ in range(OUTER_ROUNDS):
        field = _compete(pairs, matched)
        updated = np.zeros(len(similarity))
        updated[field.targets] = _settle(pairs, field, int(matched.sum()), probability)
        probability, before = updated, matched
        matched = probability >= MATCH
        if not matched.any() or np.array_equal(matched, before):
            break
    return _finished(pairs, probability)


def expected_threshold(similarity: Floats, probability: Floats) -> float:
    """The similarity at which matching every pair from there up maximises expected F1.

    Args:
        similarity: of the competing pairs, float64 (m,).
        probability: of a match, float64 (m,).
    """
    if not len(similarity):
        return 1.0
    order = np.argsort(-similarity, kind="stable")
    gained = np.cumsum(probability[order])
    f1 = 2.0 * gained / (np.arange(1, len(order) + 1) + max(float(probability.sum()), 1e-9))
    last = int(f1.argmax())
    return float(similarity[order[last]])


def mutual_best(pairs: Pairs) -> Mask:
    """Mutual-best pairs in the upper half of the similarities seen, bool (m,).

    Nearly all are matches, and no model is needed to find them.
    """
    mutual = np.zeros(len(pairs.similarity), dtype=bool)
    every = np.arange(len(pairs.similarity))
    best_left, _ = _two_best(pairs, every, pairs.left, pairs.left_size)
    best_right, _ = _two_best(pairs, every, pairs.right, pairs.right_size)
    firsts = best_left[best_left >= 0]
    mutual[firsts[best_right[pairs.right[firsts]] == firsts]] = True
    if not mutual.any():
        return mutual
    half = (float(pairs.similarity[mutual].max()) + pairs.floor) / 2.0
    return mutual & (pairs.similarity >= half)


def _two_best(pairs: Pairs, subset: Indices, side: Indices, size: int) -> tuple[Indices, Floats]:
    """For each record of a side: its best pair of the subset (-1: none), and its second score."""
    best = np.full(size, -1, dtype=np.int64)
    best[side[subset[::-1]]] = subset[::-1]  # the last write is the most similar
    rest = subset[best[side[subset]] != subset][::-1]
    second = np.full(size, pairs.floor)
    second[side[rest]] = pairs.similarity[rest]
    return best, second


def _compete(pairs: Pairs, matched: Mask) -> _Competition:
    """Let every record look among the free records of the other side."""
    free_left = np.ones(pairs.left_size, dtype=bool)
    free_right = np.ones(pairs.right_size, dtype=bool)
    free_left[pairs.left[matched]] = False
    free_right[pairs.right[matched]] = False
    to_right = np.flatnonzero(free_right[pairs.right])
    to_left = np.flatnonzero(free_left[pairs.left])
    best_l, second_l = _two_best(pairs, to_right, pairs.left, pairs.left_size)
    best_r, second_r = _two_best(pairs, to_left, pairs.right, pairs.right_size)
    top_l, top_r = _score(pairs, best_l), _score(pairs, best_r)

    chosen = best_l[free_left & (best_l >= 0)]
    residual = chosen[best_r[pairs.right[chosen]] == chosen]
    held = np.flatnonzero(matched)
    features = np.concatenate(
        [
            _features(pairs, held, top_l, top_r),
            _features(pairs, residual, second_l, second_r),
        ]
    )
    decoy_l = best_l[~free_left & (best_l >= 0)]
    decoy_l = decoy_l[pairs.similarity[decoy_l] > top_r[pairs.right[decoy_l]]]
    decoy_r = best_r[~free_right & (best_r >= 0)]
    decoy_r = decoy_r[pairs.similarity[decoy_r] > top_l[pairs.left[decoy_r]]]
    return _Competition(
        np.concatenate([held, residual]),
        features,
        _features(pairs, decoy_l, second_l, top_r),
        _features(pairs, decoy_r, top_l, second_r),
    )


def _score(pairs: Pairs, best: Indices) -> Floats:
    scores = np.full(len(best), pairs.floor)
    found = best >= 0
    scores[found] = pairs.similarity[best[found]]
    return scores


def _features(pairs: Pairs, chosen: Indices, rival_l: Floats, rival_r: Floats) -> Floats:
    """Similarity, smaller margin, larger margin: float64 (n, 3)."""
    similarity = pairs.similarity[chosen]
    margin_l = similarity - rival_l[pairs.left[chosen]]
    margin_r = similarity - rival_r[pairs.right[chosen]]
    return np.column_stack(
        [similarity, np.minimum(margin_l, margin_r), np.maximum(margin_l, margin_r)]
    )


def _settle(pairs: Pairs, field: _Competition, held: int, before: Floats) -> Floats:
    """Probabilities of the targets at the fixed point of model and number of matches."""
    decoys = np.concatenate([field.left_decoys, field.right_decoys])
    rows = np.concatenate([field.features, decoys])
    labels = np.concatenate([np.ones(len(field.targets)), np.zeros(len(decoys))])
    probability = before[field.targets]
    if not len(decoys):
        return np.maximum(probability, np.where(before[field.targets] > 0, MATCH, 0.0))
    weights_of = np.concatenate(
        [np.full(len(field.left_decoys), 0), np.full(len(field.right_decoys), 1)]
    )
    coefficients = None
    for _ in range(INNER_ROUNDS):
        found = float(probability.sum())
        # Each unmatched record yields decoy-like pairs at the rate that the matched ones do;
        # the two sides estimate the same number, so each counts half.
        rates = np.array([pairs.left_size - found, pairs.right_size - found]) / (2.0 * held)
        weights = np.concatenate([probability, np.maximum(rates, 0.0)[weights_of]])
        coefficients = fit_logistic(rows, labels, weights, start=coefficients)
        updated = probabilities(field.features, coefficients)
        moved = float(np.abs(updated - probability).max())
        probability = updated
        if moved < TOLERANCE:
            break
    return probability


def _finished(pairs: Pairs, probability: Floats) -> PairFit:
    competing = probability > 0
    accepted = probability[probability >= MATCH]
    expected = float(probability.sum())
    gained = float(accepted.sum())
    return PairFit(
        probability,
        expected_threshold(pairs.similarity[competing], probability[competing]),
        Estimate(
            matches=len(accepted),
            true_pairs=expected,
            precision=gained / len(accepted) if len(accepted) else 1.0,
            recall=gained / expected if expected else 1.0,
        ),
    )
