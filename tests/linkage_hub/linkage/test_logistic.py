"""Weighted logistic regression, against scikit-learn's and where Newton alone fails."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from linkage_hub.linkage.logistic import SMALL, fit_logistic, log_odds, sigmoid

RIDGE = 0.1


@pytest.mark.parametrize("seed", range(5))
def test_it_finds_what_scikit_learn_finds(seed: int) -> None:
    """Weighted rows of both labels, from any start."""
    random = np.random.default_rng(seed)
    features = random.normal(size=(400, 3))
    truth = random.normal(size=3)
    labels = (random.random(400) < sigmoid(features @ truth - 1.0)).astype(float)
    weights = random.random(400)
    peer = LogisticRegression(C=1.0 / RIDGE, tol=1e-10, max_iter=1_000)
    peer.fit(features, labels, sample_weight=weights)
    wanted = np.concatenate([peer.intercept_, peer.coef_[0]])
    for start in (None, random.normal(size=4)):
        found = fit_logistic(
            features, labels, weights, ridge=RIDGE, offset=np.zeros(400), start=start
        )
        assert found == pytest.approx(wanted, abs=1e-4)


def test_an_offset_is_known_beforehand() -> None:
    """What the offset says, the intercept need not."""
    random = np.random.default_rng(7)
    features, weights = random.normal(size=(300, 2)), np.ones(300)
    labels = (random.random(300) < 0.3).astype(float)
    without = fit_logistic(features, labels, weights, ridge=RIDGE, offset=np.zeros(300))
    shifted = fit_logistic(features, labels, weights, ridge=RIDGE, offset=np.full(300, 2.0))
    assert shifted - without == pytest.approx([-2.0, 0.0, 0.0], abs=10 * SMALL)


def test_separated_data_and_odds_beyond_all_measure() -> None:
    """A start from which Newton overshoots still ends at finite, right coefficients."""
    features = np.array([[-3.0], [-2.0], [2.0], [3.0]])
    labels, weights = np.array([0.0, 0.0, 1.0, 1.0]), np.ones(4)
    found = fit_logistic(
        features, labels, weights, ridge=RIDGE, offset=np.zeros(4), start=np.array([0.0, -800.0])
    )
    assert np.isfinite(found).all()
    assert (sigmoid(log_odds(features, found)) > 0.5).tolist() == [False, False, True, True]
