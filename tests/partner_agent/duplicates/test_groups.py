"""Pairs that are consistent within groups."""

from collections.abc import Callable

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from partner_agent.duplicates.groups import GROUP_MOST, Float, Rows, consistent

Pair = tuple[int, int]


def judge_of(odds: dict[Pair, float], otherwise: float = -20.0) -> Callable[[Rows, Rows], Float]:
    """Log odds of any pair by a table."""

    def judge(left: Rows, right: Rows) -> Float:
        return np.array(
            [odds.get(pair, otherwise) for pair in zip(left.tolist(), right.tolist(), strict=True)],
            dtype=np.float64,
        )

    return judge


def joined(odds: dict[Pair, float], rows: int, otherwise: float = -20.0) -> dict[Pair, float]:
    """What becomes of candidate pairs that were judged like this."""
    left = np.array([a for a, _ in odds], dtype=np.int64)
    right = np.array([b for _, b in odds], dtype=np.int64)
    judge = judge_of(odds, otherwise)
    one, other, found = consistent(left, right, judge(left, right), rows, judge)
    return dict(zip(zip(one.tolist(), other.tolist(), strict=True), found.tolist(), strict=True))


def test_a_row_between_two_relatives_joins_only_one_of_them() -> None:
    """A row that looks like two people who cannot be one is given to the likelier."""
    assert joined({(0, 1): 3.0, (1, 2): 2.0, (0, 2): -15.0}, 3) == {(0, 1): 3.0}


def test_a_third_side_is_told_where_nothing_speaks_strongly_against_it() -> None:
    """Two rows that both are like a third are of one person, as surely as the weaker of the two."""
    found = joined({(0, 1): 9.0, (1, 2): 6.0}, 4, otherwise=-2.0)
    assert set(found) == {(0, 1), (0, 2), (1, 2)}
    assert found[0, 1] == 9.0
    assert found[0, 2] == found[1, 2] == 5.0


def test_no_pairs_are_no_groups() -> None:
    """Without candidates, or with unlikely ones only, nothing is told."""
    assert joined({}, 0) == {}
    assert joined({}, 5) == {}
    assert joined({(0, 1): -0.5}, 2) == {}


def test_a_chain_of_many_rows_is_parted() -> None:
    """Rows that chain without end are parted into groups that are small enough to compare."""
    chain = {(at, at + 1): 1.0 + at % 7 for at in range(1_000)}
    found = joined(chain, 1_001, otherwise=-1.0)
    degree = np.bincount(np.array(list(found)).ravel())
    assert degree.max() < GROUP_MOST


@settings(deadline=None)
@given(
    st.dictionaries(
        st.tuples(st.integers(0, 11), st.integers(0, 11)).filter(lambda pair: pair[0] < pair[1]),
        st.floats(-10, 10),
        max_size=30,
    )
)
def test_what_is_told_is_transitive(odds: dict[Pair, float]) -> None:
    """If two pairs that meet in a row are told, so is the third side."""
    found = joined(odds, 12)
    for a, b in found:
        for c in set(range(12)) - {a, b}:
            if (min(b, c), max(b, c)) in found:
                assert (min(a, c), max(a, c)) in found
