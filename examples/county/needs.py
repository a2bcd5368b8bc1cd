"""Who has which need. A family's needs rise together with a score of its own and its street's."""

import numpy as np

from examples.county.model import (
    DAYS_A_YEAR,
    NEEDS,
    Bools,
    Floats,
    Ints,
    Role,
    Units,
)

SLOPE = 1.15  # log-odds a unit of the family's score
STREET_WEIGHT = 0.5
# need -> (least age, most age, share of those of that age, on average)
ELIGIBLE: dict[str, tuple[float, float, float]] = {
    "school_absence": (5, 16, 0.13),
    "out_of_work": (18, 66, 0.13),
    "domestic_abuse": (16, 80, 0.035),
    "offence": (10, 70, 0.035),
    "health_visitor_concern": (0, 5, 0.13),
    "debt_or_eviction": (18, 85, 0.05),
    "neet": (16, 19, 0.11),
    "mental_health": (10, 100, 0.055),
    "substance_misuse": (14, 75, 0.025),
}
_SEX_WEIGHT = {"domestic_abuse": 1.1, "offence": -1.2, "mental_health": 0.3}  # log-odds, female


def family_scores(rng: np.random.Generator, units: Units, deprivation: Floats) -> Floats:
    """A score a unit: mean about 0, standard deviation about 1.1. ``deprivation`` is (units,)."""
    score: Floats = rng.normal(0, 1, len(units)) + STREET_WEIGHT * deprivation
    return score


def draw_needs(
    rng: np.random.Generator, score: Floats, *, role: Ints, female: Bools, born: Ints, anchor: Ints
) -> Bools:
    """Needs of every person, persons x ``NEEDS``. ``score`` and ``anchor`` are by person."""
    age = (anchor - born) / DAYS_A_YEAR
    needs = np.zeros((len(age), len(NEEDS)), dtype=bool)
    for column, need in enumerate(NEEDS):
        least, most, share = ELIGIBLE[need]
        fit = (age >= least) & (age < most)
        if need == "debt_or_eviction":
            fit &= role <= Role.PARTNER
        tilt = _SEX_WEIGHT.get(need, 0.0) * (female - 0.5)
        logit = np.log(share / (1 - share)) - 0.45 + SLOPE * score + tilt
        needs[:, column] = fit & (rng.random(len(age)) < 1 / (1 + np.exp(-logit)))
    return needs
