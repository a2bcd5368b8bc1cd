"""Synthetic families with needs that nobody always knows of, and an outcome a year later.

Nothing here was fitted to a model's success. What it is made of, and why:

- ten needs whose shares (2 to 22 %) are of the order that programmes of this kind report; they come
  together because of three hidden things a family has: hardship, conflict at home, and a child's
  troubles at school. Each need hangs on one of them and a little on hardship;
- each need is held by one service. It is unknown where the service has never met the family:
  meeting is likelier with hardship, and a need that is there is likelier to be known of. So
  unknown tells something, and is not unmet;
- the outcome hangs on the hidden things, on needs of unequal weight, on two pairs of needs beyond
  their sum, and on much that no service holds. A linear model is wrong about it;
- a quarter of families is of a group that services meet less often: what this does is measured;
- two periods: in the second, needs are 5 % likelier and each effect on the outcome has moved by
  about a tenth.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from linkage_hub.analytics.needs import MET, UNKNOWN, UNMET

NEEDS: Final = (
    "attendance", "offending", "worklessness", "domestic_abuse", "health_visitor", "debt", "neet",
    "substance_use", "mental_health", "eviction",
)  # fmt: skip
_SHARE: Final = np.array([0.12, 0.06, 0.22, 0.08, 0.04, 0.09, 0.05, 0.05, 0.14, 0.02])
"""Of families that have it."""
_CAUSE: Final = np.array([2, 2, 0, 1, 1, 0, 2, 1, 1, 0])
"""Which of the hidden things it comes of: hardship, conflict, school."""
_KNOWN: Final = np.array([0.97, 0.99, 0.95, 0.85, 0.60, 0.70, 0.80, 0.65, 0.75, 0.90])
"""Share of families that its service has met or can rule out."""
_EFFECT: Final = np.array([0.35, 0.45, 0.25, 0.75, 0.55, 0.30, 0.40, 0.70, 0.45, 0.60])
"""On the log odds of the outcome."""
_TOGETHER: Final = ((3, 7, 0.5), (0, 1, 0.3))
_SELDOM_MET: Final = 0.25
_HIDDEN: Final = np.array([0.25, 0.30, 0.15])
_OWN: Final = 0.6  # standard deviation of what nobody holds


@dataclass(frozen=True, slots=True)
class Cohort:
    """Families of one period.

    Attributes:
        state: int8 (f, 10), codes of ``STATES``.
        outcome: bool (f,).
        group: 1 for the group that services meet less often, int64 (f,).
        family: pseudonyms, str (f,).
    """

    state: NDArray[np.int8]
    outcome: NDArray[np.bool_]
    group: NDArray[np.int64]
    family: NDArray[np.object_]


def cohorts(families: int, rate: float, seed: int) -> tuple[Cohort, Cohort]:
    """A cohort to learn from and a later one to measure on.

    Args:
        families: of each.
        rate: share with the outcome, expected in the first.
        seed: of all draws.
    """
    random = np.random.default_rng(seed)
    moved = _EFFECT * random.normal(1, 0.1, len(_EFFECT))
    first = _draw(random, families, _SHARE, _EFFECT)
    level = _level(first[1], rate)
    later = _draw(random, families, _SHARE * 1.05, moved)
    return _cohort(random, *first, level), _cohort(random, *later, level)


_Drawn = tuple[NDArray[np.int8], NDArray[np.float64], NDArray[np.int64]]


def _draw(
    random: np.random.Generator,
    families: int,
    share: NDArray[np.float64],
    effect: NDArray[np.float64],
) -> _Drawn:
    """States, log odds without their level, and groups."""
    hidden = random.standard_normal((families, 3))
    group = (random.random(families) < _SELDOM_MET).astype(np.int64)
    leaning = 0.6 * hidden[:, _CAUSE] + 0.35 * hidden[:, [0]]
    leaning += random.standard_normal(leaning.shape) * np.sqrt(1 - 0.6**2 - 0.35**2)
    there = leaning > np.quantile(leaning, 1 - share, axis=0, method="nearest").diagonal()
    met = 2.0 * there + 0.3 * hidden[:, [0]] - 0.6 * group[:, None]
    chance = 1 / (1 + np.exp(-(np.log(_KNOWN / (1 - _KNOWN)) + met)))
    known = random.random(there.shape) < chance
    state = np.where(known, np.where(there, MET, UNMET), UNKNOWN).astype(np.int8)
    log_odds = there @ effect + hidden @ _HIDDEN + _OWN * random.standard_normal(families)
    for one, other, more in _TOGETHER:
        log_odds += more * (there[:, one] & there[:, other])
    return state, log_odds, group


def _level(log_odds: NDArray[np.float64], rate: float) -> float:
    """The intercept with which the outcome has this rate."""
    low, high = -20.0, 20.0
    while high - low > 1e-6:  # noqa: PLR2004
        middle = (low + high) / 2
        if (1 / (1 + np.exp(-(log_odds + middle)))).mean() > rate:
            high = middle
        else:
            low = middle
    return low


def _cohort(
    random: np.random.Generator,
    state: NDArray[np.int8],
    log_odds: NDArray[np.float64],
    group: NDArray[np.int64],
    level: float,
) -> Cohort:
    outcome = random.random(len(state)) < 1 / (1 + np.exp(-(log_odds + level)))
    names = [f"f-{random.bytes(16).hex()}" for _ in range(len(state))]
    return Cohort(state, outcome, group, np.array(names, dtype=object))
