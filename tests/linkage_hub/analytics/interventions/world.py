"""Cases made up: help that goes with needs, and progress that goes with needs and with help."""

import numpy as np

from linkage_hub.analytics.interventions.cases import NO, YES, Cases
from linkage_hub.analytics.needs import MET
from tests.linkage_hub.analytics.outcomes_world import pseudonym
from tests.linkage_hub.analytics.test_tables import NEEDS

MONTH = 12 * 2025


def cases(
    families: int, seed: int = 1, *, adds: float = 0.0, hidden: float = 0.0, needs: float = 1.0
) -> Cases:
    """Families of one month each.

    Args:
        families: how many.
        seed: of all draws.
        adds: to the chance of progress, by help.
        hidden: how strongly something nobody holds moves help and progress, before and after.
        needs: how strongly needs move help.
    """
    random = np.random.default_rng(seed)
    state = random.choice(3, (families, 3), p=(0.15, 0.4, 0.45)).astype(np.int8)
    state[np.arange(families), random.integers(0, 3, families)] = MET
    met, ready = (state == MET).sum(axis=1), random.standard_normal(families)
    odds = -1.5 + needs * (met - 2) + hidden * ready
    helped = random.random(families) < 1 / (1 + np.exp(-odds))
    came = 1 / (1 + np.exp(-(0.4 - 0.5 * met + hidden * ready))) + adds * helped
    before = 1 / (1 + np.exp(-(0.4 - 0.5 * met + hidden * ready)))
    return Cases(
        np.array([pseudonym(at) for at in range(families)], dtype=object),
        MONTH + random.integers(0, 6, families),
        helped,
        np.zeros(families, dtype=np.bool_),
        np.where(random.random(families) < before, YES, NO).astype(np.int8),
        np.where(random.random(families) < came, YES, NO).astype(np.int8),
        tuple(NEEDS),
        state,
    )
