"""Compiled loops over pairs of records under several views, in one pass for all views."""

from collections.abc import Callable
from functools import cache
from typing import Any, Final

import numpy as np
from numba import njit

from linkage_hub.linkage.similarity.kernels import SOFTNESS
from linkage_hub.linkage.similarity.vectors import LANES, trailing_zeros
from linkage_hub.linkage.similarity.view_vectors import adding, reaching, unlike, within

ROWS_AT_ONCE: Final = 32  # whose totals stay in the first-level cache beside a view of a tile
ROWS_OF_PREFIX: Final = 128  # whose prefixes stay there
UNIT: Final = 1e-9  # of similarities in the pairs that are found
SLACK: Final = 1e-9  # sums of exponentials differ in their last digits by the order of adding


@njit(cache=True, nogil=True, inline="always")
def put_if_similar(
    out: Any,
    count: Any,
    rows: Any,
    row: Any,
    columns: Any,
    column: Any,
    worth: Any,
    floor: Any,
    words: Any,
) -> Any:
    """Compute a pair as it is defined, and put it at ``count`` if it is at the floor.

    Args:
        out: int32 (capacity, 3).
        count: how many there are.
        rows: uint64 (n, views, words).
        row: which.
        columns: uint64 (m, views, words).
        column: which.
        worth: float64 (64 * words + 1,), of a view by its bits that differ.
        floor: float64.
        words: a constant.

    Returns:
        How many there are now.
    """
    views = rows.shape[1]
    total = 0.0
    for view in range(views):
        total += worth[unlike(rows, row * views + view, columns, column * views + view, words)]
    if total >= views * (1.0 - SLACK):
        out[count, 0] = row
        out[count, 1] = column
        out[count, 2] = np.int32(round((floor + SOFTNESS * np.log(total / views)) / UNIT))
        count += 1
    return count


@cache
def comparing_all(words: int, groups: int) -> Callable[..., int]:
    """The loop that compares every pair in full; compiled once for each pair of numbers.

    Every pair gets the sum over its views of a curve that is nowhere below the exponential
    (``views.curve_of``); pairs that reach the floor by it are computed as defined.
    """
    width = groups * LANES

    @njit(cache=True, nogil=True)
    def compare(  # type: ignore[no-untyped-def] # noqa: ANN202
        rows,  # noqa: ANN001 uint64 (n, views, words)
        by_view,  # noqa: ANN001 uint64 (views * n, words): all rows of the first view first
        columns,  # noqa: ANN001 uint64 (m, views, words)
        tiles,  # noqa: ANN001 uint64 (views * tiles, words, width), at a cache line
        totals,  # noqa: ANN001 float64 (ROWS_AT_ONCE, width), at a cache line; overwritten
        curve,  # noqa: ANN001 float64 (CURVE,)
        worth,  # noqa: ANN001 float64 (64 * words + 1,)
        floor,  # noqa: ANN001 float64
        place,  # noqa: ANN001 int64 (3,): block and tile where to go on; updated
        out,  # noqa: ANN001 int32 (capacity, 3): row, column, similarity; filled
    ):
        count = 0
        total, views = len(rows), rows.shape[1]
        number = len(tiles) // views
        for block in range(place[0], total, ROWS_AT_ONCE):
            size = min(ROWS_AT_ONCE, total - block)
            for tile in range(place[1], number):
                if count + size * width > len(out):
                    place[0], place[1] = block, tile
                    return count
                totals[:] = 0.0
                for view in range(views):
                    for row in range(size):
                        adding(
                            by_view, view * total + block + row, tiles, view * number + tile,
                            curve, totals, row, words, groups,
                        )  # fmt: skip
                for row in range(size):
                    mask = reaching(totals, row, views * (1.0 - SLACK), groups)
                    while mask:
                        column = tile * width + np.int64(trailing_zeros(mask))
                        mask &= mask - np.uint64(1)
                        if column < len(columns):
                            count = put_if_similar(
                                out, count, rows, block + row, columns, column, worth, floor, words
                            )
            place[1] = 0
        place[0] = total
        return count

    found: Callable[..., int] = compare
    return found


@cache
def comparing_prefixes(words: int, whole: int, groups: int) -> Callable[..., int]:
    """The loop that compares prefixes of ``words`` words; what passes, views of ``whole`` words."""
    width = groups * LANES

    @njit(cache=True, nogil=True)
    def compare(  # type: ignore[no-untyped-def] # noqa: ANN202
        rows,  # noqa: ANN001 uint64 (n, views, words of a view)
        prefixes,  # noqa: ANN001 uint64 (n, words)
        columns,  # noqa: ANN001 uint64 (m, views, words of a view)
        tiles,  # noqa: ANN001 uint64 (tiles, words, width), at a cache line
        most,  # noqa: ANN001 int64: bits of a prefix that may differ
        worth,  # noqa: ANN001 float64 (64 * words of a view + 1,)
        floor,  # noqa: ANN001 float64
        place,  # noqa: ANN001 int64 (3,): block, tile and row where to go on; updated
        out,  # noqa: ANN001 int32 (capacity, 3): row, column, similarity; filled
    ):
        count = 0
        total = len(rows)
        for block in range(place[0], total, ROWS_OF_PREFIX):
            end = min(block + ROWS_OF_PREFIX, total)
            for tile in range(place[1], len(tiles)):
                start = max(block, place[2])
                place[2] = 0
                for row in range(start, end):
                    mask = within(prefixes, row, tiles, tile, most, words, groups)
                    if mask == 0:
                        continue
                    if count + width > len(out):
                        place[0], place[1], place[2] = block, tile, row
                        return count
                    while mask:
                        column = tile * width + np.int64(trailing_zeros(mask))
                        mask &= mask - np.uint64(1)
                        if column < len(columns):
                            count = put_if_similar(
                                out, count, rows, row, columns, column, worth, floor, whole
                            )
            place[1] = 0
        place[0] = total
        return count

    found: Callable[..., int] = compare
    return found
