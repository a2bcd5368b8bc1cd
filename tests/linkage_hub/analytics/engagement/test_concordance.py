"""Concordance by hand, by other programs' values, and by law."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkage_hub.analytics.engagement.concordance import Kind, concordance, with_interval
from linkage_hub.analytics.engagement.spells import Times

KINDS: tuple[Kind, ...] = ("harrell", "uno")


def times(last: list[int], event: list[bool], entry: list[int] | None = None) -> Times:
    """Of families watched from the beginning unless told otherwise."""
    begun = [0] * len(last) if entry is None else entry
    return Times(np.array(begun, dtype=np.int64), np.array(last, dtype=np.int64), np.array(event))


def test_a_worked_example() -> None:
    """Month 1: three of three pairs; month 2: none of two; month 3: the one with a censored."""
    found = times([1, 2, 3, 3], [True, True, False, True])
    scores = np.array([4.0, 1, 2, 3])
    assert concordance(found, scores, "harrell", 9) == pytest.approx(4 / 6)
    assert concordance(found, scores, "uno", 9) == pytest.approx(4 / 6)


def test_uno_weighs_by_who_could_be_censored() -> None:
    """One of the four without progress in month 1 is censored then: later pairs count 16/9."""
    found = times([1, 2, 3, 3, 1], [True, True, False, True, False])
    scores = np.array([4.0, 1, 2, 3, 0])
    assert concordance(found, scores, "harrell", 9) == pytest.approx(5 / 7)
    assert concordance(found, scores, "uno", 9) == pytest.approx((4 + 16 / 9) / (4 + 3 * 16 / 9))


def test_pairs_past_the_horizon_do_not_count() -> None:
    """Within two months only the first two are cases."""
    found = times([1, 2, 3, 3], [True, True, False, True])
    assert concordance(found, np.array([4.0, 1, 2, 3]), "harrell", 2) == pytest.approx(3 / 5)


def test_who_was_not_watched_yet_is_no_pair() -> None:
    """The second came under observation in the month in which the first made progress."""
    found = times([2, 5, 4], [True, False, False], [0, 2, 0])
    assert concordance(found, np.array([1.0, 9, 0]), "harrell", 9) == 1


def test_reference_values() -> None:
    """Of scikit-survival 0.28.0: concordance_index_censored, concordance_index_ipcw (tau 12.5)."""
    last = [3, 7, 1, 9, 12, 5, 15, 2, 11, 8, 14, 6]
    event = [bool(each) for each in (1, 1, 1, 0, 1, 0, 1, 1, 0, 1, 1, 0)]
    scores = np.array([0.9, 0.2, 0.8, 0.4, 0.1, 0.7, 0.3, 0.5, 0.6, 0.35, 0.15, 0.25])
    found = times(last, event)
    assert concordance(found, scores, "harrell", 15) == pytest.approx(0.7045454545454546)
    assert concordance(found, scores, "uno", 12) == pytest.approx(0.5972963358235504)


some = st.lists(
    st.tuples(st.integers(1, 15), st.booleans(), st.integers(-3, 3)), min_size=2, max_size=40
)


@given(some, st.sampled_from(KINDS))
def test_laws(rows: list[tuple[int, bool, int]], kind: Kind) -> None:
    """Turned round it is one less; what is the same for all is a half; order alone counts."""
    last, event, score = (list(column) for column in zip(*rows, strict=True))
    found, scores = times(last, event), np.array(score, dtype=np.float64)
    value = concordance(found, scores, kind, 20)
    turned = concordance(found, -scores, kind, 20)
    if value is None:
        assert turned is None
        return
    assert turned == pytest.approx(1 - value)
    assert concordance(found, np.exp(scores), kind, 20) == pytest.approx(value)
    assert concordance(found, np.zeros(len(scores)), kind, 20) == pytest.approx(0.5)


@given(some, st.sampled_from(KINDS))
def test_a_family_twice_is_a_weight_of_two(rows: list[tuple[int, bool, int]], kind: Kind) -> None:
    """Draws of the families for an interval count them by weights."""
    last, event, score = (list(column) for column in zip(*rows, strict=True))
    weights = np.arange(len(rows)) % 3
    twice = np.repeat(np.arange(len(rows)), weights)
    found, scores = times(last, event), np.array(score, dtype=np.float64)
    repeated = found.rows(twice)
    if not len(repeated):
        return
    one = concordance(repeated, scores[twice], kind, 20)
    other = concordance(found, scores, kind, 20, weights)
    assert (one is None) == (other is None)
    if one is not None:
        assert other == pytest.approx(one)


def test_an_interval_holds_its_value() -> None:
    """Seeded: the same each time, and wider with fewer families."""
    random = np.random.default_rng(1)
    widths = []
    for families in (100, 900):
        scores = random.standard_normal(families)
        last = np.ceil(random.exponential(8, families) * np.exp(-0.5 * scores)).astype(int)
        found = times(np.minimum(last, 18).tolist(), (last <= 18).tolist())
        value = with_interval(found, scores, "uno", 18, seed=3)
        assert value is not None
        assert value == with_interval(found, scores, "uno", 18, seed=3)
        assert 0.5 < value.low < value.value < value.high
        widths.append(value.high - value.low)
    assert widths[1] < widths[0] / 2
