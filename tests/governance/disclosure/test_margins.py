"""No total gives a hidden cell away; a linear program is the judge."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import linprog

from governance.disclosure.margins import Ints, hidden_rows, merged, shape_of

LEAST = 8


def bounds(cells: Ints, shown: NDArray[np.bool_], at: tuple[int, int]) -> tuple[float, float]:
    """What a reader of all margins and of the shown rows can tell of a cell (attacker's problem).

    Rows and columns of true, unrounded margins; the hidden cells are the unknowns.
    """
    hidden = np.flatnonzero(~shown)
    width = cells.shape[1]
    sums = np.concatenate([cells[hidden].sum(axis=1), cells[hidden].sum(axis=0)])
    equal = np.zeros((len(hidden) + width, len(hidden) * width))
    for row in range(len(hidden)):
        equal[row, row * width : (row + 1) * width] = 1
        for column in range(width):
            equal[len(hidden) + column, row * width + column] = 1
    aim = np.zeros(equal.shape[1])
    aim[int(np.flatnonzero(hidden == at[0])[0]) * width + at[1]] = 1
    ends = [linprog(sign * aim, A_eq=equal, b_eq=sums, method="highs") for sign in (1, -1)]
    low, high = (end.fun for end in ends)
    assert low is not None
    assert high is not None
    return low, -high


def drawn(rng: np.random.Generator) -> Ints:
    """A table with small cells here and there."""
    shape = rng.integers(1, 6), rng.integers(2, 5)
    return rng.negative_binomial(0.6, 0.02, shape).astype(np.int64)


def given_away(cells: Ints, shown: NDArray[np.bool_], least: int) -> list[tuple[int, int]]:
    """Small hidden cells whose bounds do not reach from nought to the least."""
    found = []
    for row, column in np.argwhere((cells < least) & ~shown[:, None]):
        low, high = bounds(cells, shown, (int(row), int(column)))
        if low > 1e-6 or high < least - 1e-6:
            found.append((int(row), int(column)))
    return found


def test_no_hidden_cell_can_be_worked_out() -> None:
    """The linear program finds room from nought to the least for every small cell."""
    rng, hidden = np.random.default_rng(2026_11_28), 0
    for _ in range(150):
        shape = shape_of(drawn(rng), LEAST)
        if shape.columns:
            assert (shape.cells[shape.shown] >= LEAST).all()
            assert given_away(shape.cells, shape.shown, LEAST) == []
            hidden += int((~shape.shown).sum())
        assert (shape.row_totals >= LEAST).all()
        assert (shape.cells.sum(axis=0) >= LEAST).all()
    assert hidden > 100


def test_hiding_small_cells_alone_is_found_out() -> None:
    """The judge can fail: rows with small cells hidden, and nothing else, give cells away."""
    cells = np.array([[40, 30, 20], [25, 3, 12], [30, 30, 30]])
    alone = np.asarray((cells >= LEAST).all(axis=1))
    assert given_away(cells, alone, LEAST) == [(1, 1)]
    shape = shape_of(cells, LEAST)
    assert shape.shown.tolist() == [False, False, True] or given_away(cells, shape.shown, 8) == []
    assert not shape.shown[1]


def test_everybody_in_one_cell_is_hidden() -> None:
    """Where all families of a row have a need, nought is hidden and so is all."""
    hidden = hidden_rows(np.array([[50, 0], [60, 70], [40, 30]]), LEAST)
    assert hidden is not None
    assert hidden.tolist() == [True, False, True]


def test_no_column_is_shown_where_hiding_rows_is_not_enough() -> None:
    """Two rows with opposite small cells bind each other: totals of rows alone are left."""
    cells = np.array([[3, 97], [8, 2]])
    assert hidden_rows(cells, LEAST) is None
    shape = shape_of(cells, LEAST)
    assert (shape.columns, shape.row_totals.tolist()) == ((), [100, 10])


@pytest.mark.parametrize(
    ("totals", "groups"),
    [
        ([30, 20, 10], ((0,), (1,), (2,))),
        ([30, 3, 20], ((0,), (1, 2))),
        ([30, 3, 6], ((0,), (1, 2))),
        ([30, 0, 20], ((0,), (1, 2))),
        ([3, 4], ()),
        ([7, 9], ((0, 1),)),
    ],
)
def test_small_categories_are_merged(
    totals: list[int], groups: tuple[tuple[int, ...], ...]
) -> None:
    """Small ones go together, with the smallest others while their sum is small."""
    assert merged(np.array(totals), LEAST) == groups
