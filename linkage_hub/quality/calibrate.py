"""From the model's expectation and what sentinels showed to one estimate.

The model's probabilities are put right on synthetic records (``curve``). What remains between its
expectation of a group's synthetic records and what is so is added, as far as the group has
sentinels enough, on the scale of log odds. An allowance covers what sentinels cannot tell, being
no real people.
"""

import math
from typing import Final

from linkage_hub.quality.intervals import Interval, Logit, Observed, expit
from linkage_hub.quality.measure import Expected, Seen

GROUPS_DIFFER: Final = 0.1  # variance of a group's difference before it is looked at, log odds
SOURCES_DIFFER: Final = 0.5  # likewise of two sources, which hold other fields than others do
# Variance of what holds of sentinels and not of real people, on counties with truth
PRECISION_ALLOWANCE: Final = 0.3
RECALL_ALLOWANCE: Final = 0.3
_HALF: Final = 0.5


def difference(expected: Logit, observed: Observed, prior: Logit) -> Logit:
    """How far the model was wrong about synthetic records, in log odds.

    Args:
        expected: the model's expectation of them.
        observed: what is so; with nothing observed the prior is returned.
        prior: what to think before.
    """
    observations = observed.observations
    if observations <= 0:
        return prior
    share = _smoothed(observed.interval.value, observations)
    guess = _smoothed(expit(expected.value), observations)
    found = math.log(share / (1 - share)) - math.log(guess / (1 - guess))
    variance = 1.0 / (observations * share * (1.0 - share))
    weight = prior.variance / (prior.variance + variance)
    return Logit(prior.value + weight * (found - prior.value), weight * variance)


def _smoothed(share: float, observations: float) -> float:
    return (share * observations + _HALF) / (observations + 2 * _HALF)


A_GROUP: Final = Logit(0.0, GROUPS_DIFFER)
TWO_SOURCES: Final = Logit(0.0, SOURCES_DIFFER)


def differences(expected: Expected, seen: Seen, prior: Logit) -> tuple[Logit, Logit]:
    """Of precision and of recall."""
    return (
        difference(expected.precision, seen.precision, prior),
        difference(expected.recall, seen.recall, prior),
    )


def calibrated(expected: Logit, correction: Logit, allowance: float) -> Interval:
    """The estimate for real records."""
    return expected.plus(correction).plus(Logit(0.0, allowance)).interval()
