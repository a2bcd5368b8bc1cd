"""A model of progress in discrete time that tells nothing of who it learnt from.

Rules: as :mod:`training`, which does the steps. Neighbours differ by one *family*, which is several
rows, one a band of time: its gradient is summed over them and then clipped, so that what one family
can move is the same whether it was watched for a month or for years. Start, pull and the sizes of
steps are worked out from the public rule; so is what each band of time is expected to hold.
"""

from typing import Any, Final

import numpy as np
import torch

from linkage_hub.analytics.engagement.hazard import (
    BANDS,
    LEVELS,
    HazardModel,
    ProgressRule,
    exposure,
    hazard_of,
)
from linkage_hub.analytics.engagement.spells import Spells
from linkage_hub.analytics.risk.features import Floats
from linkage_hub.analytics.risk.private.accounting import Cost, cost_of, noise_for
from linkage_hub.analytics.risk.private.randomness import Randomness
from linkage_hub.analytics.risk.private.training import (
    CLIP,
    SPREAD_LEVEL,
    STEPS,
    Guarantee,
    Metric,
    descend,
    pull_of,
    usual_of,
)

_VARIANCE: Final = 0.15
"""Of a column of 0 and 1: families in the programme have more needs than others."""
SPREAD: Final = 0.3
"""By how much a coefficient is expected to differ from the rule's (standard deviation)."""
_WATCHED: Final = 24
"""Months for which a family is expected to be watched."""


def train_hazard(
    spells: Spells, rule: ProgressRule, guarantee: Guarantee, randomness: Randomness
) -> tuple[HazardModel, float, Cost]:
    """Train once: the model, its noise, and what it cost.

    Args:
        spells: what is learnt from, with the rule's needs in the rule's order.
        rule: where to start from.
        guarantee: the most that it may cost.
        randomness: of the noise.

    Raises:
        AccountantsDiffer: see there.
    """
    noise = noise_for(guarantee.epsilon, guarantee.delta, STEPS)
    cost = cost_of(noise, STEPS, guarantee.delta)
    start = rule.as_model()
    usual = usual_of(len(rule.needs), rule.mean_unknown)
    begin = np.array([*start.coefficients, *(start.levels + usual @ start.coefficients)])
    curvature = _curvature(rule)
    spread = np.repeat([SPREAD, SPREAD_LEVEL], [len(begin) - LEVELS, LEVELS])
    pull = pull_of(curvature, spread, noise * CLIP / STEPS**0.5 / len(spells))
    months, events = (torch.from_numpy(each) for each in exposure(spells.times))

    def loss(odds: Any) -> Any:
        told = months * torch.nn.functional.softplus(odds) - events * odds
        return told.sum(dim=1).mean()

    rows = torch.from_numpy(_rows(spells.features.values - usual))
    found = descend(rows, loss, begin, Metric(curvature, pull), noise, CLIP, randomness)
    learnt = found[:-LEVELS]
    model = hazard_of("private-hazard", spells.needs, found[-LEVELS:] - usual @ learnt, learnt)
    return model, noise, cost


def _rows(values: Floats) -> Floats:
    """Of each family and band: needs, and which band it is, float64 (f, 5, 2k + 5)."""
    bands = np.broadcast_to(np.eye(LEVELS), (len(values), LEVELS, LEVELS))
    needs = np.broadcast_to(values[:, None, :], (len(values), LEVELS, values.shape[1]))
    return np.concatenate([needs, bands], axis=2)


def _curvature(rule: ProgressRule) -> Floats:
    """Of the mean loss along each number, if families were as declared, float64 (2k + 5,)."""
    month, chance = np.arange(1, _WATCHED + 1), rule.monthly
    each = (1 - chance) ** (month - 1) * chance * (1 - chance)
    band = np.searchsorted(BANDS, month)
    levels = np.bincount(band, each, minlength=LEVELS)
    return np.concatenate([np.full(2 * len(rule.needs), _VARIANCE * levels.sum()), levels])
