"""Every model on one pair of cohorts, measured alike."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
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
        groups: share found and share wrongly listed of the group that services meet seldom, and of
            the others, and observed to expected of each.
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
    families = features_of(NEEDS, first.state)
    outcome = first.outcome
    # what the county publishes of its needs: a share to the percent
    needs = round(float((first.state == MET).mean(axis=0).sum()), 1)
    rule = PublicRule(needs=NEEDS, outcome_rate=rate, mean_needs=needs)

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

    makers: dict[str, Callable[[int], Scorer]] = {
        "rule": lambda _: rule.as_model().probability,
        "logistic": lambda _: logistic.fit(families, outcome).probability,
        "trees": trees,
        **{f"private {epsilon:g}": private(epsilon) for epsilon in EPSILONS},
        "private 1, clip 1": private(1, clip=1.0),
        "private 1, cold": private(1, warm=False),
    }
    return {name: _one(make, later, size) for name, make in makers.items()}


def _one(make: Callable[[int], Scorer], later: Cohort, size: int) -> Measured:
    families = features_of(NEEDS, later.state)
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
    chosen = np.zeros(len(families), dtype=np.bool_)
    chosen[listed] = True
    errors = group_errors(later.group, chosen, scores, later.outcome)
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
        groups={
            f"{what} {name}": value
            for number, name in ((1, "seldom"), (0, "others"))
            for what, value in (
                ("found", errors[number].found.value if errors[number].found else np.nan),  # type: ignore[union-attr]
                ("wrongly", errors[number].wrongly.value if errors[number].wrongly else np.nan),  # type: ignore[union-attr]
                ("o/e", errors[number].observed_to_expected or np.nan),
            )
        },
    )
