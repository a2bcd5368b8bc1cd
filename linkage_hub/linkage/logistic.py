"""Weighted logistic regression by Newton's method: small, deterministic, single-threaded.

scikit-learn does the same but starts a thread pool for a four-parameter problem that is solved
thousands of times in one run.
"""

import numpy as np

from linkage_hub.linkage.candidates import Floats

RIDGE = 1.0  # penalty on the slopes, in units of standardised features
SCALE = 20.0  # similarities differ in the second decimal; this brings them to order one
STEPS = 30
SMALL = 1e-6  # a Newton step below this ends the search
LIMIT = 30.0  # log-odds beyond which a probability is 0 or 1 in double precision


def probabilities(features: Floats, coefficients: Floats) -> Floats:
    """Probability of class one for each row, float64 (n,)."""
    design = _design(features)
    return np.asarray(_sigmoid(design @ coefficients), dtype=np.float64)


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
    penalty[0] = 1e-6  # the intercept is free; a trace keeps the matrix invertible
    beta = np.zeros(design.shape[1]) if start is None else start.copy()
    loss = _loss(design, labels, weights, penalty, beta)
    for _ in range(STEPS):
        fitted = _sigmoid(design @ beta)
        gradient = design.T @ (weights * (labels - fitted)) - penalty * beta
        curvature = (design * (weights * fitted * (1 - fitted))[:, None]).T @ design
        step = np.linalg.solve(curvature + np.diag(penalty + 1e-9), gradient)
        beta, loss, moved = _damped(design, labels, weights, penalty, beta, step, loss)
        if moved < SMALL:
            break
    return beta


def _damped(
    design: Floats,
    labels: Floats,
    weights: Floats,
    penalty: Floats,
    beta: Floats,
    step: Floats,
    loss: float,
) -> tuple[Floats, float, float]:
    """Halve the step until the loss falls: Newton alone can overshoot on separated data."""
    size = 1.0
    while size > SMALL:
        trial = beta + size * step
        trial_loss = _loss(design, labels, weights, penalty, trial)
        if trial_loss <= loss:
            return trial, trial_loss, float(np.abs(size * step).max())
        size /= 2.0
    return beta, loss, 0.0


def _loss(
    design: Floats, labels: Floats, weights: Floats, penalty: Floats, beta: Floats
) -> float:
    odds = design @ beta
    per_row = np.logaddexp(0.0, odds) - labels * odds
    return float(weights @ per_row + 0.5 * (penalty @ beta**2))


def _design(features: Floats) -> Floats:
    # Centred at .8, where similarities lie, so that the ridge does not pull on the intercept.
    shifted = features.copy()
    shifted[:, 0] -= 0.8
    return np.column_stack([np.ones(len(features)), shifted * SCALE])


def _sigmoid(odds: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(odds, -LIMIT, LIMIT))), dtype=np.float64)
