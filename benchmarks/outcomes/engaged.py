"""Synthetic families in a programme, whose chance of progress in each month is known.

Nothing here was fitted to a model's success. What it is made of, and why:

- families join over four and a half years and have one need at least; ten needs come together by a
  hidden hardship, with shares of the order that families in such programmes have (8 to 45 %);
- each need is held by one service and unknown where that has not met the family; one that is there
  is likelier to be known, and one at least is known, else nobody would have put the family forward;
- log odds of progress in a month: a level by time since joining that rises and falls, unequal
  weights of needs that are there (known or not), one pair of needs beyond their sum, and a part of
  the family's own that nobody holds. A linear model of known needs is wrong about it;
- a family stops being watched when it moves away (1.5 % a month, .5 % more a need) or when the
  extracts end.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from linkage_hub.analytics.engagement.spells import Spells
from linkage_hub.analytics.needs import MET, UNKNOWN, UNMET
from linkage_hub.analytics.outcomes.months import NEVER

NEEDS: Final = (
    "attendance", "offending", "worklessness", "domestic_abuse", "health_visitor", "debt", "neet",
    "substance_use", "mental_health", "eviction",
)  # fmt: skip
SHARE: Final = np.array([0.4, 0.2, 0.45, 0.25, 0.12, 0.3, 0.15, 0.18, 0.4, 0.08])
KNOWN: Final = np.array([0.95, 0.97, 0.93, 0.8, 0.55, 0.65, 0.75, 0.6, 0.7, 0.85])
_WEIGHT: Final = np.array([0.1, 0.25, 0.35, 0.2, 0.1, 0.15, 0.2, 0.4, 0.3, 0.25])
_PAIR: Final = (7, 8, 0.3)
_OWN: Final = 0.4
_LEVELS: Final = np.array([-2.6, -2.0, -1.8, -2.0, -2.3])
"""Of months 1-3, 4-6, 7-12, 13-18 and later."""
_ENDS: Final = np.array([3, 6, 12, 18])
MONTHS: Final = 54
LONGEST: Final = 60
FIRST: Final = 12 * 2021
"""January 2021, the first month."""


@dataclass(frozen=True, slots=True)
class World:
    """Families as they are watched, and what is true of them.

    Attributes:
        spells: as they are watched.
        chance: true chance of progress by each month from 1, what nobody holds included, float64
            (f, 60).
        came: the month in which progress came or would have come, int64 (f,).
    """

    spells: Spells
    chance: NDArray[np.float64]
    came: NDArray[np.int64]


def world(families: int, seed: int) -> World:
    """Draw one.

    Args:
        families: how many.
        seed: of all draws.
    """
    random = np.random.default_rng(seed)
    there, state = _needs(random, families)
    weight = there @ _WEIGHT + _PAIR[2] * (there[:, _PAIR[0]] & there[:, _PAIR[1]])
    own = _OWN * random.standard_normal(families)
    level = _LEVELS[np.searchsorted(_ENDS, np.arange(1, LONGEST + 1))]
    hazard = 1 / (1 + np.exp(-(level - weight[:, None] + own[:, None])))
    still = np.cumprod(1 - hazard, axis=1)
    drawn = random.random(families)
    came = (still > drawn[:, None]).sum(axis=1) + 1  # LONGEST + 1 where it never does
    joined = random.integers(0, MONTHS, families)
    leaves = random.geometric(0.015 + 0.005 * there.sum(axis=1))
    last = np.minimum(leaves, MONTHS - joined)
    event = came <= last
    spells = Spells(
        np.array([f"f-{random.bytes(16).hex()}" for _ in range(families)], dtype=object),
        np.array([f"team {at}" for at in random.integers(1, 6, families)], dtype=object),
        FIRST + joined,
        FIRST + joined,
        FIRST + joined + last,
        np.where(event, FIRST + joined + came, NEVER),
        NEEDS,
        state,
    )
    return World(spells, 1 - still, came)


def _needs(
    random: np.random.Generator, families: int
) -> tuple[NDArray[np.bool_], NDArray[np.int8]]:
    """Which are there, and what is known of them."""
    hardship = random.standard_normal(4 * families)
    leaning = 0.5 * hardship[:, None] + np.sqrt(0.75) * random.standard_normal(
        (4 * families, len(NEEDS))
    )
    there = leaning > np.quantile(leaning, 1 - SHARE, axis=0).diagonal()
    odds = np.log(KNOWN / (1 - KNOWN)) + 1.5 * there
    known = random.random(there.shape) < 1 / (1 + np.exp(-odds))
    kept = np.flatnonzero((there & known).any(axis=1))[:families]
    state = np.where(known, np.where(there, MET, UNMET), UNKNOWN).astype(np.int8)
    return there[kept], state[kept]
