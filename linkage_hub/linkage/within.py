"""Duplicates within one source, where no other source helps (docs/adr/0011-persons.md).

The empirical null of Efron (2004): most candidate pairs are strangers, and above their mode the
number of strangers falls off exponentially with the score. That line is fitted where strangers
prevail and drawn out to where matches lie; what is seen beyond it is duplicates. Refitted with
the duplicates taken out until it rests.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.isotonic import IsotonicRegression

from linkage_hub.linkage.candidates import Floats

BINS = 60
FEWEST = 50  # candidate pairs; fewer show no shape
ROUNDS = 20
RARE = 0.003  # usual rate of contradiction; below it nothing is learned of a source
EXPECTED = 8.0  # contradictions among strangers in the highest bin of the curve
GROWTH = 1.3  # of a bin over the one above it
FEWEST_BINS = 4
HALF = 0.5  # a contradiction more than was seen, halved
STILL = 1e-3  # a change of the slope, as a share of it, below which the fit rests
DOUBTFUL = 0.3  # probability below which a pair is a stranger
LOUDEST = 200.0  # strangers in a bin beyond which it counts no more, so that the tail is heard
MILD = 0.5  # of DOUBTFUL: below it a whole bin is taken for strangers
TRUSTED = 3  # strangers expected in a bin from which it counts


def empirical_null(score: Floats) -> Floats:
    """Probability that each candidate pair is of one person, float64 (m,).

    Args:
        score: of the candidate pairs, float64 (m,), in any order.
    """
    if len(score) < FEWEST:
        return np.zeros(len(score))
    counts, edges = np.histogram(score, bins=BINS)
    centre = (edges[:-1] + edges[1:]) / 2.0
    first = min(int(counts.argmax()) + 1, BINS - 3)
    counts, centre = counts[first:].astype(np.float64), centre[first:]
    share = np.zeros(len(counts))
    # Start from the first steep part: from the mode down to a twentieth of it.
    used = np.maximum.accumulate((counts < counts[0] / 20.0).astype(np.int64)) == 0
    used[: min(3, len(used))] = True
    slope = 0.0
    for _ in range(ROUNDS):
        strangers = counts * np.where(share < DOUBTFUL * MILD, 1.0, 1.0 - share)
        weight = np.where(used, np.minimum(strangers, LOUDEST), 0.0)
        line = np.polyfit(centre, np.log(np.maximum(strangers, 0.5)), 1, w=np.sqrt(weight))
        if line[0] >= 0:
            return np.zeros(len(score))
        null = np.exp(np.polyval(line, centre))
        seen = np.where(counts > 0, counts, np.nan)
        rough = np.clip(1.0 - null / seen, 0.0, 1.0)
        known = ~np.isnan(rough)
        iso = IsotonicRegression(out_of_bounds="clip").fit(
            centre[known], rough[known], sample_weight=counts[known]
        )
        share = iso.predict(centre)
        used = null >= TRUSTED
        used[: min(3, len(used))] = True
        if abs(line[0] - slope) < STILL * abs(line[0]):
            break
        slope = float(line[0])
    return np.where(score < centre[0], 0.0, iso.predict(score))


@dataclass(frozen=True, slots=True)
class Inside:
    """Candidate pairs within one source.

    Attributes:
        score: (m,), comparable between sources.
        contradicted: whether the two have different partners in some other source, bool (m,).
    """

    score: Floats
    contradicted: NDArray[np.bool_]


def contradicted(sources: Sequence[Inside]) -> list[Floats] | None:
    """Probability that each candidate pair within a source is of one person, by source.

    Two records that have different partners in another source are two people. Strangers are
    contradicted at a rate that the less similar half shows, relatives more often, for they turn
    up in other sources together; duplicates are not, for they share a partner. So the share of
    duplicates at a score is how far contradictions fall there below the highest rate seen at
    lower scores. One curve for all sources, each with its own rate as the unit.

    None where too few pairs could be contradicted to tell.
    """
    usual = [_usual(each) for each in sources]
    score = np.concatenate([each.score for each in sources])
    unit = np.repeat(usual, [len(each.score) for each in sources])
    seen = np.concatenate([each.contradicted for each in sources])
    order = np.argsort(-score, kind="stable")
    order = order[unit[order] > 0]
    # Bins grow downwards, so that the highest rate is not the highest noise.
    passed = np.cumsum(unit[order]) / EXPECTED
    bins = np.floor(np.log1p((GROWTH - 1.0) * passed) / np.log(GROWTH)).astype(np.int64)
    if not len(bins) or bins[-1] < FEWEST_BINS:
        return None
    expected = np.bincount(bins, unit[order])
    found = np.bincount(bins, seen[order].astype(np.float64))
    centre = np.bincount(bins, score[order]) / np.bincount(bins)
    rate = (found + HALF) / (expected + HALF)
    highest = np.maximum.accumulate(np.maximum(rate, 1.0)[::-1])[::-1]
    share = 1.0 - (found + HALF) / (expected * highest + HALF)
    share[int(rate.argmax()) :] = 0.0  # relatives, and below them strangers
    curve = IsotonicRegression(out_of_bounds="clip", y_min=0.0).fit(
        centre, np.clip(share, 0.0, 1.0), sample_weight=np.bincount(bins)
    )
    answers = []
    for each in sources:
        likely = np.asarray(curve.predict(each.score)) if len(each.score) else np.empty(0)
        answers.append(np.where(each.contradicted, 0.0, likely))
    return answers


def _usual(each: Inside) -> float:
    """How often strangers are contradicted: among the less similar half."""
    if len(each.score) < FEWEST:
        return 0.0
    rate = float(each.contradicted[each.score <= np.median(each.score)].mean())
    return rate if rate >= RARE else 0.0
