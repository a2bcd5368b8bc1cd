"""Which cells of a table may be shown, so that no total gives a hidden one away.

Every family is in exactly one cell. Rules, in order:

1. Categories whose total is small, nought among them, are merged, and the smallest others with
   them, until their total is large enough to be shown (global recoding). Columns first, then rows.
2. A row with a small cell is shown by its total alone. Of the rows that are hidden so, row totals
   and what column totals leave stay known. The cells that fit these are a transportation polytope,
   in which a sum over some columns of a row with total r, with c left to these columns of T in all,
   lies between max(0, r + c - T) and min(r, c), and reaches both (Fréchet 1940; Dobra and Fienberg,
   PNAS 97(22), 2000). Rows are hidden, the smallest first, until for the small cells of every
   hidden row, one by one and together, this leaves room from nought to the least that is shown.
3. Where hiding every row does not do it, no column is shown at all.

This holds for unrounded margins; published ones are rounded, and say less.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Groups = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """What of a table is shown.

    Attributes:
        rows, columns: numbers of the categories that each shown one is made of; no columns where
            only rows may be shown, neither where not even the total may.
        cells: counts of these, int64 (rows, columns).
        row_totals: int64 (rows,).
        shown: rows whose cells are shown, bool (rows,).
    """

    rows: Groups
    columns: Groups
    cells: Ints
    row_totals: Ints
    shown: NDArray[np.bool_]


def shape_of(cells: Ints, least: int) -> Shape:
    """Decide about a table.

    Args:
        cells: counts, int64 (rows, columns), each family in one cell.
        least: the smallest count that may be shown.
    """
    columns = merged(cells.sum(axis=0), least)
    rows = merged(cells.sum(axis=1), least)
    totals = np.array([cells[list(row)].sum() for row in rows], dtype=np.int64)
    held = np.array(
        [[cells[np.ix_(row, column)].sum() for column in columns] for row in rows], dtype=np.int64
    ).reshape(len(rows), len(columns))
    hidden = hidden_rows(held, least)
    if hidden is None:
        nothing = np.zeros((len(rows), 0), dtype=np.int64)
        return Shape(rows, (), nothing, totals, np.zeros(len(rows), dtype=np.bool_))
    return Shape(rows, columns, held, totals, ~hidden)


def merged(totals: Ints, least: int) -> Groups:
    """Categories, small ones put together; none where their sum is too small to be shown."""
    order = [int(at) for at in np.argsort(totals, kind="stable")]
    small = [at for at in order if totals[at] < least]
    rest = order[len(small) :]
    while small and rest and totals[small].sum() < least:
        small.append(rest.pop(0))
    if small and totals[small].sum() < least:
        return ()
    alone = [(at,) for at in sorted(rest)]
    return (*alone, *([tuple(sorted(small))] if small else []))


def hidden_rows(cells: Ints, least: int) -> NDArray[np.bool_] | None:
    """Rows whose cells are hidden; None where hiding all of them is not enough.

    Args:
        cells: counts, int64 (rows, columns), in which every row and column total is at least
            ``least``.
        least: the smallest count that may be shown.
    """
    hidden: NDArray[np.bool_] = np.asarray((cells < least).any(axis=1))
    by_size = np.argsort(cells.sum(axis=1), kind="stable")
    while hidden.any() and not _is_safe(cells[hidden], least):
        more = [at for at in by_size if not hidden[at]]
        if not more:
            return None
        hidden[more[0]] = True
    return hidden


def _is_safe(cells: Ints, least: int) -> bool:
    """Whether the small cells of hidden rows have room between the margins."""
    left, total = cells.sum(axis=0), int(cells.sum())
    for row in cells:
        small = row < least
        if small.any() and (
            int(left[small].min()) < least or int(row.sum()) + int(left[small].sum()) > total
        ):
            return False
    return True
