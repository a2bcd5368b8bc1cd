"""Logistic regression that keeps private whether a family was among those that it learnt from.

Rules: every step is the clipped sum over all families with normal noise (Opacus' DPOptimizer,
DP-SGD of Abadi et al. 2016 with a sampling rate of 1: there is no random batch, so there is nothing
to trust about how it was drawn); training starts from the public rule and is drawn back to it by as
much as the noise is large, which is worked out from public figures; the mean of the last half of
the steps is the model. Columns of what is unknown are taken as differences from the share that the
rule declares: where nearly all are 1 they and the intercept are one column many times over, and
steps that are right for each are too long for all together. The rule's own score is a column too:
how steep the rule should be is one number, which few families tell, while each need's own takes
many. Nothing is chosen by looking at outcomes: no early stop, no tuning, no second try.

With a clip of 1 the gradients of families with the outcome, about as long as their rows, would be
cut to less than half, those of the others not at all, and predicted risk would be half of what it
is; ``CLIP`` leaves nearly all whole (benchmarks/risk).
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from opacus.grad_sample import GradSampleModule
from opacus.optimizers import DPOptimizer

from linkage_hub.analytics.risk.features import Features, Floats
from linkage_hub.analytics.risk.models import LinearModel, model_of
from linkage_hub.analytics.risk.private.accounting import Cost, cost_of, noise_for
from linkage_hub.analytics.risk.private.randomness import Randomness
from linkage_hub.analytics.risk.rule import PublicRule

CLIP: Final = 3.0
"""The most that one family's gradient may be long."""
STEPS: Final = 100
_TRAVEL: Final = 8.0
"""Time constants that all steps together are: enough to arrive, small steps, little noise left."""
SPREAD: Final = 0.2
"""By how much a coefficient is expected to differ from the rule's, once that is as steep as it
should be (standard deviation)."""
SPREAD_STEEP: Final = 0.3
"""By how much what the rule adds for a need of usual weight is expected to be wrong."""
SPREAD_LEVEL: Final = 0.5
_SCORE: Final = 0.7
"""What the rule's score is multiplied by as a column: no longer than a few needs are, or the clip
would cut the gradients of families with many."""
_VARIANCE: Final = 0.1
"""Of a column of 0 and 1 that is 1 for one family in nine."""


@dataclass(frozen=True, slots=True)
class Guarantee:
    """What is promised of one training."""

    epsilon: float
    delta: float


@dataclass(frozen=True, slots=True)
class Trained:
    """A private model and what it cost."""

    model: LinearModel
    noise: float
    steps: int
    cost: Cost


def train(
    families: Features,
    outcome: NDArray[np.bool_],
    rule: PublicRule,
    guarantee: Guarantee,
    randomness: Randomness,
    *,
    clip: float = CLIP,
    warm: bool = True,
) -> Trained:
    """Train once.

    Args:
        families: what is learnt from.
        outcome: of each, bool (f,).
        rule: where to start from.
        guarantee: the most that it may cost.
        randomness: of the noise.
        clip: the most that a family's gradient may be long.
        warm: start from the rule; False for comparison only.

    Raises:
        AccountantsDiffer: see there.
    """
    noise = noise_for(guarantee.epsilon, guarantee.delta, STEPS)
    cost = cost_of(noise, STEPS, guarantee.delta)
    start, needs = rule.as_model(), 2 * len(rule.needs)
    usual = usual_of(len(rule.needs), rule.mean_unknown)
    begin = np.array([*start.coefficients, 0.0, start.intercept + usual @ start.coefficients])
    if not warm:
        begin = np.zeros_like(begin)
    curvature, weights = _curvature(rule), rule.by_need / _usual_weight(rule)
    spread = np.array([*(SPREAD for _ in range(needs)), SPREAD_STEEP / _SCORE, SPREAD_LEVEL])
    pull = pull_of(curvature, spread, noise * clip / STEPS**0.5 / len(families)) * warm
    score = _SCORE * (families.met @ weights - rule.mean_needs)
    columns = [families.values - usual, score, np.ones(len(families))]
    rows = torch.from_numpy(np.column_stack(columns))
    wanted = torch.from_numpy(outcome.astype(np.float64))

    def loss(odds: Any) -> Any:
        return torch.nn.functional.binary_cross_entropy_with_logits(odds, wanted)

    found = descend(rows, loss, begin, Metric(curvature, pull), noise, clip, randomness)
    steeper = _SCORE * found[needs]
    level = found[-1] - usual @ found[:needs] - steeper * rule.mean_needs
    coefficients = found[:needs] + steeper * np.append(weights, np.zeros(len(rule.needs)))
    model = model_of("private-logistic", families.needs, level, coefficients)
    return Trained(model, noise, STEPS, cost)


def usual_of(needs: int, mean_unknown: float | None) -> Floats:
    """What each column is counted from, float64 (2k,): public.

    Columns that are nearly always 1 would else be the level many times over (docs/risk.md).
    """
    return np.concatenate([np.zeros(needs), np.full(needs, (mean_unknown or 0.0) / needs)])


@dataclass(frozen=True, slots=True)
class Metric:
    """Curvature of the mean loss and the pull to the rule, of each number, both public."""

    curvature: Floats
    pull: Floats


def _curvature(rule: PublicRule) -> Floats:
    """Of the mean loss along each number, if columns were what is expected of them."""
    of_needs, of_score = [_VARIANCE] * 2 * len(rule.needs), _SCORE**2 * _VARIANCE * len(rule.needs)
    variances = [*of_needs, of_score, 1.0]
    return rule.outcome_rate * (1 - rule.outcome_rate) * np.array(variances)


def pull_of(curvature: Floats, spread: Floats, noise: float) -> Floats:
    """How strongly each number is drawn back to the rule's, float64 (d,).

    With s the noise of all steps together on the mean, h the curvature and t the spread around the
    rule, s^2 / (t^2 h) has the least expected error (a normal prior around the rule).
    """
    return np.asarray(noise**2 / (spread**2 * curvature))


def _usual_weight(rule: PublicRule) -> float:
    """Of its needs: the score's column is as long whatever unit the weights are in."""
    return float(np.sqrt((rule.by_need**2).mean()))


class _Noisy(DPOptimizer):
    """Opacus' optimizer with noise from elsewhere, a pull, and steps by curvature.

    All that is added is worked out from the noisy mean and public figures: it costs no privacy.
    """

    def __init__(
        self, *args: Any, randomness: Randomness, begin: Any, metric: Metric, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._randomness, self._begin = randomness, begin
        self._pull = torch.from_numpy(metric.pull).reshape(1, -1)
        self._scale = torch.from_numpy(metric.curvature + metric.pull).reshape(1, -1)

    def add_noise(self) -> None:
        """Add it to the clipped sums."""
        deviation = self.noise_multiplier * self.max_grad_norm
        for weights in self.params:
            drawn = torch.from_numpy(self._randomness.normal(weights.numel()))
            weights.grad = weights.summed_grad + deviation * drawn.reshape(weights.shape)

    def scale_grad(self) -> None:
        """Make sums means, add the pull and divide by the curvature."""
        super().scale_grad()
        for weights in self.params:
            weights.grad += self._pull * (weights.detach() - self._begin)
            weights.grad /= self._scale


def descend(
    rows: Any,
    loss: Callable[[Any], Any],
    begin: Floats,
    metric: Metric,
    noise: float,
    clip: float,
    randomness: Randomness,
) -> Floats:
    """The mean of the last half of the steps, float64 (d,).

    Args:
        rows: what is multiplied by the numbers, a torch tensor of float64 (f, d) or (f, t, d). A
            family's gradient is clipped whole, whatever its rows: t are all of one family.
        loss: mean over families of what log odds, (f,) or (f, t), cost.
        begin: where to start and what is drawn back to.
        metric: of each number.
        noise: standard deviation over the clip.
        clip: the most that a family's gradient may be long.
        randomness: of the noise.
    """
    layer = torch.nn.Linear(rows.shape[-1], 1, bias=False, dtype=torch.float64)
    first = torch.from_numpy(begin).reshape(1, -1)
    with torch.no_grad():
        layer.weight.copy_(first)
    module = GradSampleModule(layer)
    optimizer = _Noisy(
        torch.optim.SGD(module.parameters(), lr=_TRAVEL / STEPS),
        noise_multiplier=noise,
        max_grad_norm=clip,
        expected_batch_size=len(rows),
        randomness=randomness,
        begin=first,
        metric=metric,
    )
    kept = torch.zeros_like(first)
    for step in range(STEPS):
        optimizer.zero_grad()
        cost = loss(module(rows).squeeze(-1))
        with warnings.catch_warnings():
            # Opacus' hook is on the only layer: it needs the gradient of what comes out alone
            warnings.filterwarnings("ignore", "Full backward hook is firing")
            cost.backward()
        optimizer.step()
        if step >= STEPS // 2:
            kept += layer.weight.detach()
    return np.asarray((kept / (STEPS - STEPS // 2)).numpy().reshape(-1))
