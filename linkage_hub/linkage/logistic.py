"""Weighted logistic regression by Newton's method: small, deterministic, single-threaded.

scikit-learn does the same but starts a thread pool for a problem of a few parameters that is
solved thousands of times in one run.
"""

from dataclasses import dataclass

import numpy as np

from linkage_hub.linkage.candidates import Floats

TRACE = 1e-6  # the intercept is free; a trace keeps the matrix invertible
STEPS = 30
SMALL = 1e-5  # a Newton step below this ends the search
LIMIT = 30.0  # log-odds beyond which a probability is 0 or 1 in double precision


@dataclass(frozen=True, slots=True)
class _Problem:
    design: Floats
    labels: Floats
    weights: Floats
    penalty: Floats
    offset: Floats

    def loss(self, beta: Floats) -> float:
        odds = self.design @ beta + self.offset
        per_row = np.logaddexp(0.0, odds) - self.labels * odds
        return float(self.weights @ per_row + 0.5 * (self.penalty @ beta**2))

    def newton_step(self, beta: Floats) -> Floats:
        fitted = sigmoid(self.design @ beta + self.offset)
        gradient = self.design.T @ (self.weights * (self.labels - fitted))
        gradient = gradient - self.penalty * beta
        bends = self.weights * fitted * (1 - fitted)
        curvature = (self.design * bends[:, None]).T @ self.design + np.diag(self.penalty)
        return np.asarray(np.linalg.solve(curvature, gradient), dtype=np.float64)


def fit_logistic(
    features: Floats,
    labels: Floats,
    weights: Floats,
    *,
    ridge: float,
    offset: Floats,
    start: Floats | None = None,
) -> Floats:
    """Coefficients (intercept first) that maximise the penalised weighted likelihood.

    Args:
        features: float64 (n, d), of order one.
        labels: zeros and ones, (n,).
        weights: not negative, (n,).
        offset: log-odds known beforehand, (n,).
        ridge: penalty on the slopes; the intercept is free.
        start: coefficients to begin with.
    """
    design = with_intercept(features)
    penalty = np.full(design.shape[1], ridge)
    penalty[0] = TRACE
    problem = _Problem(design, labels, weights, penalty, offset)
    beta = np.zeros(design.shape[1]) if start is None else start.copy()
    for _ in range(STEPS):
        moved = _damped(problem, beta, problem.newton_step(beta))
        beta = beta + moved
        if float(np.abs(moved).max()) < SMALL:
            break
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


def _damped(problem: _Problem, beta: Floats, step: Floats) -> Floats:
    """Halve the step until the loss falls: Newton alone can overshoot on separated data."""
    loss = problem.loss(beta)
    while float(np.abs(step).max()) > SMALL:
        if problem.loss(beta + step) <= loss:
            return step
        step = step / 2.0
    return np.zeros_like(step)
