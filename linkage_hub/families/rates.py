"""How often people of one address are one family, learnt without truth from surnames.

People of one family bear one surname (or a part of it, or one that sounds alike) with some
probability s; strangers do by chance, e. So among the pairs of one kind, a share r with surnames
alike means that a share (r - e) / (s - e) of them are families, and Bayes' rule gives the
probability for a pair with surnames alike and for one without. The three are learnt thus:

- s from pairs that a record declares: partners for two adults, parents and guardians for the
  rest; towards ``PRIOR_ALIKE`` where few are declared.
- e from people who lived at an address one after the other; towards ``PRIOR_CHANCE``.
- r from the kind's pairs; towards the kinds of the same time and ages where there are few.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from linkage_hub.families.columns import Bools, Floats
from linkage_hub.families.pairs import AGES, ALIKE, APART, SIZES, TIMES, UNKNOWN_NAME, Pairs

PRIOR_ALIKE: Final = (0.7, 0.8, 0.85)  # two adults, adult and child, two children
PRIOR_ALIKE_PAIRS: Final = 20.0
PRIOR_CHANCE: Final = 0.005
PRIOR_CHANCE_PAIRS: Final = 200.0
PRIOR_SHARE_PAIRS: Final = 10.0
MOST: Final = 0.995


@dataclass(frozen=True, slots=True)
class Rates:
    """What was learnt.

    Attributes:
        family: probability that a pair is one family, by kind, float64 (cells,).
        alike: of a family's surnames being alike, by ages, float64 (3,).
        chance: of strangers' surnames being alike.
    """

    family: Floats
    alike: Floats
    chance: float


def learn(pairs: Pairs, declared: Bools) -> Rates:
    """Learn from all pairs.

    Args:
        pairs: of all addresses.
        declared: whether a record of one names the other, bool (m,).
    """
    known = pairs.name != UNKNOWN_NAME
    same = pairs.name == ALIKE
    chance = _share(same & (pairs.time == APART), known & (pairs.time == APART),
                    PRIOR_CHANCE, PRIOR_CHANCE_PAIRS)  # fmt: skip
    alike = np.array(
        [
            _share(
                declared & same & (pairs.ages == ages),
                declared & known & (pairs.ages == ages),
                PRIOR_ALIKE[ages],
                PRIOR_ALIKE_PAIRS,
            )
            for ages in range(AGES)
        ]
    )
    shape = (TIMES, AGES, SIZES)
    count = np.bincount(pairs.cell[known], minlength=TIMES * AGES * SIZES).reshape(shape)
    hits = np.bincount(pairs.cell[known & same], minlength=TIMES * AGES * SIZES).reshape(shape)
    wide = (hits.sum(axis=2) + 1.0) / (count.sum(axis=2) + 10.0)
    share = (hits + PRIOR_SHARE_PAIRS * wide[:, :, None]) / (count + PRIOR_SHARE_PAIRS)
    family = (share - chance) / (alike[None, :, None] - chance)
    return Rates(np.clip(family, 0.001, MOST).ravel(), np.minimum(alike, MOST), chance)


def probabilities(pairs: Pairs, rates: Rates) -> Floats:
    """That each pair is one family, float64 (m,)."""
    prior = rates.family[pairs.cell]
    alike = rates.alike[pairs.ages]
    same = pairs.name == ALIKE
    kin = prior * np.where(same, alike, 1.0 - alike)
    stranger = (1.0 - prior) * np.where(same, rates.chance, 1.0 - rates.chance)
    return np.where(pairs.name == UNKNOWN_NAME, prior, kin / (kin + stranger))


def _share(hits: Bools, of: Bools, prior: float, weight: float) -> float:
    return float((hits.sum() + prior * weight) / (of.sum() + weight))
