"""Kaplan and Meier with delayed entry, by hand and by law."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkage_hub.analytics.engagement.spells import Times
from linkage_hub.analytics.engagement.survival import (
    AT_RISK_LEAST,
    groups_by_count,
    kaplan_meier,
    wilson,
)


def times(*rows: tuple[int, int, bool]) -> Times:
    """Entry, last, and whether progress came."""
    entry, last, event = (np.array(column) for column in zip(*rows, strict=True))
    return Times(entry.astype(np.int64), last.astype(np.int64), event.astype(np.bool_))


some = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 20), st.booleans()).map(
        lambda row: (min(row[0], row[1]), row[1], row[2] and row[1] > row[0])
    ),
    min_size=1,
    max_size=60,
)


def test_a_worked_example() -> None:
    """Five families; one leaves in the month in which another makes progress."""
    curve = kaplan_meier(
        times((0, 1, True), (0, 2, False), (0, 2, True), (0, 3, True), (0, 4, False))
    )
    assert curve.at_risk.tolist() == [5, 4, 2, 1]
    assert curve.progressed.tolist() == [1, 1, 1, 0]
    assert curve.still == pytest.approx([0.8, 0.6, 0.3, 0.3])
    assert curve.spread == pytest.approx([1 / 20, 2 / 15, 19 / 30, 19 / 30])


def test_who_comes_later_counts_from_then_on() -> None:
    """Left truncation: nobody is at risk before anybody looked."""
    curve = kaplan_meier(times((0, 2, True), (2, 4, True), (0, 4, False), (3, 3, False)))
    assert curve.at_risk.tolist() == [2, 2, 2, 2]
    assert curve.still == pytest.approx([1, 0.5, 0.5, 0.25])


def test_nothing_is_said_where_few_were_watched() -> None:
    """Ten at risk is enough, nine is not; nor is a month after too few."""
    rows = [(0, 3, True)] * 2 + [(0, 5, False)] * (AT_RISK_LEAST - 1)
    curve = kaplan_meier(times(*rows))
    assert curve.followed == 3
    found = curve.by(3)
    assert found is not None
    assert found.value == pytest.approx(2 / 11)
    assert curve.by(4) is None
    assert curve.by(0) is None
    assert curve.within(2, 2) is None
    assert curve.within(1, 2) == pytest.approx(2 / 11)


def test_nobody_yet_is_not_never() -> None:
    """Without progress the interval still has a width: Wilson's of none among those at risk."""
    curve = kaplan_meier(times(*[(0, 6, False)] * 40))
    found = curve.by(6)
    assert found is not None
    assert (found.value, found.low) == (0, 0)
    assert found.high == pytest.approx(1.959964**2 / (40 + 1.959964**2))


def test_the_interval_without_censoring_is_that_of_a_share() -> None:
    """Rothman's number of families is all of them then."""
    curve = kaplan_meier(times(*[(0, 2, True)] * 30, *[(0, 9, False)] * 70))
    found, expected = curve.by(5), wilson(0.3, 100)
    assert found is not None
    assert (found.value, found.low, found.high) == pytest.approx(
        (expected.value, expected.low, expected.high)
    )


def test_half_have_made_progress() -> None:
    """The median month, or none."""
    curve = kaplan_meier(times(*[(0, 2, True)] * 20, *[(0, 4, True)] * 20, *[(0, 9, False)] * 15))
    assert curve.median() == 4
    assert kaplan_meier(times(*[(0, 9, False)] * 15)).median() is None


@given(some)
def test_laws(rows: list[tuple[int, int, bool]]) -> None:
    """The curve falls from one, moves only where progress came, and all progress is counted."""
    found = kaplan_meier(times(*rows))
    assert found.progressed.sum() == sum(event for _, _, event in rows)
    assert (np.diff(found.still, prepend=1.0) <= 1e-12).all()
    assert ((np.diff(found.still, prepend=1.0) == 0) | (found.progressed > 0)).all()
    assert (found.at_risk >= found.progressed).all()


@given(st.lists(st.integers(1, 12), min_size=1, max_size=60))
def test_without_censoring_it_is_the_share(months: list[int]) -> None:
    """Everybody is watched to the end."""
    found = kaplan_meier(times(*[(0, month, True) for month in months]))
    for month in range(1, max(months) + 1):
        share = sum(each > month for each in months) / len(months)
        assert found.still[month - 1] == pytest.approx(share, abs=1e-12)


@given(some, some)
def test_what_is_never_watched_tells_nothing(
    rows: list[tuple[int, int, bool]], more: list[tuple[int, int, bool]]
) -> None:
    """A family that is last seen when it is first seen changes no number."""
    nothing = [(last, last, False) for _, last, _ in more]
    one, other = kaplan_meier(times(*rows)), kaplan_meier(times(*rows, *nothing))
    length = len(one.still)
    assert other.still[:length].tolist() == one.still.tolist()
    assert not other.at_risk[length:].any()


@given(st.lists(st.integers(1, 9), min_size=1, max_size=200), st.integers(1, 60))
def test_groups_are_whole_and_large_enough(met: list[int], least: int) -> None:
    """Each family is in one group; a group is large enough, or is everybody."""
    groups = groups_by_count(np.array(met), least)
    inside = np.array([here for _, here in groups])
    assert (inside.sum(axis=0) == 1).all()
    sizes = inside.sum(axis=1)
    assert (sizes >= least).all() or len(groups) == 1
    assert len({name for name, _ in groups}) == len(groups)


def test_groups_have_names() -> None:
    """The most needs are put together from the top, and what is left joins the group above."""
    met = np.repeat([1, 2, 3, 4, 5], [40, 40, 40, 10, 25])
    assert [name for name, _ in groups_by_count(met, 30)] == [
        "1 need", "2 needs", "3 needs", "4 or more needs",
    ]  # fmt: skip
    met = np.repeat([1, 2, 3], [5, 40, 40])
    assert [name for name, _ in groups_by_count(met, 30)] == ["1 to 2 needs", "3 needs"]


def test_reference_values() -> None:
    """Of lifelines 0.30.3, KaplanMeierFitter with ``entry``, on these families."""
    entry = [0, 0, 1, 3, 0, 2, 0, 0, 4, 1]
    last = [5, 3, 4, 7, 8, 6, 3, 9, 9, 2]
    event = [True, True, False, True, False, True, False, True, False, True]
    found = kaplan_meier(times(*zip(entry, last, event, strict=True)))
    assert found.still == pytest.approx(
        [1, 0.8571428571, 0.7346938776, 0.7346938776, 0.612244898, 0.4897959184, 0.3673469388,
         0.3673469388, 0.1836734694], abs=1e-9,
    )  # fmt: skip
