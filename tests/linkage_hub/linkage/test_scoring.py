"""The evidence of pairs of several views: one number, which rises with their similarity."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from linkage_hub.linkage.candidates import PairBlock, combine
from linkage_hub.linkage.logistic import fit_logistic
from linkage_hub.linkage.scoring import LEAST_VIEWS, block_evidence

SHARES = arrays(np.float64, (20, 7), elements=st.floats(0.3, 1.0))


@given(SHARES)
def test_views_together_lie_between_their_mean_and_the_largest(shares: np.ndarray) -> None:
    """So what is at a floor together is at it in one view at least, which the join finds."""
    found = combine(shares)
    assert (found >= shares.mean(axis=1) - 1e-12).all()
    assert (found <= shares.max(axis=1) + 1e-12).all()


def test_one_view_that_stands_out_counts_more_than_all_a_little_above() -> None:
    """With one wrong field one view is nearly equal; chance lifts seven a little."""
    one = np.array([[0.9, *[0.5] * 6]])
    little = np.array([[0.9 / 7 + 0.5 * 6 / 7] * 7])
    assert combine(one) > combine(little) + 0.1


def test_evidence_of_views_rises_with_similarity() -> None:
    """Two pairs never change places between the first score and the feature."""
    shares = np.random.default_rng(1).uniform(0.48, 1.0, (500, 7)).astype(np.float32)
    similarity = combine(shares.astype(np.float64))
    order = np.argsort(-similarity)
    numbers = np.arange(500)
    block = PairBlock(0, 1, similarity[order], numbers, numbers, 0.5, shares[order])
    evidence = block_evidence(block)
    assert evidence.features.shape == (500, 1)
    assert (np.diff(evidence.features[:, 0]) <= 0).all()
    assert (np.diff(evidence.start) <= 0).all()
    assert evidence.least == evidence.sure == LEAST_VIEWS


def test_rising_slopes_are_never_below_zero() -> None:
    """A feature that seems to speak against a match is left out; the other keeps its own."""
    draw = np.random.default_rng(2)
    features = draw.normal(size=(2_000, 2))
    labels = (features[:, 0] - features[:, 1] + draw.normal(size=2_000) > 0).astype(np.float64)
    weights, offset = np.ones(2_000), np.zeros(2_000)
    free = fit_logistic(features, labels, weights, ridge=0.1, offset=offset)
    assert free[2] < 0
    found = fit_logistic(features, labels, weights, ridge=0.1, offset=offset, rising=True)
    assert found[2] == 0
    assert found[1] > 0
