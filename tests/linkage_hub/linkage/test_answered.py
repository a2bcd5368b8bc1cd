"""What answers about pairs do to probabilities, and to persons."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkage_hub.linkage.answered import (
    YES_OF_MATCH,
    YES_OF_OTHER,
    PutRight,
    heard,
    share_of_yes,
    with_answer,
)

PRIORS = st.lists(st.floats(1e-6, 1.0 - 1e-6), min_size=1, max_size=60)


@given(priors=PRIORS, of_match=st.floats(0.1, YES_OF_MATCH))
def test_a_yes_raises_and_a_no_lowers(priors: list[float], of_match: float) -> None:
    """Whatever the prior, and however often matches are answered yes."""
    prior = np.array(priors)
    yes = with_answer(prior, np.ones(len(prior), dtype=bool), of_match)
    no = with_answer(prior, np.zeros(len(prior), dtype=bool), of_match)
    assert (yes >= prior).all()
    assert (no <= prior).all()
    assert ((no > 0.0) & (yes <= 1.0)).all()


def test_probabilities_of_nearly_one_have_an_answer() -> None:
    """Priors that differ by less than a rounding error do not fall off the curve's end."""
    prior = np.array([0.2, 1.0 - 1e-16, 1.0 - 1e-15, 1.0 - 1e-14])
    right = PutRight(prior, np.array([False, True, True, True]), 0.9)
    assert np.isfinite(right.before(np.append(prior, 1.0))).all()


@given(priors=PRIORS, seed=st.integers(0, 9))
def test_put_right_keeps_the_order_of_the_first_stage(priors: list[float], seed: int) -> None:
    """Answers move probabilities, but never one below another that was lower."""
    prior = np.sort(np.array(priors))
    yes = np.random.default_rng(seed).random(len(prior)) < prior
    moved = PutRight(prior, yes, 0.9).before(prior)
    assert (np.diff(moved) >= -1e-12).all()
    assert ((moved > 0.0) & (moved < 1.0)).all()


@given(priors=PRIORS, seed=st.integers(0, 9))
def test_the_share_of_yes_stays_within_bounds(priors: list[float], seed: int) -> None:
    """Never above what is usual, never nothing."""
    prior = np.array(priors)
    yes = np.random.default_rng(seed).random(len(prior)) < 0.5
    assert 0.0 < share_of_yes(prior, yes) <= YES_OF_MATCH


def test_the_surest_pairs_show_how_often_matches_are_answered_yes() -> None:
    """Where half of them are answered no, half is about what a match is answered."""
    prior = np.full(400, 0.98)
    yes = np.arange(400) < 200
    assert share_of_yes(prior, yes) == pytest.approx(0.5 / 0.85, abs=0.03)
    assert share_of_yes(prior, np.ones(400, dtype=bool)) == YES_OF_MATCH
    assert share_of_yes(np.full(400, 0.9), ~yes) == YES_OF_MATCH  # not sure enough to show it


def test_few_answers_move_little() -> None:
    """One pair of the surest that is answered no says nearly nothing of the others."""
    assert share_of_yes(np.array([0.98]), np.array([False])) > 0.85


@given(share=st.floats(0.05, 0.95))
def test_a_first_stage_that_is_too_sure_is_put_right(share: float) -> None:
    """Of pairs of one probability as many are matches as their answers say."""
    prior = np.full(2_000, 0.7)
    yes = np.arange(2_000) < 2_000 * (share * 0.9 + (1.0 - share) * YES_OF_OTHER)
    assert PutRight(prior, yes, 0.9).before(prior[:1])[0] == pytest.approx(share, abs=0.01)


def test_sources_that_cannot_say_yes_are_not_heard() -> None:
    """Among many likely pairs hardly any yes means that none could be; among few it means no."""
    at, no = np.arange(200), np.zeros(200, dtype=bool)
    assert len(heard(np.full(200, 0.5), at, no)[0]) == 0
    assert len(heard(np.full(200, 0.05), at, no)[0]) == 200
    told, yes = heard(np.full(200, 0.5), at, np.arange(200) < 20)
    assert told.tolist() == at.tolist()
    assert yes.sum() == 20
