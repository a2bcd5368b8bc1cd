"""Weighted logistic regression by Newton's method: small, deterministic, single-threaded.

scikit-learn does the same but starts a thread pool for a four-parameter problem that is solved
thousands of times in one run.
"""

from dataclasses import dataclass

import numpy as np

from linkage_hub.linkage.candidates import Floats

RIDGE = 0.02  # penalty on the slopes, in units of scaled features
TRACE = 1e-6  # the intercept is free; a trace keeps the matrix invertible
SCALE = 20.0  # similarities differ in the second decimal; this brings them to order one
CENTRE = 0.8  # where similarities lie, so that the ridge does not pull on the intercept
STEPS = 30
SMALL = 1e-6  # a Newton step below this ends the search
LIMIT = 30.0  # log-odds beyond which a probability is 0 or 1 in double precision


@dataclass(frozen=True, slots=True)
class _Problem:
    design: Floats
    labels: Floats
    weights: Floats
    penalty: Floats

    def loss(self, beta: Floats) -> float:
        odds = self.design @ beta
        per_row = np.logaddexp(0.0, odds) - self.labels * odds
        return float(self.weights @ per_row + 0.5 * (self.penalty @ beta**2))

    def newton_step(self, beta: Floats) -> Floats:
        fitted = _sigmoid(self.design @ beta)
        gradient = self.design.T @ (self.weights * (self.labels - fitted)) - self.penalty * beta
        bends = self.weights * fitted * (1 - fitted)
        curvature = (self.design * bends[:, None]).T @ self.design + np.diag(self.penalty)
        return np.asarray(np.linalg.solve(curvature, gradient), dtype=np.float64)


def probabilities(features: Floats, coefficients: Floats) -> Floats:
    """Probability of class one for each row, float64 (n,)."""
    return _sigmoid(_design(features) @ coefficients)


def fit_logistic(
    features: Floats, labels: Floats, weights: Floats, *, start: Floats | None = None
) -> Floats:
    """Coefficients (intercept first) that maximise the penalised weighted likelihood.

    Args:
        features: float64 (n, d).
        labels: zeros and ones, (n,).
        weights: not negative, (n,).
        start: coefficients to begin with.
    """
    design = _design(features)
    penalty = np.full(design.shape[1], RIDGE)
    penalty[0] = TRACE
    problem = _Problem(design, labels, weights, penalty)
    beta = np.zeros(design.shape[1]) if start is None else start.copy()
    for _ in range(STEPS):
        moved = _damped(problem, beta, problem.newton_step(beta))
        beta = beta + moved
        if float(np.abs(moved).max()) < SMALL:
            break
    return beta


def _damped(problem: _Problem, beta: Floats, step: Floats) -> Floats:
    """Halve the step until the loss falls: Newton alone can overshoot on separated data."""
    loss = problem.loss(beta)
    while float(np.abs(step).max()) > SMALL:
        if problem.loss(beta + step) <= loss:
            return step
        step = step / 2.0
    return np.zeros_like(step)


def _design(features: Floats) -> Floats:
    shifted = features.copy()
    shifted[:, 0] -= CENTRE
    return np.column_stack([np.ones(len(features)), shifted * SCALE])


def _sigmoid(odds: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(odds, -LIMIT, LIMIT))), dtype=np.float64)
