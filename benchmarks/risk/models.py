"""Every model on one pair of cohorts, measured alike."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from benchmarks.risk.families import NEEDS, Cohort
from linkage_hub.analytics.needs import MET
from linkage_hub.analytics.risk import logistic
from linkage_hub.analytics.risk.features import Features, Floats, features_of
from linkage_hub.analytics.risk.measures import (
    at_list_size,
    auc,
    calibration,
    group_errors,
    net_benefit,
    overlap,
)
from linkage_hub.analytics.risk.models import ranked
from linkage_hub.analytics.risk.private.randomness import SeededRandomness
from linkage_hub.analytics.risk.private.training import Guarantee, train
from linkage_hub.analytics.risk.rule import PublicRule

EPSILONS: Final = (0.5, 1.0, 3.0, 8.0)
DELTA: Final = 1e-6
THRESHOLD: Final = 0.15
"""Of net benefit: a family is looked at where one in seven or more is expected to need it."""

MET_SELDOM: Final = {1: "seldom", 0: "others"}

Scorer = Callable[[Features], Floats]


@dataclass(frozen=True, slots=True)
class Measured:
    """One model on one later cohort.

    Attributes:
        auc, precision, recall: of the list of the given size; interval: of the precision.
        oe, slope: calibration.
        benefit: at ``THRESHOLD``, a thousand families.
        overlap: of the list with that of a second training; 1 where nothing is drawn.
        train_s, score_s: seconds.
        groups: share found, share wrongly listed and observed to expected of each group.
        listed: rows of the list, the highest first, int64 (size,).
    """

    auc: float
    precision: float
    recall: float
    interval: tuple[float, float]
    oe: float
    slope: float
    benefit: float
    overlap: float
    train_s: float
    score_s: float
    groups: dict[str, float]
    listed: NDArray[np.int64]


def measured(
    first: Cohort, later: Cohort, rate: float, size: int, seed: int
) -> dict[str, Measured]:
    """All models by name.

    Args:
        first: what is learnt from.
        later: what is measured on.
        rate: that is declared for the rule.
        size: of the list.
        seed: of the noise.
    """
    made = makers(first, NEEDS, rate, seed)
    return {name: judged(make, later, NEEDS, size, MET_SELDOM) for name, make in made.items()}


def makers(
    first: Cohort,
    needs: Sequence[str],
    rate: float,
    seed: int,
    *,
    unknown: float = 0.0,
    variants: bool = True,
) -> dict[str, Callable[[int], Scorer]]:
    """What trains each model, by name: given the number of a training, with other noise for each.

    Args:
        first: what is learnt from.
        needs: ids, in the order of its columns.
        rate: that is declared for the rule.
        seed: of the noise.
        unknown: needs that nobody knows of, a family, as declared for the rule.
        variants: the private models that are only for comparison, too.
    """
    families = features_of(needs, first.state)
    outcome = first.outcome
    # what the county publishes of its needs: a share to the percent
    mean = round(float((first.state == MET).mean(axis=0).sum()), 1)
    rule = PublicRule(needs=tuple(needs), outcome_rate=rate, mean_needs=mean, mean_unknown=unknown)

    def private(epsilon: float, **how: float | bool) -> Callable[[int], Scorer]:
        def fitted(again: int) -> Scorer:
            noise = SeededRandomness(1_000_003 * seed + again)
            promise = Guarantee(epsilon, DELTA)
            return train(families, outcome, rule, promise, noise, **how).model.probability  # type: ignore[arg-type]

        return fitted

    def trees(_again: int) -> Scorer:
        found = HistGradientBoostingClassifier(max_iter=100, learning_rate=0.05, random_state=seed)
        found.fit(families.values, outcome)
        return lambda each: np.asarray(found.predict_proba(each.values)[:, 1])

    made: dict[str, Callable[[int], Scorer]] = {
        "rule": lambda _: rule.as_model().probability,
        "logistic": lambda _: logistic.fit(families, outcome).probability,
        "trees": trees,
        **{f"private {epsilon:g}": private(epsilon) for epsilon in EPSILONS},
    }
    if variants:
        made |= {
            "private 1, clip 1": private(1, clip=1.0),
            "private 1, cold": private(1, warm=False),
        }
    return made


def judged(
    make: Callable[[int], Scorer],
    later: Cohort,
    needs: Sequence[str],
    size: int,
    groups: Mapping[int, str],
) -> Measured:
    """One model on one later cohort.

    Args:
        make: trains it.
        later: what is measured on.
        needs: ids, in the order of its columns.
        size: of the list.
        groups: names of the groups' numbers.
    """
    families = features_of(needs, later.state)
    begun = time.perf_counter()
    scorer = make(0)
    trained = time.perf_counter()
    scores = scorer(families)
    listed = ranked(scores, later.family, size)
    scored = time.perf_counter()
    again = ranked(make(1)(families), later.family, size)
    at, curve = at_list_size(listed, later.outcome), calibration(scores, later.outcome)
    area = auc(scores, later.outcome)
    if at.precision is None or at.recall is None or curve is None or area is None:
        raise ValueError("expected outcomes in the later cohort")
    return Measured(
        auc=area,
        precision=at.precision.value,
        recall=at.recall.value,
        interval=(at.precision.low, at.precision.high),
        oe=curve.observed_to_expected,
        slope=curve.slope,
        benefit=1_000 * net_benefit(scores, later.outcome, THRESHOLD),
        overlap=overlap(listed, again),
        train_s=trained - begun,
        score_s=scored - trained,
        groups=by_group(later, listed, scores, groups),
        listed=listed,
    )


def by_group(
    later: Cohort, listed: NDArray[np.int64], scores: Floats, groups: Mapping[int, str]
) -> dict[str, float]:
    """Shares of each group, by what and whose they are; NaN where there is nobody."""
    chosen = np.zeros(len(scores), dtype=np.bool_)
    chosen[listed] = True
    errors = group_errors(later.group, chosen, scores, later.outcome)
    found = {}
    for number, name in groups.items():
        each = errors.get(number)
        shares = (None, None) if each is None else (each.found, each.wrongly)
        for what, one in zip(("found", "wrongly"), shares, strict=True):
            found[f"{what} {name}"] = np.nan if one is None else one.value
        observed = None if each is None else each.observed_to_expected
        found[f"o/e {name}"] = np.nan if observed is None else observed
    return found
