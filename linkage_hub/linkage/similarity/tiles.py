"""One tile of a join: some rows of one side against some of the other.

In order, for each row and tile of columns:
1. Rows that set too few or too many bits for the floor are left out (cardinality).
2. Bits in common are counted in the first words only, the sketch; what may come in the others is
   at most the smaller number of bits that either sets there.
3. What is left is counted in full, and compared in the very numbers that the caller's floor means:
   ``2 * common / (ones + ones)`` in doubles, as anonlink divides.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
from llvmlite import binding
from numba import config
from numpy.typing import NDArray

from linkage_hub.linkage.similarity.kernels import comparing
from linkage_hub.linkage.similarity.sides import WORD_BITS, Indices, Side, Words
from linkage_hub.linkage.similarity.vectors import LANES

Pairs = NDArray[np.int32]
"""Row number, column number and common bits (of several views: their similarity), (m, 3)."""
Unlike = Callable[[Pairs], NDArray[Any]]
"""Of pairs, numbers that are less the more similar a pair is, (m,)."""

_numba: Any = config
CAPACITY: Final = 1 << 18  # pairs found before they are set aside
PENDING: Final = 1 << 21  # pairs set aside before rows with too many are cut
IMPOSSIBLE: Final = 1 << 40  # common bits that no pair has
CACHE_LINE: Final = 64  # bytes
GROUPS_WIDE: Final = 8  # vectors across a tile where one instruction counts a vector
GROUPS_NARROW: Final = 2  # elsewhere: fewer, so that the sums stay in registers


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked of a tile.

    Attributes:
        floor: similarity, in (0, 1].
        words: of the sketch.
        cap: most pairs that one row keeps, the most similar.
    """

    floor: float
    words: int
    cap: int


def vector_counts() -> bool:
    """Whether code is compiled for a processor that counts bits of whole vectors.

    AVX-512 VPOPCNTDQ, of this processor or of what NUMBA_CPU_NAME and NUMBA_CPU_FEATURES name.
    """
    if _numba.CPU_NAME:
        return "+avx512vpopcntdq" in (_numba.CPU_FEATURES or "")
    return bool(binding.get_host_cpu_features().get("avx512vpopcntdq", False))


def compare(rows: Side, columns: Side, ask: Ask, groups: int | None = None) -> Pairs:
    """Pairs at or above the floor, as record numbers, at most ``cap`` of a row.

    Args:
        rows: of the first side.
        columns: of the second.
        ask: floor and sketch.
        groups: vectors across a tile of columns; by the processor when None.
    """
    groups = groups or (GROUPS_WIDE if vector_counts() else GROUPS_NARROW)
    need = needed(rows.rows.shape[1] * WORD_BITS, ask.floor)
    rest = columns.rest(ask.words)
    order = np.lexsort((rest, columns.ones))
    rest, ones, numbers = rest[order], columns.ones[order], columns.numbers[order]
    ordered = columns.rows[order]
    row_rest = rows.rest(ask.words)
    fixed = (
        np.ascontiguousarray(rows.sketch[:, : ask.words]),
        rows.rows,
        np.stack([rows.ones, row_rest], axis=1),
        tiles_of(columns.sketch[order, : ask.words], groups * LANES),
        ordered,
        np.stack([ones, rest], axis=1),
        _bounds(rows, ones, rest, groups * LANES, ask),
        need,
    )
    run = comparing(ask.words, groups)
    found = collected(run, fixed, len(rows.ones), unlike(rows.ones, ones), ask.cap)
    found[:, 0] = rows.numbers[found[:, 0]]
    found[:, 1] = numbers[found[:, 1]]
    return found


def rows_of(found: Pairs) -> Indices:
    """The row of each pair."""
    return found[:, 0].astype(np.int64)


def collected(
    run: Callable[..., int],
    fixed: tuple[Any, ...],
    end: int,
    unlike: Unlike,
    cap: int,
    places: Callable[[Pairs], Indices] = rows_of,
) -> Pairs:
    """Run a loop to its end, and keep what it holds in memory bounded.

    Args:
        run: a loop of ``kernels``, ``buckets`` or ``view_kernels``.
        fixed: its arguments but for the place where it goes on and the pairs that it fills.
        end: the first number of the place when it is done.
        unlike: by what a row's pairs are cut.
        cap: most pairs that a row keeps.
        places: what keeps so many: the pair's row, or a finer number.
    """
    place, out = np.zeros(3, dtype=np.int64), np.empty((CAPACITY, 3), dtype=np.int32)
    parts: list[Pairs] = []
    pending = 0
    while place[0] < end:
        count = run(*fixed, place, out)
        parts.append(out[:count].copy())
        pending += count
        if pending > PENDING:
            parts = [cut(np.concatenate(parts), unlike, cap, places)]
            pending = 0  # cut again once as much has come
    return cut(np.concatenate([out[:0], *parts]), unlike, cap, places)


def unlike(ones: Indices, others: Indices) -> Unlike:
    """Dice of pairs, negated, from the bits that rows and columns set."""

    def negated(found: Pairs) -> NDArray[Any]:
        return np.asarray(-2.0 * found[:, 2] / (ones[found[:, 0]] + others[found[:, 1]]))

    return negated


def cut(
    found: Pairs, unlike: Unlike, cap: int, places: Callable[[Pairs], Indices] = rows_of
) -> Pairs:
    """At most ``cap`` pairs of a row: the most similar, of equal ones the first columns.

    Args:
        found: row, column, common bits or similarity.
        unlike: the less, the more similar a pair is.
        cap: most that a row keeps.
        places: what keeps so many: the pair's row, or a finer number.
    """
    if not len(found) or np.bincount(found[:, 0]).max() <= cap:
        return found
    _, place, counts = np.unique(places(found), return_inverse=True, return_counts=True)
    if counts.max() <= cap:
        return found
    crowded = counts[place] > cap
    kept, rest, place = found[~crowded], found[crowded], place[crowded]
    order = np.lexsort((rest[:, 1], unlike(rest), place))
    rest, place = rest[order], place[order]
    first = np.flatnonzero(np.diff(place, prepend=-1))
    rank = np.arange(len(rest)) - np.repeat(first, np.diff(np.append(first, len(rest))))
    return np.concatenate([kept, rest[rank < cap]])


@lru_cache(maxsize=64)
def needed(bits: int, floor: float) -> Indices:
    """Common bits that a pair needs for the floor, by the sum of bits that it sets.

    The smallest count whose similarity is not below the floor in doubles. Dice of two records
    without bits is no number, so no count does for a sum of 0.
    """
    sums = np.arange(2 * bits + 1, dtype=np.int64)
    need: Indices = np.ceil(floor * sums / 2.0).astype(np.int64)
    safe = np.maximum(sums, 1)
    need -= (need > 0) & (2.0 * (need - 1) / safe >= floor)
    need += 2.0 * need / safe < floor
    need[0] = IMPOSSIBLE
    need.setflags(write=False)
    return need


@lru_cache(maxsize=64)
def reach(bits: int, floor: float) -> tuple[Indices, Indices]:
    """For each number of bits set the fewest and the most that a similar record sets.

    Both ascend; the first is above the second for a record that is similar to none.
    """
    need = needed(bits, floor)
    counts = np.arange(bits + 1)
    least, most = np.zeros(bits + 1, dtype=np.int64), np.full(bits + 1, -1)
    for own in range(bits + 1):
        able = np.flatnonzero(np.minimum(counts, own) >= need[counts + own])
        if len(able):
            least[own], most[own] = able[0], able[-1]
    return least, most


def _bounds(rows: Side, ones: Indices, rest: Indices, width: int, ask: Ask) -> Indices:
    """For each tile the rows that can be similar, its fewest ones and its largest rest."""
    if not len(ones):
        return np.empty((0, 4), dtype=np.int64)
    starts = np.arange(0, len(ones), width)
    fewest, most = ones[starts], ones[np.minimum(starts + width, len(ones)) - 1]
    least_able, most_able = reach(rows.rows.shape[1] * WORD_BITS, ask.floor)
    return np.stack(
        [
            np.searchsorted(rows.ones, least_able[fewest], "left"),
            np.searchsorted(rows.ones, most_able[most], "right"),
            fewest,
            np.maximum.reduceat(rest, starts),
        ],
        axis=1,
    ).astype(np.int64)


def tiles_of(sketches: Words, width: int) -> Words:
    """Rows (n, words) turned into tiles (m, words, width), zeros added."""
    count, words = -(-len(sketches) // width), sketches.shape[1]
    padded = np.zeros((count * width, words), dtype=np.uint64)
    padded[: len(sketches)] = sketches
    tiles = aligned((count, words, width))
    tiles[:] = padded.reshape(count, width, words).transpose(0, 2, 1)
    return tiles


def aligned(shape: tuple[int, ...]) -> Words:
    """Zeros that begin at a cache line: a vector across two lines costs two loads."""
    size = int(np.prod(shape)) * 8
    room = np.zeros(size + CACHE_LINE, dtype=np.uint8)
    start = -room.ctypes.data % CACHE_LINE
    return room[start : start + size].view(np.uint64).reshape(shape)
