"""How far a run is and how long it takes, told from what is known beforehand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkage_hub.runs.plan import (
    DECIDED,
    FINISH,
    KINDS,
    LINK,
    UNKNOWN,
    planned,
    seconds_left,
    share_done,
)

SIZES = st.lists(st.integers(1, 400_000), min_size=1, max_size=20)


@given(
    sizes=SIZES,
    views=st.sampled_from([1, 7]),
    slower=st.floats(0.2, 20),
    progress=st.floats(0, 1),
    kind=st.sampled_from([LINK, DECIDED, FINISH]),
)
def test_a_run_that_goes_as_planned_is_told_right(
    sizes: list[int], views: int, slower: float, progress: float, kind: str
) -> None:
    """On a machine of any speed: at every moment what is left is what it then takes."""
    plan = planned(sizes, views, "exact", questions=False)
    every = slower * sum(plan.values())
    gone = slower * (sum(plan[each] for each in KINDS[: KINDS.index(kind)]) + plan[kind] * progress)
    left = seconds_left(plan, kind, progress, slower * plan[kind])
    assert left == pytest.approx(every - gone, abs=0.51)
    assert share_done(plan, kind, progress) == pytest.approx(gone / every)


def test_work_that_grows_with_the_square_takes_most_of_a_large_run() -> None:
    """Pairs, views and mode decide which job the bar is mostly about."""

    def of_comparing(records: int, views: int, mode: object) -> float:
        plan = planned([records // 20] * 20, views, mode, questions=False)  # type: ignore[arg-type]
        return share_done(plan, DECIDED, 0.0)

    assert of_comparing(20_000, 1, "exact") < 0.5 < of_comparing(1_000_000, 1, "exact")
    assert of_comparing(1_000_000, 1, "exact") < of_comparing(1_000_000, 7, "exact")
    assert of_comparing(1_000_000, 7, "fast") < of_comparing(1_000_000, 7, "exact")
    assert of_comparing(1_000_000, 1, "fast") < 0.5


def test_nothing_is_said_before_the_pace_is_known() -> None:
    """A job that waits, or has hardly begun, says no time; the bar still stands where it is."""
    assert seconds_left(UNKNOWN, LINK, 0.0, None) is None
    assert share_done(UNKNOWN, LINK, 0.0) == 0.0
    assert share_done(UNKNOWN, FINISH, 1.0) == 1.0
