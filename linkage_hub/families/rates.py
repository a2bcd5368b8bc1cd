"""How often people of one address are one family, learnt without truth from surnames.

People of one family bear one surname (or a part of it, or one that sounds alike) with some
probability s; strangers do by chance, e. So among the pairs of one kind, a share r with surnames
alike means that a share (r - e) / (s - e) of them are families, and Bayes' rule gives the
probability for a pair with surnames alike and for one without. The three are learnt thus:

- s from pairs that a record declares: partners for two adults, parents and guardians for the
  rest; towards ``PRIOR_ALIKE`` where few are declared.
- e from people who lived at an address one after the other; towards ``PRIOR_CHANCE``.
- r from the kind's pairs; towards all kinds of the same time and ages, with the weight of as many
  pairs as the kinds' own spread tells (the moments of a beta-binomial; Kleinman 1973).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from linkage_hub.families.columns import Bools, Floats, Ints
from linkage_hub.families.pairs import AGES, ALIKE, APART, SIZES, TIMES, UNKNOWN_NAME, Pairs

PRIOR_ALIKE: Final = (0.7, 0.8, 0.85)  # two adults, adult and child, two children
PRIOR_ALIKE_PAIRS: Final = 20.0
PRIOR_CHANCE: Final = 0.005
PRIOR_CHANCE_PAIRS: Final = 200.0
PRIOR_SHARE_PAIRS: Final = (10.0, 1000.0)  # least and most
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
    wide = ((hits.sum(axis=2) + 1.0) / (count.sum(axis=2) + 10.0))[:, :, None]
    weight = _weight(hits, count, wide)
    share = (hits + weight * wide) / (count + weight)
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


def _weight(hits: Ints, count: Ints, wide: Floats) -> Floats:
    """Pairs that the share of all sizes weighs against one size's own, float64 (times, ages, 1).

    Args:
        hits: pairs with surnames alike, int64 (times, ages, sizes).
        count: all pairs, int64 (times, ages, sizes).
        wide: share of all sizes, float64 (times, ages, 1).
    """
    total = count.sum(axis=2, keepdims=True)
    noise = wide * (1.0 - wide)
    spread = np.where(count > 0, (hits - count * wide) ** 2 / np.maximum(count, 1), 0.0)
    freedom = (count > 0).sum(axis=2, keepdims=True) - 1
    size = total - (count**2).sum(axis=2, keepdims=True) / np.maximum(total, 1)
    between = (spread.sum(axis=2, keepdims=True) - freedom * noise) / np.maximum(size, 1.0)
    least, most = PRIOR_SHARE_PAIRS
    return np.asarray(np.clip(noise / np.maximum(between, noise / most), least, most))


def _share(hits: Bools, of: Bools, prior: float, weight: float) -> float:
    return float((hits.sum() + prior * weight) / (of.sum() + weight))
