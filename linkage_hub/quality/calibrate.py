"""From the model's expectation and what sentinels showed to one estimate.

The model is compared with the truth where the truth is known, on synthetic records; the difference
of log odds is added to its expectation of real records, with its own uncertainty, and with an
allowance for what sentinels cannot tell, being no real people. A group has its own difference as
far as it has sentinels enough, else that of everybody.
"""

import math
from typing import Final

from linkage_hub.quality.intervals import Interval, Logit, Observed, expit
from linkage_hub.quality.measure import Expected, Seen

BEFORE: Final = 1.0  # variance of the difference before any sentinel was seen, log odds
GROUPS_DIFFER: Final = 0.15  # variance of a group's difference about everybody's
ALLOWANCE: Final = 0.12  # variance of what holds of sentinels and not of real people
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


UNTRIED: Final = Logit(0.0, BEFORE)


def differences(expected: Expected, seen: Seen, prior: tuple[Logit, Logit]) -> tuple[Logit, Logit]:
    """Of precision and of recall."""
    return (
        difference(expected.precision, seen.precision, prior[0]),
        difference(expected.recall, seen.recall, prior[1]),
    )


def calibrated(expected: Logit, correction: Logit) -> Interval:
    """The estimate for real records."""
    return expected.plus(correction).plus(Logit(0.0, ALLOWANCE)).interval()


def for_group(overall: tuple[Logit, Logit]) -> tuple[Logit, Logit]:
    """What to think of a group before its own sentinels are looked at."""
    wider = Logit(0.0, GROUPS_DIFFER)
    return overall[0].plus(wider), overall[1].plus(wider)
