"""Compiled loops of the join. They release the interpreter's lock and are cached on disk."""

from collections.abc import Callable
from functools import cache
from typing import Any, Final

import numpy as np
from numba import njit

from linkage_hub.linkage.similarity.vectors import LANES, passing, popcount, trailing_zeros

ROWS_AT_ONCE: Final = 128  # rows whose sketches stay in the first-level cache beside a tile
COLUMNS_AT_ONCE: Final = 512  # of a sample
SHARES: Final = 10_000  # steps of a histogram of similarities from 0 to 1
SOFTNESS: Final = 3.0 / 64.0
"""Of several views: how far equal shares must lie apart for the larger to count alone. Three
standard deviations of the share of 1,024 bits that two strangers have equal (ADR 7)."""


@njit(cache=True, nogil=True)
def both_set(rows: Any, row: Any, others: Any, other: Any) -> Any:
    """Bits that two rows of uint64 matrices both set."""
    common = np.uint64(0)
    for word in range(rows.shape[1]):
        common += popcount(rows[row, word] & others[other, word])
    return np.int64(common)


@cache
def comparing(words: int, groups: int) -> Callable[..., int]:
    """The comparing loop for sketches of ``words`` words and tiles of ``8 * groups`` columns.

    Compiled once for each pair of numbers on a machine.
    """
    width = groups * LANES

    @njit(cache=True, nogil=True)
    def compare(  # type: ignore[no-untyped-def] # noqa: ANN202
        sketches,  # noqa: ANN001 uint64 (n, words)
        rows,  # noqa: ANN001 uint64 (n, all words)
        row_keys,  # noqa: ANN001 int64 (n, 2): ones, ones outside the sketch
        tiles,  # noqa: ANN001 uint64 (m, words, width)
        columns,  # noqa: ANN001 uint64 (at most m * width, all words)
        column_keys,  # noqa: ANN001 int64 (as many, 2)
        bounds,  # noqa: ANN001 int64 (m, 4): first row, end row, fewest ones, largest rest
        need,  # noqa: ANN001 int64: common bits that a sum of ones asks for
        place,  # noqa: ANN001 int64 (3,): block, tile and row where to go on; updated
        out,  # noqa: ANN001 int32 (capacity, 3): row, column, common bits; filled
    ):
        count = 0
        total = len(sketches)
        for block in range(place[0], total, ROWS_AT_ONCE):
            end = min(block + ROWS_AT_ONCE, total)
            for tile in range(place[1], len(tiles)):
                start = max(block, bounds[tile, 0], place[2])
                place[2] = 0
                stop = min(end, bounds[tile, 1])
                fewest = bounds[tile, 2]
                most = bounds[tile, 3]
                for row in range(start, stop):
                    bias = min(row_keys[row, 1], most) - need[row_keys[row, 0] + fewest]
                    mask = passing(sketches, row, tiles, tile, bias, words, groups)
                    if mask == 0:
                        continue
                    if count + width > len(out):
                        place[0] = block
                        place[1] = tile
                        place[2] = row
                        return count
                    while mask:
                        column = tile * width + np.int64(trailing_zeros(mask))
                        mask &= mask - np.uint64(1)
                        if column >= len(columns):
                            continue
                        common = both_set(rows, row, columns, column)
                        if common >= need[row_keys[row, 0] + column_keys[column, 0]]:
                            out[count, 0] = row
                            out[count, 1] = column
                            out[count, 2] = common
                            count += 1
            place[1] = 0
        place[0] = total
        return count

    found: Callable[..., int] = compare
    return found


@njit(cache=True, nogil=True)
def chosen_bits(rows: Any, order: Any, out: Any) -> None:
    """Bits of every row in another order, the first the lowest of the first word.

    Args:
        rows: uint64 (n, words).
        order: int64 (bits,), which bit comes there.
        out: uint64 (n, as many words as are wanted); filled.
    """
    for row in range(len(rows)):
        for word in range(out.shape[1]):
            bits = np.uint64(0)
            for to in range(64):
                source = order[64 * word + to]
                bit = (rows[row, source >> 6] >> np.uint64(source & 63)) & np.uint64(1)
                bits |= bit << np.uint64(to)
            out[row, word] = bits


@njit(cache=True, nogil=True)
def ones_within(rows: Any, words: Any, out: Any) -> None:
    """Bits set in the first words of each row: uint64 (n, at least words) to int64 (n,)."""
    for row in range(len(rows)):
        count = np.uint64(0)
        for word in range(words):
            count += popcount(rows[row, word])
        out[row] = count


@njit(cache=True, nogil=True)
def common_bits(first: Any, second: Any, left: Any, right: Any, out: Any) -> None:
    """Bits that both records of each pair set: pairs (m,) of rows of uint64 (n, words)."""
    for pair in range(len(left)):
        out[pair] = both_set(first, left[pair], second, right[pair])


@njit(cache=True, nogil=True)
def similarities(first: Any, second: Any, ones: Any, others: Any, out: Any) -> None:
    """Histogram of the similarity of all pairs: every row of one with each other.

    Of one view it is Dice; of several their equal shares together (``SOFTNESS``).

    Args:
        first: uint64 (v, n, words).
        second: uint64 (v, words, m): columns side by side, for the vector unit.
        ones: int64 (v, n), bits set in ``first``.
        others: int64 (v, m), in ``second``.
        out: int64 (SHARES + 1,), by floor(SHARES * similarity); added to.
    """
    views, words, width = second.shape
    bits = 64 * words
    common = np.empty(COLUMNS_AT_ONCE, np.uint64)
    total = np.empty(COLUMNS_AT_ONCE, np.float64)
    worth = np.exp(
        -np.arange(bits + 1) / (bits * SOFTNESS)
    )  # of several views, by bits that differ
    for begin in range(0, width, COLUMNS_AT_ONCE):
        size = min(COLUMNS_AT_ONCE, width - begin)
        for row in range(first.shape[1]):
            total[:] = 0.0
            for view in range(views):
                common[:] = 0
                for word in range(words):
                    own = first[view, row, word]
                    column = second[view, word, begin : begin + size]
                    for at in range(size):
                        common[at] += popcount(own & column[at])
                for at in range(size):
                    both = ones[view, row] + others[view, begin + at]
                    twice = 2 * np.int64(common[at])
                    if views == 1:
                        total[at] = twice / max(1, both)
                    else:
                        total[at] += worth[both - twice]
            for at in range(size):
                similarity = total[at]
                if views > 1:
                    similarity = max(0.0, 1.0 + SOFTNESS * np.log(similarity / views))
                out[np.int64(similarity * SHARES)] += 1


@njit(cache=True, nogil=True)
def bounds_by_words(first: Any, second: Any, out: Any) -> None:
    """Histograms of the bound on Dice that each number of sketch words gives.

    Args:
        first: uint64 (n, words).
        second: uint64 (m, words).
        out: int64 (words + 1, 101), by number of words and floor(100 * bound); added to.
    """
    words = first.shape[1]
    mine = np.zeros(words + 1, np.int64)
    for row in range(len(first)):
        for word in range(words - 1, -1, -1):
            mine[word] = mine[word + 1] + np.int64(popcount(first[row, word]))
        for column in range(len(second)):
            rest = np.int64(0)
            for word in range(words):
                rest += np.int64(popcount(second[column, word]))
            both = max(1, mine[0] + rest)
            seen = np.int64(0)
            for word in range(words):
                rest -= np.int64(popcount(second[column, word]))
                seen += np.int64(popcount(first[row, word] & second[column, word]))
                bound = seen + min(rest, mine[word + 1])
                out[word + 1, (200 * bound) // both] += 1
