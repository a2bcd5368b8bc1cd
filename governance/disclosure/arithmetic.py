"""What a reader can work out of published tables by adding and subtracting, and what of two runs'.

A published number says between which two counts the true one lies, and totals are sums: so the
bounds of each can be narrowed by the others, in every table and through the totals that tables
share (interval propagation over the tables' sums, until nothing narrows any more).

Rule: of the same families' number in two runs nobody may be able to work out that it changed by
less than the least count that is shown, and by something: that would tell of a few families
(DESIGN 10, invariant 21). One number alone never does (``counts``); several together may, since a
rounded total beside rounded cells narrows both. Where they would, tables of the later run are held
back, those of which numbers would tell it, until what is left does not.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from math import prod
from typing import Final

import numpy as np
from numpy.typing import NDArray

from governance.disclosure.counts import Published
from governance.disclosure.tables import PublishedTable

Where = tuple[tuple[str, tuple[str, ...]], ...]
"""Conditions that families meet: of what they are divided by, the categories; () is everybody."""
Bounds = tuple[int, int]
_MOST: Final = 10**9
_ROUNDS: Final = 100


def worked_out(tables: Sequence[PublishedTable]) -> dict[Where, Bounds]:
    """The smallest and the largest that each number of one run's tables may be, hidden ones too."""
    place: dict[Where, int] = {}
    low: list[int] = []
    high: list[int] = []
    grids = []
    for table in tables:
        wheres, shown = _grid(table)
        grid = np.zeros((len(wheres), len(wheres[0])), dtype=np.int64)
        for at in product(range(grid.shape[0]), range(grid.shape[1])):
            where, number = wheres[at[0]][at[1]], shown[at[0]][at[1]]
            if where not in place:
                place[where] = len(low)
                low.append(0)
                high.append(_MOST)
            grid[at] = place[where]
            if number is not None:
                least, most = behind(number)
                low[grid[at]] = max(low[grid[at]], least)
                high[grid[at]] = min(high[grid[at]], most)
        grids.append(grid)
    for where, parts in _put_together(place):
        grids.append(np.array([[*(place[part] for part in parts), place[where]]]))
    lows, highs = np.array(low, dtype=np.int64), np.array(high, dtype=np.int64)
    for _ in range(_ROUNDS):
        before = lows.copy(), highs.copy()
        for grid in grids:
            _narrow(lows, highs, grid)
            _narrow(lows, highs, grid.T)
        if (before[0] == lows).all() and (before[1] == highs).all():
            break
    return {where: (int(lows[at]), int(highs[at])) for where, at in place.items()}


def behind(shown: Published) -> Bounds:
    """The smallest and the largest count that is published so."""
    if shown.about is None:
        return 0, shown.most
    low = shown.about - shown.base // 2
    return max(low, shown.most + 1), shown.about + (shown.base - 1) // 2


def held_back(
    new: Sequence[PublishedTable],
    earlier: Iterable[Sequence[PublishedTable]],
    least: int,
) -> frozenset[str]:
    """Ids of tables of a run that, beside an earlier run's, would tell of a small change.

    Args:
        new: a run's tables as they would be published.
        earlier: what was published of each earlier run of the same agreement.
        least: the smallest count that is shown.
    """
    held: set[str] = set()
    known = [worked_out(each) for each in earlier]
    while True:
        left = [table for table in new if table.table not in held]
        bounds = worked_out(left)
        told = {where for old in known for where in small_changes(old, bounds, least)}
        if not told:
            return frozenset(held)
        held |= {table.table for table in left if told & set(_wheres(table))}


def small_changes(
    old: Mapping[Where, Bounds], new: Mapping[Where, Bounds], least: int
) -> set[Where]:
    """Numbers of the new run that are known to differ from the old run's, by less than the least.

    Where one run has categories put together that the other has apart, the parts are added.
    """
    told: set[Where] = set()
    for where, bounds in new.items():
        if _is_small(_sum_of(where, old)[0], bounds, least):
            told.add(where)
    for where in old.keys() - new.keys():
        bounds_, parts = _sum_of(where, new)
        if _is_small(old[where], bounds_, least):
            told |= parts
    return told


def _is_small(old: Bounds | None, new: Bounds | None, least: int) -> bool:
    if old is None or new is None:
        return False
    low, high = new[0] - old[1], new[1] - old[0]
    return 0 < low <= high < least or -least < low <= high < 0


def _sum_of(where: Where, held: Mapping[Where, Bounds]) -> tuple[Bounds | None, set[Where]]:
    """Bounds of a number by those of its parts, and which these are; None where one is missing."""
    if where in held:
        return held[where], {where}
    found: Bounds | None = None
    told: set[Where] = set()
    for parts in _divisions(where, [other for other in held if _within(other, where)]):
        low, high = sum(held[part][0] for part in parts), sum(held[part][1] for part in parts)
        found = (low, high) if found is None else (max(found[0], low), min(found[1], high))
        told |= parts
    return found, told


def _put_together(place: Iterable[Where]) -> Iterator[tuple[Where, set[Where]]]:
    """Numbers of categories put together in one table that other tables have apart."""
    alike: dict[tuple[str, ...], list[Where]] = defaultdict(list)
    for where in place:
        alike[tuple(name for name, _ in where)].append(where)
    for held in alike.values():
        for where in held:
            if _size(where) > 1:
                inside = [other for other in held if other != where and _within(other, where)]
                yield from ((where, parts) for parts in _divisions(where, inside))


def _divisions(where: Where, inside: Sequence[Where]) -> Iterator[set[Where]]:
    """The finest and the coarsest numbers inside one, where they divide it and leave nothing."""
    finest = {one for one in inside if not any(_within(two, one) for two in inside if two != one)}
    coarsest = {one for one in inside if not any(_within(one, two) for two in inside if two != one)}
    for parts in [finest] if finest == coarsest else [finest, coarsest]:
        cells = {cell for part in parts for cell in product(*(of for _, of in part))}
        if len(cells) == sum(_size(part) for part in parts) == _size(where):
            yield parts


def _within(part: Where, where: Where) -> bool:
    return [name for name, _ in part] == [name for name, _ in where] and all(
        set(some) <= set(of) for (_, some), (_, of) in zip(part, where, strict=True)
    )


def _size(where: Where) -> int:
    return prod(len(of) for _, of in where)


def _narrow(low: NDArray[np.int64], high: NDArray[np.int64], grid: NDArray[np.int64]) -> None:
    """Along each row of numbers' places, of which the last is the sum of the others."""
    if grid.shape[1] == 1:
        return
    parts, total = grid[:, :-1], grid[:, -1]
    least, most = low[parts].sum(axis=1), high[parts].sum(axis=1)
    np.maximum.at(low, total, least)
    np.minimum.at(high, total, most)
    np.maximum.at(low, parts, low[total][:, None] - (most[:, None] - high[parts]))
    np.minimum.at(high, parts, high[total][:, None] - (least[:, None] - low[parts]))


def _wheres(table: PublishedTable) -> Iterable[Where]:
    return (where for line in _grid(table)[0] for where in line)


def _grid(table: PublishedTable) -> tuple[list[list[Where]], list[list[Published | None]]]:
    """What each number of a table counts, and the number: rows, then the line of totals."""
    all_rows = sum(len(line.of) for line in table.lines)
    all_columns = sum(len(of) for of in table.columns)

    def where(row: tuple[str, ...], column: tuple[str, ...]) -> Where:
        found = []
        if row and len(row) < all_rows:
            found.append((table.rows_are, tuple(sorted(row))))
        if column and len(column) < all_columns:
            found.append((str(table.columns_are), tuple(sorted(column))))
        return tuple(sorted(found))

    columns = [*table.columns, ()]
    wheres = [[where(line.of, column) for column in columns] for line in table.lines]
    wheres.append([where((), column) for column in columns])
    nothing: tuple[Published | None, ...] = (None,) * len(table.columns)
    shown: list[list[Published | None]] = [
        [*(line.cells or nothing), line.total] for line in table.lines
    ]
    return wheres, [*shown, [*table.column_totals, table.total]]
