"""Weighted logistic regression by Newton's method: small, deterministic, single-threaded.

scikit-learn does the same but starts a thread pool for a problem of a few parameters that is
solved thousands of times in one run.
"""

from dataclasses import dataclass

import numba
import numpy as np

from linkage_hub.linkage.candidates import Floats

TRACE = 1e-6  # the intercept is free; a trace keeps the matrix invertible
STEPS = 30
SMALL = 1e-5  # a Newton step below this ends the search
LIMIT = 30.0  # log-odds beyond which a probability is 0 or 1 in double precision


@dataclass(frozen=True, slots=True)
class _Bend:
    """The penalised loss at some coefficients, its gradient downhill and its curvature."""

    loss: float
    gradient: Floats
    curvature: Floats

    def newton_step(self) -> Floats:
        return np.asarray(np.linalg.solve(self.curvature, self.gradient), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class _Problem:
    design: Floats
    labels: Floats
    weights: Floats
    penalty: Floats
    offset: Floats

    def at(self, beta: Floats) -> _Bend:
        loss, gradient, curvature = _bend(self.design, self.labels, self.weights, self.offset, beta)
        return _Bend(
            float(loss + 0.5 * (self.penalty @ beta**2)),
            gradient - self.penalty * beta,
            curvature + np.diag(self.penalty),
        )


@numba.njit(cache=True, nogil=True)
def _bend(
    design: Floats, labels: Floats, weights: Floats, offset: Floats, beta: Floats
) -> tuple[float, Floats, Floats]:  # pragma: no cover - compiled
    """Weighted negative log-likelihood, minus its gradient (d,), its curvature (d, d)."""
    size = len(beta)
    loss, gradient, curvature = 0.0, np.zeros(size), np.zeros((size, size))
    for row in range(len(design)):
        odds = offset[row]
        for at in range(size):
            odds += design[row, at] * beta[at]
        unlikely = np.exp(-abs(odds))
        fitted = (1.0 if odds >= 0.0 else unlikely) / (1.0 + unlikely)
        loss += weights[row] * (max(odds, 0.0) + np.log1p(unlikely) - labels[row] * odds)
        push = weights[row] * (labels[row] - fitted)
        bend = weights[row] * unlikely / (1.0 + unlikely) ** 2
        for at in range(size):
            gradient[at] += push * design[row, at]
            own = bend * design[row, at]
            for other in range(at + 1):
                curvature[at, other] += own * design[row, other]
    for at in range(size):
        for other in range(at):
            curvature[other, at] = curvature[at, other]
    return loss, gradient, curvature


def fit_logistic(
    features: Floats,
    labels: Floats,
    weights: Floats,
    *,
    ridge: float,
    offset: Floats,
    start: Floats | None = None,
    rising: bool = False,
) -> Floats:
    """Coefficients (intercept first) that maximise the penalised weighted likelihood.

    Args:
        features: float64 (n, d), of order one.
        labels: zeros and ones, (n,).
        weights: not negative, (n,).
        offset: log-odds known beforehand, (n,).
        ridge: penalty on the slopes; the intercept is free.
        start: coefficients to begin with.
        rising: no slope is below zero; a feature that would need one is left out (its slope is 0).
    """
    found = _fitted(features, labels, weights, ridge, offset, start)
    while rising and (found[1:] < 0.0).any():
        features = np.where(found[1:] < 0.0, 0.0, features)
        start = np.concatenate([found[:1], np.maximum(found[1:], 0.0)])
        found = _fitted(features, labels, weights, ridge, offset, start)
    return found


def _fitted(
    features: Floats,
    labels: Floats,
    weights: Floats,
    ridge: float,
    offset: Floats,
    start: Floats | None,
) -> Floats:
    design = with_intercept(features)
    penalty = np.full(design.shape[1], ridge)
    penalty[0] = TRACE
    labels, weights, offset = (np.ascontiguousarray(each) for each in (labels, weights, offset))
    problem = _Problem(design, labels, weights, penalty, offset)
    beta = np.zeros(design.shape[1]) if start is None else start.copy()
    here = problem.at(beta)
    for _ in range(STEPS):
        step = here.newton_step()
        while float(np.abs(step).max()) > SMALL:
            there = problem.at(beta + step)
            if there.loss <= here.loss:
                break
            step = step / 2.0  # Newton alone can overshoot on separated data
        else:
            break
        beta, here = beta + step, there
    return beta


def log_odds(features: Floats, coefficients: Floats) -> Floats:
    """Log-odds of class one for each row, float64 (n,)."""
    return np.asarray(coefficients[0] + features @ coefficients[1:], dtype=np.float64)


def with_intercept(features: Floats) -> Floats:
    """A column of ones before the features."""
    return np.column_stack([np.ones(len(features)), features])


def sigmoid(odds: Floats) -> Floats:
    """Probabilities of log-odds."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(odds, -LIMIT, LIMIT))), dtype=np.float64)
